//! Models and adapters: opening, closing, and opening again what was lost.

use leptos::prelude::*;
use veneer_core::protocol::{
    Site, SiteFile, SiteModel,
    tab::{
        AdapterKey, AdapterView, Fault, FaultKind, ModelKey, ModelView, Origin, Outcome,
        QuantizeTo, RemoteFile, Request,
    },
};
use web_sys::File;

use super::App;
use crate::{
    browser::storage,
    page::picked::Picked,
    state::{columns::Loaded, files::Chosen},
    texts::faults::Sentence,
};

/// How a model came here, so that it can be opened again after the device was lost.
#[derive(Debug, Clone)]
pub(in crate::page) struct Recipe {
    model: ModelKey,
    from: Part,
    quantize: QuantizeTo,
    adapters: Vec<(AdapterKey, Part)>,
}

/// Where a model or an adapter came from.
#[derive(Debug, Clone)]
pub(in crate::page) struct Part {
    origin: Origin,
    files: Vec<File>,
}

impl Part {
    pub(in crate::page) fn of(origin: Origin) -> Self {
        Self {
            origin,
            files: Vec::new(),
        }
    }
}

impl From<Picked> for Part {
    fn from(picked: Picked) -> Self {
        Self {
            origin: picked.origin(),
            files: picked.files,
        }
    }
}

impl App {
    /// Opens a model of the site with its adapters, its system prompt and its sample prompts.
    pub(in crate::page) fn open_offer(self, model: &SiteModel) {
        let adapters = model.adapters.iter().map(|adapter| {
            let part = listed(&adapter.name, &adapter.files);
            (AdapterKey(0), part)
        });
        let recipe = Recipe {
            model: ModelKey(0),
            from: listed(&model.name, &model.files),
            quantize: QuantizeTo::AsStored,
            adapters: adapters.collect(),
        };
        let (system, prompts) = (model.system.clone(), model.prompts.clone());
        self.open(recipe, move |app| {
            app.samples.set(prompts.clone());
            let system = system.clone().unwrap_or_default();
            app.chat.update(|chat| chat.system = system);
        });
    }

    /// Opens what the user picked: a model, or an adapter for the model that is loaded.
    pub(in crate::page) fn open_picked(self, picked: Picked, quantize: QuantizeTo) {
        if picked.files.is_empty() {
            return;
        }
        match Chosen::of(&picked.names) {
            Err(fault) => self.complain(fault),
            Ok(chosen) if chosen.is_adapter() => self.add_adapter(picked.into()),
            Ok(_) => self.open_model(picked.into(), quantize),
        }
    }

    pub(in crate::page) fn open_model(self, from: Part, quantize: QuantizeTo) {
        let recipe = Recipe {
            model: ModelKey(0),
            from,
            quantize,
            adapters: Vec::new(),
        };
        self.open(recipe, |app| {
            app.samples.set(Vec::new());
        });
    }

    /// Opens what lies at an address: a model, or an adapter for the model that is loaded. Which of
    /// the two, only the worker sees.
    pub(in crate::page) fn open_address(self, from: Part, quantize: QuantizeTo) {
        self.open_model(from, quantize);
    }

    /// Adds an adapter to the model that was opened last.
    pub(in crate::page) fn add_adapter(self, from: Part) {
        let model = self
            .loaded
            .with_untracked(|loaded| loaded.models.last().map(|m| m.key));
        match model {
            Some(model) => self.add_adapter_to(model, from),
            None => self.complain(Fault::new(
                FaultKind::NotAModel,
                Sentence::AdapterAlone.with(&[]),
            )),
        }
    }

    fn add_adapter_to(self, model: ModelKey, from: Part) {
        let request = Request::AddAdapter {
            model,
            from: from.origin.clone(),
        };
        let files = from.files.clone();
        self.request(request, &files, move |outcome| {
            if let Outcome::Adapter(adapter) = outcome {
                self.take_adapter(adapter, &from);
            }
        });
    }

    /// An adapter stands beside its model.
    fn take_adapter(self, adapter: &AdapterView, from: &Part) {
        self.change_loaded(|loaded| loaded.add(adapter.clone()));
        for note in &adapter.notes {
            self.complain(note.clone());
        }
        self.recipes.update_value(|recipes| {
            let of_model = |recipe: &&mut Recipe| recipe.model == adapter.model;
            if let Some(recipe) = recipes.iter_mut().find(of_model) {
                recipe.adapters.push((adapter.key, from.clone()));
            }
        });
        self.say(adapter.name.clone());
        self.refresh_store();
    }

    pub(in crate::page) fn remove_adapter(self, model: ModelKey, adapter: AdapterKey) {
        self.change_loaded(|loaded| loaded.remove(adapter));
        self.recipes.update_value(|recipes| {
            for recipe in recipes.iter_mut() {
                recipe.adapters.retain(|(key, _)| *key != adapter);
            }
        });
        self.request(Request::RemoveAdapter { model, adapter }, &[], |_| {});
    }

    pub(in crate::page) fn close_model(self, model: ModelKey) {
        self.change_loaded(|loaded| loaded.close(model));
        self.recipes
            .update_value(|recipes| recipes.retain(|recipe| recipe.model != model));
        self.request(Request::CloseModel { model }, &[], |_| {});
    }

    /// Opens the device and everything that was on it again, in a new worker: whatever is wrong
    /// with the old one is gone with it.
    pub(in crate::page) fn reload(self) {
        let recipes = self.recipes.get_value();
        self.recipes.set_value(Vec::new());
        self.lost.set(None);
        self.device.set(None);
        self.start_worker();
        let mut keep = self.keep_models.get_untracked();
        for recipe in recipes {
            self.open_keeping(recipe, keep, |_| {});
            // What follows stood beside the first one.
            keep = true;
        }
    }

    fn open(self, recipe: Recipe, on_open: impl Fn(Self) + 'static) {
        let keep = self.keep_models.get_untracked();
        storage::ask_to_persist();
        self.open_keeping(recipe, keep, on_open);
    }

    /// Opens a model. Those that are loaded are closed only when it is there.
    fn open_keeping(self, recipe: Recipe, keep: bool, on_open: impl Fn(Self) + 'static) {
        let request = Request::OpenModel {
            from: recipe.from.origin.clone(),
            quantize: recipe.quantize,
            context: None,
        };
        let files = recipe.from.files.clone();
        self.request(request, &files, move |outcome| match outcome {
            Outcome::Model(model) => {
                self.take_model(model, &recipe, keep);
                on_open(self);
            }
            Outcome::Adapter(adapter) => self.take_adapter(adapter, &recipe.from),
            _ => {}
        });
    }

    /// A model is on the device; its adapters follow.
    fn take_model(self, model: &ModelView, recipe: &Recipe, keep: bool) {
        if !keep {
            for old in self.loaded.get_untracked().models {
                self.close_model(old.key);
            }
        }
        self.change_loaded(|loaded| loaded.open(model.clone()));
        for note in &model.notes {
            self.complain(note.clone());
        }
        self.recipes.update_value(|recipes| {
            recipes.push(Recipe {
                model: model.key,
                adapters: Vec::new(),
                ..recipe.clone()
            });
        });
        self.say(model.name.clone());
        for (_, adapter) in recipe.adapters.clone() {
            self.add_adapter_to(model.key, adapter);
        }
        self.refresh_store();
    }

    /// Changes what is loaded and lets the columns follow.
    fn change_loaded(self, how: impl FnOnce(&mut Loaded)) {
        let before = self.loaded.get_untracked();
        let mut after = before.clone();
        how(&mut after);
        self.columns
            .update(|columns| columns.follow(&before, &after));
        self.loaded.set(after);
    }
}

/// A model or adapter of the site.
fn listed(name: &str, files: &[SiteFile]) -> Part {
    Part::of(Origin::Listed {
        name: name.to_owned(),
        files: remote_files(files),
    })
}

/// Files of the site, with their addresses.
pub(in crate::page) fn remote_files(files: &[SiteFile]) -> Vec<RemoteFile> {
    let base = document().base_uri().ok().flatten().unwrap_or_default();
    let folder = Site::PATH.rsplit_once('/').map_or("", |(folder, _)| folder);
    let files = files.iter().map(|file| {
        let path = format!("{folder}/{}", encoded(&file.path));
        let url = web_sys::Url::new_with_base(&path, &base);
        RemoteFile {
            name: file.name().to_owned(),
            url: url.map_or(path, |url| url.href()),
            bytes: Some(file.bytes),
            sha256: Some(file.sha256.clone()),
        }
    });
    files.collect()
}

/// A path as it stands in an address.
fn encoded(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| String::from(js_sys::encode_uri_component(part)));
    parts.collect::<Vec<_>>().join("/")
}
