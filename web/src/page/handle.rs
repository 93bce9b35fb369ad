//! The app's state and what the user can make it do. Components read the signals and call the
//! methods; nothing else sends requests.

mod conversing;
mod loading;

use leptos::prelude::*;
use veneer_core::protocol::{
    Site, SiteModel,
    tab::{
        DeviceChoice, DeviceView, Fault, FaultKind, Outcome, Progress, Reply, Request, RequestId,
        StoreView,
    },
};
use web_sys::File;

use super::{
    client::{Client, Engine},
    kept::{self, Theme},
};
use crate::{
    state::{
        chat::Chat,
        columns::{Columns, Loaded},
        place::Place,
        settings::SettingsForm,
    },
    texts::{Language, Texts},
};

pub(super) use loading::{Part, Recipe, remote_files};

/// Whether the site has models of its own.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Offer {
    Looking,
    /// With the reason, where there is a list that cannot be used.
    Missing(Option<String>),
    Found(Site),
}

/// Something that takes a while, and can be cancelled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Work {
    pub(super) id: RequestId,
    pub(super) progress: Option<Progress>,
}

/// A message that stays until it is dismissed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Notice {
    pub(super) id: u64,
    pub(super) fault: Fault,
}

/// Everything that components share. Copies are the same app.
#[derive(Clone, Copy)]
pub(super) struct App {
    /// The part of the app that is looked at; `None` until it is known what the site offers.
    pub(super) place: RwSignal<Option<Place>>,
    pub(super) language: RwSignal<Language>,
    pub(super) theme: RwSignal<Theme>,
    pub(super) device: RwSignal<Option<DeviceView>>,
    pub(super) device_choice: RwSignal<DeviceChoice>,
    pub(super) store: RwSignal<StoreView>,
    pub(super) offer: RwSignal<Offer>,
    pub(super) loaded: RwSignal<Loaded>,
    pub(super) columns: RwSignal<Columns>,
    pub(super) chat: RwSignal<Chat>,
    pub(super) settings: RwSignal<SettingsForm>,
    /// Whether the panel beside the chat makes room for it, where there is little.
    pub(super) panel_folded: RwSignal<bool>,
    pub(super) samples: RwSignal<Vec<String>>,
    pub(super) mark_differences: RwSignal<bool>,
    pub(super) keep_models: RwSignal<bool>,
    pub(super) work: RwSignal<Vec<Work>>,
    pub(super) notices: RwSignal<Vec<Notice>>,
    /// Why the device is gone, until the models are loaded again.
    pub(super) lost: RwSignal<Option<Fault>>,
    /// What a screen reader says next.
    pub(super) spoken: RwSignal<String>,
    pub(super) recipes: StoredValue<Vec<Recipe>, LocalStorage>,
    client: StoredValue<Option<Client<Engine>>, LocalStorage>,
}

impl App {
    /// The app of this page.
    pub(super) fn get() -> Self {
        expect_context()
    }

    /// Starts the worker and looks what the site offers.
    pub(super) fn start() -> Self {
        let app = Self {
            place: RwSignal::new(Place::of_hash(&kept::hash())),
            language: RwSignal::new(kept::language()),
            theme: RwSignal::new(Theme::now()),
            device: RwSignal::new(None),
            device_choice: RwSignal::new(kept::device()),
            store: RwSignal::default(),
            offer: RwSignal::new(Offer::Looking),
            loaded: RwSignal::default(),
            columns: RwSignal::default(),
            chat: RwSignal::default(),
            settings: RwSignal::new(kept::settings()),
            panel_folded: RwSignal::new(false),
            samples: RwSignal::default(),
            mark_differences: RwSignal::new(true),
            keep_models: RwSignal::new(false),
            work: RwSignal::default(),
            notices: RwSignal::default(),
            lost: RwSignal::new(None),
            spoken: RwSignal::default(),
            recipes: StoredValue::new_local(Vec::new()),
            client: StoredValue::new_local(None),
        };
        provide_context(app);
        kept::on_hash_change(move |hash| {
            if let Some(place) = Place::of_hash(hash) {
                app.go(place);
            }
        });
        app.ask_before_leaving();
        leptos::task::spawn_local(app.look_for_offer());
        app
    }

    /// What was said is in this tab alone: leaving the page loses it.
    fn ask_before_leaving(self) {
        // It lives as long as the page.
        let _ = window_event_listener(leptos::ev::beforeunload, move |event| {
            if self.chat.with_untracked(|chat| !chat.turns.is_empty()) {
                event.prevent_default();
            }
        });
    }

    /// Looks at a part of the app from now on.
    pub(super) fn go(self, place: Place) {
        kept::keep_place(place);
        if self.place.get_untracked() != Some(place) {
            self.place.set(Some(place));
        }
    }

    /// Starts the engine's worker when the chat is first looked at.
    pub(super) fn wake(self) {
        if self.client.with_value(Option::is_none) {
            self.start_worker();
        }
    }

    pub(super) fn texts(self) -> &'static Texts {
        self.language.get().texts()
    }

    /// Sends a request. Faults are shown; `on_done` hears the outcome.
    pub(super) fn request(
        self,
        request: Request,
        files: &[File],
        mut on_done: impl FnMut(&Outcome) + 'static,
    ) {
        self.send(request, files, move |id, reply| match reply {
            Reply::Progress(progress) => self.show_progress(id, progress),
            Reply::Done(outcome) => {
                self.end_work(id);
                on_done(outcome);
            }
            Reply::Failed(fault) => {
                self.end_work(id);
                self.complain(fault.clone());
            }
            Reply::Piece(_) | Reply::DeviceLost(_) => {}
        });
    }

    /// Sends a request whose replies go to `on_reply` alone.
    pub(super) fn send(
        self,
        request: Request,
        files: &[File],
        mut on_reply: impl FnMut(RequestId, &Reply) + 'static,
    ) -> Option<RequestId> {
        let client = self.client.get_value()?;
        Some(client.send(&request, files, move |id, reply, _| on_reply(id, reply)))
    }

    pub(super) fn cancel(self, id: RequestId) {
        if let Some(client) = self.client.get_value() {
            client.cancel(id);
        }
    }

    /// Starts a worker in the place of the one before, and has it open device and store.
    fn start_worker(self) {
        if let Some(old) = self.client.get_value() {
            old.end();
        }
        match Client::start(move |reply| self.hear_unasked(reply)) {
            Ok(client) => self.client.set_value(Some(client)),
            Err(fault) => self.complain(fault),
        }
        let request = Request::Start {
            device: self.device_choice.get_untracked(),
        };
        self.request(request, &[], move |outcome| {
            if let Outcome::Started { device, store } = outcome {
                self.device.set(Some(device.clone()));
                self.store.set(store.clone());
            }
        });
    }

    /// Computes elsewhere from now on: everything that is loaded is loaded again there.
    pub(super) fn compute_on(self, choice: DeviceChoice) {
        kept::keep_device(choice);
        self.device_choice.set(choice);
        self.reload();
    }

    /// Asks about the store and about an entry in it.
    pub(super) fn ask_store(self, request: Request, on_checked: impl Fn(&[String]) + 'static) {
        self.request(request, &[], move |outcome| match outcome {
            Outcome::Store(store) => self.store.set(store.clone()),
            Outcome::Checked { damaged, .. } => on_checked(damaged),
            _ => {}
        });
    }

    pub(super) fn refresh_store(self) {
        self.ask_store(Request::ListStore, |_| {});
    }

    /// Shows a fault until it is dismissed. What was cancelled is what somebody wanted.
    pub(super) fn complain(self, fault: Fault) {
        if fault.kind == FaultKind::Cancelled {
            return;
        }
        self.notices.update(|notices| {
            let id = notices.last().map_or(1, |last| last.id + 1);
            notices.retain(|notice| notice.fault != fault);
            notices.push(Notice { id, fault });
        });
    }

    pub(super) fn dismiss(self, id: u64) {
        self.notices
            .update(|notices| notices.retain(|notice| notice.id != id));
    }

    /// Has a screen reader say something, also where it said the same last: only what changes is read.
    pub(super) fn say(self, text: impl Into<String>) {
        let mut text = text.into();
        if self.spoken.with_untracked(|before| *before == text) {
            text.push('\u{a0}');
        }
        self.spoken.set(text);
    }

    fn show_progress(self, id: RequestId, progress: &Progress) {
        self.work.update(|work| {
            let progress = Some(progress.clone());
            match work.iter_mut().find(|work| work.id == id) {
                Some(work) => work.progress = progress,
                None => work.push(Work { id, progress }),
            }
        });
    }

    fn end_work(self, id: RequestId) {
        self.work.update(|work| work.retain(|work| work.id != id));
    }

    /// The device is gone, or the worker stopped.
    fn hear_unasked(self, reply: &Reply) {
        let (Reply::DeviceLost(fault) | Reply::Failed(fault)) = reply else {
            return;
        };
        self.chat.update(|chat| chat.interrupt(fault));
        self.work.set(Vec::new());
        self.lost.set(Some(fault.clone()));
        self.loaded.set(Loaded::default());
    }

    /// Reads the list beside the page. A site without one serves the app alone.
    async fn look_for_offer(self) {
        let offer = match fetch_text(Site::PATH).await {
            None => Offer::Missing(None),
            Some(text) => match Site::from_json(&text) {
                Ok(site) => Offer::Found(site),
                Err(error) => Offer::Missing(Some(error.to_string())),
            },
        };
        let has_model = first_model(&offer).is_some();
        self.offer.set(offer);
        if self.place.get_untracked().is_none() {
            let kept = kept::place();
            let first = Place::first(&kept::hash(), kept.as_deref(), has_model);
            self.place.set(Some(first));
        }
    }
}

/// A file of this site; `None` where there is none.
async fn fetch_text(path: &str) -> Option<String> {
    use wasm_bindgen::JsCast;
    use wasm_bindgen_futures::JsFuture;
    let response = JsFuture::from(window().fetch_with_str(path)).await.ok()?;
    let response: web_sys::Response = response.unchecked_into();
    // Hosts of single-page apps answer every address with their page.
    let is_page = response.headers().get("content-type").ok().flatten();
    let is_page = is_page.is_some_and(|kind| kind.starts_with("text/html"));
    if !response.ok() || is_page {
        return None;
    }
    JsFuture::from(response.text().ok()?)
        .await
        .ok()?
        .as_string()
}

/// What the site offers at the first place.
pub(super) fn first_model(offer: &Offer) -> Option<SiteModel> {
    match offer {
        Offer::Found(site) => site.models.first().cloned(),
        Offer::Looking | Offer::Missing(_) => None,
    }
}
