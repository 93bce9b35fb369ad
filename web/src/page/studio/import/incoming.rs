//! Files on their way in, for everything that shows or feeds them.

use js_sys::Array;
use leptos::prelude::*;
use veneer_core::protocol::studio::{
    ImportSummary, PartKey, PartKind, StudioOutcome, StudioRequest,
};
use wasm_bindgen::JsValue;
use web_sys::{DragEvent, File};

use crate::{
    page::{
        focus,
        picked::{self, Picked},
        studio::handle::{Step, Studio},
    },
    state::studio::importing::{self, Choice, Importing},
};

/// Copies are the same.
#[derive(Clone, Copy)]
pub(in crate::page::studio) struct Incoming {
    studio: Studio,
    pub(super) parts: RwSignal<Importing>,
    pub(super) looking: RwSignal<bool>,
    pub(super) importing: RwSignal<bool>,
    /// Whether an import begins once its fields fit.
    waits: StoredValue<bool>,
    pub(super) summary: RwSignal<Option<ImportSummary>>,
    /// Whether the box for pasted text is open, and what stands in it until it is used.
    pub(super) pasting: RwSignal<bool>,
    pub(super) pasted: RwSignal<String>,
}

impl Incoming {
    /// For as long as the page lives: whoever looks at something else finds the chosen files again.
    pub(in crate::page::studio) fn provide() {
        let studio = Studio::get();
        let incoming = Self {
            studio,
            parts: RwSignal::default(),
            looking: RwSignal::new(false),
            importing: RwSignal::new(false),
            waits: StoredValue::new(false),
            summary: RwSignal::new(None),
            pasting: RwSignal::new(false),
            pasted: RwSignal::default(),
        };
        provide_context(incoming);
        // Another project has nothing to do with files looked at for the one before.
        let open = Memo::new(move |_| {
            studio
                .project
                .with(|open| open.as_ref().map(|open| open.id.clone()))
        });
        Effect::new(move || {
            open.read();
            incoming.parts.set(Importing::default());
            incoming.summary.set(None);
        });
    }

    pub(in crate::page::studio) fn get() -> Self {
        expect_context()
    }

    pub(super) fn keys(self) -> Vec<PartKey> {
        self.parts.with(|parts| {
            parts
                .choices
                .iter()
                .map(|choice| choice.view.part)
                .collect()
        })
    }

    /// Something was dropped anywhere on the studio.
    pub(in crate::page::studio) fn take_dropped(self, event: &DragEvent) {
        let Some(transfer) = event.data_transfer() else {
            return;
        };
        let entries = picked::entries_of(&transfer);
        leptos::task::spawn_local(async move {
            let mut all = Picked::default();
            for group in picked::of_entries(entries).await {
                all.names.extend(group.names);
                all.files.extend(group.files);
            }
            let studio = self.studio;
            if let Some(name) = project_file(&all) {
                let request = StudioRequest::OpenProjectFile { name };
                studio.ask(request, &all.files[..1], |_| {});
                return;
            }
            if studio.project.with_untracked(Option::is_some) {
                studio.step.set(Step::Import);
                self.inspect(all);
                return;
            }
            // Dropped without a project: they begin one, named after the first of them.
            let first = all.names.first().cloned().unwrap_or_default();
            let name = first.rsplit('/').next().unwrap_or_default();
            let name = name.split('.').next().unwrap_or_default().to_owned();
            let request = StudioRequest::CreateProject { name };
            studio.ask(request, &[], move |_| self.inspect(all.clone()));
        });
    }

    pub(super) fn inspect(self, picked: Picked) {
        if picked.files.is_empty() {
            return;
        }
        self.summary.set(None);
        self.looking.set(true);
        let request = StudioRequest::Inspect {
            names: picked.names,
            language: self.studio.app.language.get_untracked().tag().to_owned(),
        };
        self.studio.ask_or(
            request,
            &picked.files,
            move |outcome| {
                self.looking.set(false);
                if let StudioOutcome::Inspected(found) = outcome {
                    self.parts.update(|parts| parts.found(found.clone()));
                    let app = self.studio.app;
                    app.say(importing::told(found, app.language.get_untracked()));
                    let readable = found
                        .iter()
                        .filter(|part| part.kind != PartKind::Unreadable);
                    for part in readable {
                        self.preview(part.part);
                    }
                }
            },
            move |fault| {
                self.looking.set(false);
                self.studio.app.complain(fault.clone());
            },
        );
    }

    /// Text that was pasted is a file like any other.
    pub(super) fn inspect_text(self, text: &str) {
        let parts = Array::of1(&JsValue::from_str(text));
        let file = File::new_with_str_sequence(&parts, "pasted.txt");
        if let (Ok(file), false) = (file, text.trim().is_empty()) {
            self.inspect(Picked {
                names: vec!["pasted.txt".to_owned()],
                files: vec![file],
            });
        }
    }

    /// Changes how a part is read, and looks at what comes of it.
    pub(super) fn decide(self, part: PartKey, decide: impl FnOnce(&mut Choice)) {
        self.parts.update(|parts| {
            if let Some(choice) = parts.choice_mut(part) {
                decide(choice);
            }
        });
        self.preview(part);
    }

    pub(super) fn preview(self, part: PartKey) {
        let readings = self.parts.with_untracked(|parts| {
            let choice = parts.choice(part)?;
            Some((choice.reading.clone(), choice.settled.clone()))
        });
        let Some((reading, before)) = readings else {
            return;
        };
        let request = StudioRequest::Preview {
            part,
            reading: reading.clone(),
            before,
        };
        self.studio.ask_or(
            request,
            &[],
            move |outcome| {
                if let StudioOutcome::Previewed(preview) = outcome {
                    self.parts
                        .update(|parts| parts.show_preview(part, &reading, preview));
                    if self.waits.get_value() {
                        self.begin();
                    }
                }
            },
            move |fault| {
                if self.waits.get_value() {
                    self.waits.set_value(false);
                    self.importing.set(false);
                }
                self.studio.app.complain(fault.clone());
            },
        );
    }

    pub(super) fn import(self) {
        if !self.importing.get_untracked() {
            self.importing.set(true);
            self.begin();
        }
    }

    /// Imports what is chosen, once its fields are those of its columns.
    fn begin(self) {
        let waits = self.parts.with_untracked(Importing::is_unsettled);
        self.waits.set_value(waits);
        if waits {
            return;
        }
        let parts = self.parts.with_untracked(Importing::included);
        self.studio.ask_or(
            StudioRequest::Import { parts },
            &[],
            move |outcome| {
                self.importing.set(false);
                if let StudioOutcome::Imported(summary) = outcome {
                    self.summary.set(Some(summary.clone()));
                    self.forget();
                    focus::keep(&["[data-testid=import-go-check]"]);
                }
            },
            move |fault| {
                self.importing.set(false);
                focus::keep(&["[data-testid=import-go]"]);
                self.studio.app.complain(fault.clone());
            },
        );
    }

    pub(super) fn forget(self) {
        self.parts.set(Importing::default());
        self.studio.ask(StudioRequest::ForgetInspected, &[], |_| {});
    }
}

/// A single file that says by its name that it is a project.
fn project_file(picked: &Picked) -> Option<String> {
    let [name] = picked.names.as_slice() else {
        return None;
    };
    name.to_ascii_lowercase()
        .ends_with(".veneer")
        .then(|| name.clone())
}
