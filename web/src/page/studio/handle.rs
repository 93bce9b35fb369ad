//! The studio's state and what the user can make it do.

use std::collections::BTreeMap;

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{
        ActionView, Change, Changed, ListView, ProjectView, ProjectsView, Query, RecordKey, Sample,
        StudioOutcome, StudioProgress, StudioReply, StudioRequest, Target, TextModelView,
    },
    tab::{Fault, FaultKind, RequestId},
};
use web_sys::{Blob, File};

use crate::{
    browser::storage,
    page::{
        client::{Client, StudioWire},
        handle::App,
    },
    state::studio::{
        draft::{Draft, Unsaved},
        json_text::JsonField,
        leaving::Left,
    },
};

/// The steps of the studio, left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::page) enum Step {
    #[default]
    Import,
    Check,
    Edit,
    Split,
    Export,
}

impl Step {
    pub(in crate::page) const ALL: [Self; 5] = [
        Self::Import,
        Self::Check,
        Self::Edit,
        Self::Split,
        Self::Export,
    ];
}

/// Something that takes a while, and can be cancelled.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::page) struct StudioWork {
    pub(in crate::page) id: RequestId,
    pub(in crate::page) progress: StudioProgress,
    /// `Performance.now()` when it was first heard of, for the time that is left.
    pub(in crate::page) since_ms: f64,
}

/// Something that was done, offered to be taken back for a while.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::page) struct Toast {
    pub(in crate::page) id: u64,
    pub(in crate::page) action: ActionView,
}

/// Everything that the studio's components share. Copies are the same studio.
#[derive(Clone, Copy)]
pub(in crate::page) struct Studio {
    /// Callbacks have no context to ask for it.
    pub(in crate::page) app: App,
    pub(in crate::page) projects: RwSignal<ProjectsView>,
    /// The open project.
    pub(in crate::page) project: RwSignal<Option<ProjectView>>,
    pub(in crate::page) step: RwSignal<Step>,
    pub(in crate::page) query: RwSignal<Query>,
    pub(in crate::page) list: RwSignal<ListView>,
    /// The query whose list the worker has.
    pub(super) listed: StoredValue<Query>,
    /// Whether the worker has a list without records instead, as a search could not be understood.
    pub(super) is_list_void: StoredValue<bool>,
    /// Whether records may have left that list, or come to belong to it, since it was made.
    pub(super) is_list_old: StoredValue<bool>,
    /// Goes up with whatever changed records, so that what shows them asks again.
    pub(in crate::page) version: RwSignal<u64>,
    /// The record at the cursor, which editor and token view show.
    pub(in crate::page) current: RwSignal<Option<RecordKey>>,
    /// What the editor makes of it, as far as it is not stored yet.
    pub(in crate::page) draft: RwSignal<Option<Draft>>,
    /// Whether the next record that is opened gets the keyboard.
    pub(in crate::page) is_written_next: RwSignal<bool>,
    /// Drafts of other records that could not be stored.
    pub(in crate::page) unsaved: RwSignal<Vec<Unsaved>>,
    /// What was sent to be stored and is not answered yet, in that order.
    pub(super) on_way: StoredValue<Vec<Unsaved>>,
    /// What the browser keeps of that until the page is opened next.
    pub(super) left: StoredValue<Left>,
    /// Tools and calls of tools as they were typed, where that cannot be read.
    pub(super) unread: StoredValue<BTreeMap<JsonField, String>>,
    pub(in crate::page) text_model: RwSignal<Option<TextModelView>>,
    pub(in crate::page) work: RwSignal<Vec<StudioWork>>,
    pub(in crate::page) toasts: RwSignal<Vec<Toast>>,
    /// What is done only once at a time, as far as it goes on.
    going_on: StoredValue<Vec<Once>>,
    /// Another tab took the project.
    pub(in crate::page) taken_over: RwSignal<bool>,
    /// Why the worker could not be started.
    pub(super) stopped: RwSignal<Option<Fault>>,
    /// Whether the worker has answered since it was started.
    has_answered: StoredValue<bool>,
    client: StoredValue<Option<Client<StudioWire>>, LocalStorage>,
}

impl Studio {
    /// The studio of this page.
    pub(in crate::page) fn get() -> Self {
        expect_context()
    }

    /// A studio without its worker, which [`Studio::wake`] starts.
    pub(in crate::page) fn provide() -> Self {
        let studio = Self {
            app: App::get(),
            projects: RwSignal::default(),
            project: RwSignal::default(),
            step: RwSignal::default(),
            query: RwSignal::default(),
            list: RwSignal::default(),
            listed: StoredValue::default(),
            is_list_old: StoredValue::default(),
            is_list_void: StoredValue::default(),
            version: RwSignal::default(),
            current: RwSignal::default(),
            draft: RwSignal::default(),
            is_written_next: RwSignal::default(),
            unsaved: RwSignal::default(),
            on_way: StoredValue::default(),
            left: StoredValue::default(),
            unread: StoredValue::default(),
            text_model: RwSignal::default(),
            work: RwSignal::default(),
            going_on: StoredValue::default(),
            toasts: RwSignal::default(),
            taken_over: RwSignal::default(),
            stopped: RwSignal::default(),
            has_answered: StoredValue::default(),
            client: StoredValue::new_local(None),
        };
        provide_context(studio);
        studio.guard();
        studio
    }

    /// Starts the worker when the studio is first looked at.
    pub(in crate::page) fn wake(self) {
        if self.client.with_value(Option::is_some) {
            return;
        }
        self.stopped.set(None);
        self.has_answered.set_value(false);
        match Client::start(move |reply| self.hear_unasked(reply)) {
            Ok(client) => self.client.set_value(Some(client)),
            Err(fault) => self.stopped.set(Some(fault)),
        }
        let started = move |_: &StudioOutcome| self.has_answered.set_value(true);
        self.ask(StudioRequest::Start, &[], started);
    }

    /// Sends a request. Progress and faults are shown, what every outcome means for the whole studio
    /// is taken over, and `then` hears the outcome.
    pub(in crate::page) fn ask(
        self,
        request: StudioRequest,
        files: &[File],
        then: impl FnMut(&StudioOutcome) + 'static,
    ) -> Option<RequestId> {
        let app = self.app;
        self.ask_or(request, files, then, move |fault| {
            // Where another tab has the project, that is said already.
            if !self.taken_over.get_untracked() {
                app.complain(fault.clone());
            }
        })
    }

    /// The same; faults go to `on_fault` alone.
    pub(in crate::page) fn ask_or(
        self,
        request: StudioRequest,
        files: &[File],
        mut then: impl FnMut(&StudioOutcome) + 'static,
        mut on_fault: impl FnMut(&Fault) + 'static,
    ) -> Option<RequestId> {
        let client = self.client.get_value()?;
        let once = once_at_a_time(&request);
        if once.is_some_and(|once| !self.begin_once(once)) {
            return None;
        }
        if is_kept_afterwards(&request) {
            storage::ask_to_persist();
        }
        let query = match &request {
            StudioRequest::Query { query } => Some(query.clone()),
            _ => None,
        };
        if query.is_some() || may_outdate_list(&request) {
            self.is_list_old.set_value(query.is_none());
        }
        let on_reply = move |id, reply: &StudioReply, file: Option<Blob>| match reply {
            StudioReply::Progress(progress) => self.show_progress(id, progress),
            StudioReply::Done(outcome) => {
                self.end_work(id);
                self.end_once(once);
                if let Some(query) = &query {
                    self.listed.set_value(query.clone());
                    self.is_list_void.set_value(false);
                }
                self.take(outcome, file);
                then(outcome);
            }
            StudioReply::Failed(fault) => {
                self.end_work(id);
                self.end_once(once);
                // One that was cancelled for the sake of another one leaves it to that.
                if query.is_some() && fault.kind != FaultKind::Cancelled {
                    self.is_list_old.set_value(true);
                }
                on_fault(fault);
            }
            StudioReply::TakenOver => {}
        };
        Some(client.send(&request, files, on_reply))
    }

    /// Whether it is not going on already.
    fn begin_once(self, once: Once) -> bool {
        let began = self.going_on.try_update_value(|all| {
            let is_new = !all.contains(&once);
            all.extend(is_new.then_some(once));
            is_new
        });
        began.unwrap_or_default()
    }

    fn end_once(self, once: Option<Once>) {
        self.going_on
            .update_value(|all| all.retain(|other| Some(*other) != once));
    }

    pub(in crate::page) fn cancel(self, id: RequestId) {
        if let Some(client) = self.client.get_value() {
            client.cancel(id);
        }
    }

    /// Asks for the list of a query, and shows it.
    pub(in crate::page) fn run_query(self, query: Query) {
        self.query.set(query.clone());
        self.ask(StudioRequest::Query { query }, &[], |_| {});
    }

    pub(in crate::page) fn change(self, target: Target, change: Change) {
        self.ask(StudioRequest::Change { target, change }, &[], |_| {});
    }

    /// Takes back what was done last. What is not stored yet was done after everything that is.
    pub(in crate::page) fn undo(self) {
        self.save_draft();
        self.ask(StudioRequest::Undo, &[], |_| {});
    }

    /// Takes back what was offered to be taken back, if nothing was done since.
    pub(in crate::page) fn undo_action(self, action: u64) {
        self.save_draft();
        self.ask(StudioRequest::UndoAction { action }, &[], |_| {});
    }

    pub(in crate::page) fn redo(self) {
        self.save_draft();
        self.ask(StudioRequest::Redo, &[], |_| {});
    }

    pub(in crate::page) fn download(self) {
        self.ask(StudioRequest::DownloadProject, &[], |_| {});
    }

    /// Takes the project back that another tab took over, and stores what could not be meanwhile.
    pub(in crate::page) fn go_on(self) {
        let Some(id) = self.open_id() else { return };
        let request = StudioRequest::OpenProject {
            id: id.clone(),
            take_over: true,
        };
        let back = move |_: &StudioOutcome| {
            self.taken_over.set(false);
            // The other tab may have changed anything in the meantime.
            self.toasts.set(Vec::new());
            self.current.update(|_| {});
            self.refresh();
            self.save_again();
        };
        self.ask_or(request, &[], back, move |fault| {
            if fault.kind == FaultKind::ProjectMissing {
                self.bury(&id);
            }
            self.app.complain(fault.clone());
        });
    }

    /// What is left of a project that was deleted elsewhere goes from the screen.
    fn bury(self, id: &str) {
        self.draft.set(None);
        self.forget_unsaved(id);
        self.taken_over.set(false);
        self.project.set(None);
        self.ask(StudioRequest::ListProjects, &[], |_| {});
    }

    fn open_id(self) -> Option<String> {
        self.project
            .with_untracked(|open| open.as_ref().map(|open| open.id.clone()))
    }

    pub(in crate::page) fn open_sample(self, sample: Sample) {
        self.ask(StudioRequest::CreateSample { sample }, &[], |_| {});
    }

    pub(in crate::page) fn dismiss_toast(self, id: u64) {
        self.toasts
            .update(|toasts| toasts.retain(|toast| toast.id != id));
    }

    /// What an outcome means for everything that is shown.
    fn take(self, outcome: &StudioOutcome, file: Option<Blob>) {
        match outcome {
            StudioOutcome::Projects(projects) => {
                self.projects.set(projects.clone());
            }
            StudioOutcome::Project(project) => {
                let is_other = self
                    .project
                    .with_untracked(|open| open.as_ref().is_none_or(|open| open.id != project.id));
                self.project.set(Some(project.clone()));
                if is_other {
                    self.enter();
                }
            }
            StudioOutcome::Imported(summary) => {
                self.project.set(Some(summary.project.clone()));
                self.toasts.set(Vec::new());
                self.refresh();
            }
            StudioOutcome::Listed(list) => {
                self.list.set(list.clone());
                self.version.update(|version| *version += 1);
            }
            StudioOutcome::Changed(changed) => self.take_change(changed),
            StudioOutcome::Record(view) => {
                if let Some(project) = &view.project {
                    self.project.set(Some(project.clone()));
                    self.toasts.set(Vec::new());
                    self.version.update(|version| *version += 1);
                }
            }
            StudioOutcome::Split(split) => {
                if let Some(project) = &split.project {
                    self.project.set(Some(project.clone()));
                    self.toasts.set(Vec::new());
                    self.version.update(|version| *version += 1);
                }
            }
            StudioOutcome::TextModel(model) => self.text_model.set(model.clone()),
            StudioOutcome::File { name, .. } => {
                if let Some(file) = file {
                    crate::page::saving::save(&file, name);
                }
            }
            _ => {}
        }
    }

    fn take_change(self, changed: &Changed) {
        self.project.set(Some(changed.project.clone()));
        self.list.set(changed.list.clone());
        self.version.update(|version| *version += 1);
        // Never used twice: what takes one away may come late.
        let id = self.version.get_untracked();
        // Its way back is that of the latest action: an earlier one is not offered any more.
        self.toasts.update(|toasts| {
            toasts.clear();
            let done = changed.action.clone().filter(|action| !action.undone);
            toasts.extend(done.map(|action| Toast { id, action }));
        });
    }

    /// A project was opened: nothing of the one before is shown any more.
    fn enter(self) {
        self.taken_over.set(false);
        self.current.set(None);
        self.toasts.set(Vec::new());
        self.query.set(Query::default());
        self.listed.set_value(Query::default());
        self.is_list_void.set_value(false);
        // Not that of the project before.
        self.list.set(ListView::default());
        let is_empty = self
            .project
            .with_untracked(|open| open.as_ref().is_none_or(|open| open.n_records == 0));
        self.step
            .set(if is_empty { Step::Import } else { Step::Edit });
        self.ask(StudioRequest::TextModel, &[], |_| {});
        if let Some(id) = self.open_id() {
            self.take_from_browser(&id);
            self.save_waiting();
        }
        self.refresh();
    }

    /// Asks for the list again.
    pub(in crate::page) fn refresh(self) {
        self.run_query(self.query.get_untracked());
    }

    fn show_progress(self, id: RequestId, progress: &StudioProgress) {
        let now = window().performance().map_or(0.0, |clock| clock.now());
        self.work.update(|work| {
            let progress = progress.clone();
            match work.iter_mut().find(|work| work.id == id) {
                Some(work) => work.progress = progress,
                None => work.push(StudioWork {
                    id,
                    progress,
                    since_ms: now,
                }),
            }
        });
    }

    fn end_work(self, id: RequestId) {
        self.work.update(|work| work.retain(|work| work.id != id));
    }

    /// Another tab took the project, its files were deleted, or the worker broke.
    fn hear_unasked(self, reply: &StudioReply) {
        match reply {
            StudioReply::TakenOver => {
                self.taken_over.set(true);
                self.wait_to_save();
            }
            StudioReply::Failed(fault) => self.recover(fault.clone()),
            StudioReply::Done(outcome) => self.take(outcome, None),
            StudioReply::Progress(_) => {}
        }
    }

    /// Lets go of a project whose files were deleted, and starts again without it: Chromium clears
    /// what it was told to when nobody holds a file of it any more, and takes what was stored
    /// meanwhile along.
    pub(in crate::page) fn give_up(self) {
        let open = self.project.get_untracked();
        self.end_worker();
        if let Some(open) = open {
            self.forget_unsaved(&open.id);
        }
        self.wake();
    }

    /// Ends the worker, which may still be alive if it broke: only its end gives the project's files
    /// back.
    fn end_worker(self) {
        self.work.set(Vec::new());
        self.going_on.set_value(Vec::new());
        self.taken_over.set(false);
        self.project.set(None);
        if let Some(client) = self.client.get_value() {
            client.end();
        }
        self.client.set_value(None);
        // Nobody will say whether it was stored.
        let on_way = self.on_way.try_update_value(std::mem::take);
        for sent in on_way.unwrap_or_default() {
            self.unsaved.update(|list| sent.join_into(list));
        }
    }

    /// The worker broke. It is started again if it had answered; else it would only break again.
    fn recover(self, mut fault: Fault) {
        self.end_worker();
        // Whatever was under way said the same.
        self.app
            .notices
            .update(|notices| notices.retain(|notice| notice.fault != fault));
        let texts = &self.app.language.get_untracked().studio().frame;
        if self.has_answered.get_value() {
            texts.restarted.clone_into(&mut fault.hint);
            self.app.complain(fault);
            self.wake();
        } else {
            texts.not_started.clone_into(&mut fault.hint);
            self.stopped.set(Some(fault));
        }
    }
}

/// What a second click means no second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Once {
    Adding,
    Downloading,
}

fn once_at_a_time(request: &StudioRequest) -> Option<Once> {
    match request {
        StudioRequest::AddRecord { .. } => Some(Once::Adding),
        StudioRequest::DownloadProject => Some(Once::Downloading),
        _ => None,
    }
}

/// Whether records may come to match the current list, or match it no longer, and the list stays as it
/// is: whoever edits a record is not to lose sight of it.
fn may_outdate_list(request: &StudioRequest) -> bool {
    use StudioRequest as R;
    matches!(
        request,
        R::SaveRecord { .. }
            | R::Check
            | R::ApplySplit { .. }
            | R::UseTextModel { .. }
            | R::UseTextModelAt { .. }
            | R::SetTextOptions { .. }
    )
}

/// Whether the browser holds another project when this is done.
fn is_kept_afterwards(request: &StudioRequest) -> bool {
    matches!(
        request,
        StudioRequest::CreateProject { .. } | StudioRequest::OpenProjectFile { .. }
    )
}
