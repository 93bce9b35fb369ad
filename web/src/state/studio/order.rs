//! Which request of the page the studio's worker answers next.
//!
//! One after the other, but what only looks is answered between the steps of what takes long, so
//! that the page stays alive while 100 000 records are added, and single records can be edited while
//! they are added or checked. What else changes something waits its turn.

use std::collections::VecDeque;

use veneer_core::protocol::{
    studio::{StudioRequest, Target, ToStudio},
    tab::RequestId,
};

use crate::state::lanes::Cancelled;

/// How a request gets along with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Needs no project: is answered beside everything else.
    Apart,
    /// Reads the project in a few milliseconds.
    Glance,
    /// A glance at the current list, which is not cut from while another list is on its way.
    ListGlance,
    /// Makes the current list, in steps.
    Search,
    /// Changes a single record, or takes back what was done.
    Edit,
    /// Takes its turn; in between its steps searches are possible as well as glances.
    LongTurn,
    /// A long turn that does not mind if records become other ones between its steps.
    SharedTurn,
    /// Takes its turn; only glances come between its steps.
    Turn,
}

impl Manner {
    /// `None` is what is done at once and has no reply.
    pub fn of(request: &StudioRequest) -> Option<Self> {
        use StudioRequest as R;
        Some(match request {
            R::Cancel { .. } => return None,
            R::ListProjects => Self::Apart,
            R::Window { .. } => Self::ListGlance,
            R::Facets
            | R::TrashFacets
            | R::Record { .. }
            | R::History { .. }
            | R::ListSnapshots
            | R::CompareSnapshots { .. }
            | R::TextModel
            | R::Tokens { .. }
            | R::Findings
            | R::Groups { .. }
            | R::PreviewSplit { .. }
            | R::Split => Self::Glance,
            R::Query { .. } => Self::Search,
            R::SaveRecord { .. }
            | R::AddRecord { .. }
            | R::Undo
            | R::UndoAction { .. }
            | R::Redo => Self::Edit,
            // These work through the project without looking at the current list. What is imported
            // is nobody's until it is whole, and checks look at texts, which never change. A copy of
            // the file has to be of one moment.
            R::Import { .. } | R::Check => Self::SharedTurn,
            R::DownloadProject => Self::LongTurn,
            R::Start
            | R::CreateProject { .. }
            | R::CreateSample { .. }
            | R::OpenProject { .. }
            | R::OpenProjectFile { .. }
            | R::RenameProject { .. }
            | R::CloseProject
            | R::DeleteProject { .. }
            | R::Inspect { .. }
            | R::Preview { .. }
            | R::ForgetInspected
            | R::Change { .. }
            | R::PreviewReplace { .. }
            | R::EmptyTrash
            | R::TakeSnapshot { .. }
            | R::DeleteSnapshot { .. }
            | R::RestoreSnapshot { .. }
            | R::UseTextModel { .. }
            | R::UseTextModelAt { .. }
            | R::SetTextOptions { .. }
            | R::Fix { .. }
            | R::ApplySplit { .. }
            | R::DescribeSource { .. }
            | R::FreezeSplit { .. }
            | R::PlanExport { .. }
            | R::Export { .. }
            | R::Remember { .. } => Self::Turn,
        })
    }

    /// Whether records may be other ones afterwards, or the project itself.
    pub fn may_change(self) -> bool {
        matches!(
            self,
            Self::Edit | Self::LongTurn | Self::SharedTurn | Self::Turn
        )
    }
}

/// Whether it goes to all of the list that is current when it is asked for: none may be made before.
fn means_list(request: &StudioRequest) -> bool {
    use StudioRequest as R;
    match request {
        R::Change { target, .. } => matches!(target, Target::List { .. }),
        R::Export { export } => export.list_only,
        _ => false,
    }
}

/// A request with what travels beside it.
#[derive(Debug)]
pub struct Entry<T> {
    pub message: ToStudio,
    pub manner: Manner,
    pub beside: T,
}

/// Waiting requests, and those that have begun.
#[derive(Debug)]
pub struct Order<T> {
    waiting: VecDeque<Entry<T>>,
    /// Each began between steps of the one before it.
    running: Vec<(RequestId, Manner)>,
    /// Beside everything else.
    apart: Vec<RequestId>,
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            running: Vec::new(),
            apart: Vec::new(),
        }
    }
}

impl<T> Order<T> {
    pub fn push(&mut self, message: ToStudio, manner: Manner, beside: T) {
        self.waiting.push_back(Entry {
            message,
            manner,
            beside,
        });
    }

    /// The next request that may begin now, beside whatever runs.
    pub fn begin_next(&mut self) -> Option<Entry<T>> {
        let index = match self.running.last() {
            None => 0,
            Some((_, running)) => self.beside(*running)?,
        };
        let entry = self.waiting.remove(index)?;
        self.running.push((entry.message.id, entry.manner));
        Some(entry)
    }

    /// The next request that needs nothing that others need.
    pub fn begin_apart(&mut self) -> Option<Entry<T>> {
        let mut entries = self.waiting.iter();
        let index = entries.position(|entry| entry.manner == Manner::Apart)?;
        let entry = self.waiting.remove(index)?;
        self.apart.push(entry.message.id);
        Some(entry)
    }

    pub fn finish(&mut self, id: RequestId) {
        self.running.retain(|(running, _)| *running != id);
        self.apart.retain(|apart| *apart != id);
    }

    /// Whether nobody waits for anything.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// The user does not want the answer any more.
    pub fn cancel(&mut self, id: RequestId) -> Cancelled {
        let runs = self.running.iter().any(|(running, _)| *running == id);
        if runs || self.apart.contains(&id) {
            return Cancelled::Running;
        }
        let before = self.waiting.len();
        self.waiting.retain(|entry| entry.message.id != id);
        match self.waiting.len() < before {
            true => Cancelled::Waiting,
            false => Cancelled::Unknown,
        }
    }

    /// The first that gets along with what runs.
    fn beside(&self, running: Manner) -> Option<usize> {
        let (mut list_is_old, mut turn_waits) = (running == Manner::Search, false);
        let mut list_is_meant = false;
        for (index, entry) in self.waiting.iter().enumerate() {
            let fits = match entry.manner {
                Manner::Glance => true,
                Manner::ListGlance => !list_is_old,
                Manner::Search => {
                    matches!(running, Manner::LongTurn | Manner::SharedTurn) && !list_is_meant
                }
                // In the order in which the user did things.
                Manner::Edit => running == Manner::SharedTurn && !turn_waits,
                Manner::Apart | Manner::LongTurn | Manner::SharedTurn | Manner::Turn => false,
            };
            if fits {
                return Some(index);
            }
            list_is_old |= entry.manner == Manner::Search;
            turn_waits |= !fits && entry.manner.may_change();
            list_is_meant |= means_list(&entry.message.request);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veneer_core::protocol::studio::{Change, Query, RecordKey};

    fn order(requests: Vec<StudioRequest>) -> Order<()> {
        let mut order = Order::default();
        for (index, request) in requests.into_iter().enumerate() {
            let manner = Manner::of(&request).unwrap();
            let id = RequestId(index as u64 + 1);
            order.push(ToStudio { id, request }, manner, ());
        }
        order
    }

    fn begun(order: &mut Order<()>) -> Option<u64> {
        order.begin_next().map(|entry| entry.message.id.0)
    }

    fn record() -> StudioRequest {
        let record = RecordKey(1);
        StudioRequest::Record { record }
    }

    fn import() -> StudioRequest {
        StudioRequest::Import { parts: Vec::new() }
    }

    fn query() -> StudioRequest {
        let query = Query::default();
        StudioRequest::Query { query }
    }

    fn window() -> StudioRequest {
        StudioRequest::Window { from: 0, n: 1 }
    }

    #[test]
    fn what_changes_something_waits_its_turn() {
        let mut order = order(vec![import(), StudioRequest::EmptyTrash, record()]);
        assert_eq!(begun(&mut order), Some(1));
        assert_eq!(begun(&mut order), Some(3), "a glance does not wait");
        order.finish(RequestId(3));
        assert_eq!(begun(&mut order), None);
        order.finish(RequestId(1));
        assert_eq!(begun(&mut order), Some(2));
        assert!(!order.is_idle());
        order.finish(RequestId(2));
        assert!(order.is_idle());
    }

    #[test]
    fn records_are_edited_while_others_are_added_but_not_while_the_file_is_copied() {
        let mut while_importing = order(vec![import(), StudioRequest::Undo, StudioRequest::Redo]);
        begun(&mut while_importing);
        assert_eq!(begun(&mut while_importing), Some(2));
        assert_eq!(begun(&mut while_importing), None, "one edit at a time");
        while_importing.finish(RequestId(2));
        assert_eq!(begun(&mut while_importing), Some(3));
        let mut while_copying = order(vec![StudioRequest::DownloadProject, StudioRequest::Undo]);
        begun(&mut while_copying);
        assert_eq!(begun(&mut while_copying), None);
    }

    #[test]
    fn an_edit_does_not_overtake_another_change() {
        let mut order = order(vec![
            import(),
            StudioRequest::EmptyTrash,
            StudioRequest::Undo,
        ]);
        begun(&mut order);
        assert_eq!(begun(&mut order), None);
    }

    #[test]
    fn searches_come_between_the_steps_of_an_import_but_not_of_a_change() {
        let mut while_importing = order(vec![import(), query()]);
        begun(&mut while_importing);
        assert_eq!(begun(&mut while_importing), Some(2));
        let mut while_undoing = order(vec![StudioRequest::Undo, query(), record()]);
        begun(&mut while_undoing);
        assert_eq!(begun(&mut while_undoing), Some(3));
        assert_eq!(begun(&mut while_undoing), None);
    }

    #[test]
    fn a_search_does_not_overtake_a_change_of_the_whole_list() {
        let tag = |target| StudioRequest::Change {
            target,
            change: Change::AddTag("t".into()),
        };
        let list = tag(Target::List { except: Vec::new() });
        let mut of_list = order(vec![StudioRequest::Check, list, query(), record()]);
        begun(&mut of_list);
        assert_eq!(begun(&mut of_list), Some(4));
        assert_eq!(begun(&mut of_list), None);
        let one = tag(Target::Records(vec![RecordKey(1)]));
        let mut of_one = order(vec![StudioRequest::Check, one, query()]);
        begun(&mut of_one);
        assert_eq!(begun(&mut of_one), Some(3));
    }

    #[test]
    fn rows_are_not_cut_from_a_list_that_is_being_replaced() {
        let mut order = order(vec![import(), query(), window(), record()]);
        begun(&mut order);
        assert_eq!(begun(&mut order), Some(2));
        assert_eq!(begun(&mut order), Some(4));
        order.finish(RequestId(4));
        assert_eq!(begun(&mut order), None);
        order.finish(RequestId(2));
        assert_eq!(begun(&mut order), Some(3));
    }

    #[test]
    fn rows_do_not_overtake_a_search_that_waits() {
        let mut order = order(vec![StudioRequest::Undo, query(), window()]);
        begun(&mut order);
        assert_eq!(begun(&mut order), None);
    }

    #[test]
    fn a_waiting_request_disappears_and_a_running_one_is_told() {
        let mut order = order(vec![import(), StudioRequest::EmptyTrash]);
        begun(&mut order);
        assert_eq!(order.cancel(RequestId(1)), Cancelled::Running);
        assert_eq!(order.cancel(RequestId(2)), Cancelled::Waiting);
        assert_eq!(order.cancel(RequestId(2)), Cancelled::Unknown);
    }

    #[test]
    fn the_list_of_projects_waits_for_nobody() {
        let mut order = order(vec![import(), StudioRequest::ListProjects]);
        begun(&mut order);
        let apart = order.begin_apart().unwrap();
        assert_eq!(apart.message.id, RequestId(2));
        assert_eq!(order.cancel(RequestId(2)), Cancelled::Running);
        order.finish(RequestId(2));
        assert!(order.begin_apart().is_none());
    }
}
