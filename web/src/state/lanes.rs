//! Which request of the page runs next in the worker.
//!
//! Work on the device is done one request after the other; looking at the store does not wait for it.
//! A request can be cancelled while it waits and while it runs.

use std::collections::VecDeque;

use veneer_core::protocol::tab::{Request, RequestId, ToWorker};

/// Requests with the same lane wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Device,
    Store,
}

impl Lane {
    /// The lane of a request; `None` for what is done at once.
    pub fn of(request: &Request) -> Option<Self> {
        match request {
            Request::Start { .. }
            | Request::OpenModel { .. }
            | Request::CloseModel { .. }
            | Request::AddAdapter { .. }
            | Request::RemoveAdapter { .. }
            | Request::Answer { .. }
            | Request::Continue { .. } => Some(Self::Device),
            Request::ListStore
            | Request::VerifyStored { .. }
            | Request::RepairStored { .. }
            | Request::DeleteStored { .. } => Some(Self::Store),
            Request::Cancel { .. } => None,
        }
    }
}

/// What to do about a cancelled request.
#[derive(Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not begun: it ends here.
    Waiting,
    /// It ends itself after its current step.
    Running,
    /// It is over already.
    Unknown,
}

/// Waiting and running requests with what travels beside them.
#[derive(Debug)]
pub struct Lanes<T> {
    device: Queue<T>,
    store: Queue<T>,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: VecDeque<(ToWorker, T)>,
    running: Option<RequestId>,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        let empty = || Queue {
            waiting: VecDeque::new(),
            running: None,
        };
        Self {
            device: empty(),
            store: empty(),
        }
    }
}

impl<T> Lanes<T> {
    pub fn push(&mut self, lane: Lane, message: ToWorker, beside: T) {
        self.queue(lane).waiting.push_back((message, beside));
    }

    /// The next request of a lane, unless one of it runs.
    pub fn start_next(&mut self, lane: Lane) -> Option<(ToWorker, T)> {
        let queue = self.queue(lane);
        if queue.running.is_some() {
            return None;
        }
        let next = queue.waiting.pop_front()?;
        queue.running = Some(next.0.id);
        Some(next)
    }

    /// The running request of a lane is over.
    pub fn finish(&mut self, lane: Lane) {
        self.queue(lane).running = None;
    }

    /// The user does not want the answer any more.
    pub fn cancel(&mut self, id: RequestId) -> Cancelled {
        for queue in [&mut self.device, &mut self.store] {
            if queue.running == Some(id) {
                return Cancelled::Running;
            }
            let before = queue.waiting.len();
            queue.waiting.retain(|(message, _)| message.id != id);
            if queue.waiting.len() < before {
                return Cancelled::Waiting;
            }
        }
        Cancelled::Unknown
    }

    fn queue(&mut self, lane: Lane) -> &mut Queue<T> {
        match lane {
            Lane::Device => &mut self.device,
            Lane::Store => &mut self.store,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veneer_core::protocol::tab::ModelKey;

    fn close(id: u64) -> ToWorker {
        ToWorker {
            id: RequestId(id),
            request: Request::CloseModel { model: ModelKey(0) },
        }
    }

    #[test]
    fn one_after_the_other() {
        let mut lanes = Lanes::default();
        lanes.push(Lane::Device, close(1), ());
        lanes.push(Lane::Device, close(2), ());
        assert_eq!(lanes.start_next(Lane::Device).unwrap().0.id, RequestId(1));
        assert!(lanes.start_next(Lane::Device).is_none());
        lanes.finish(Lane::Device);
        assert_eq!(lanes.start_next(Lane::Device).unwrap().0.id, RequestId(2));
    }

    #[test]
    fn lanes_do_not_wait_for_each_other() {
        let mut lanes = Lanes::default();
        lanes.push(Lane::Device, close(1), ());
        lanes.push(Lane::Store, close(2), ());
        assert!(lanes.start_next(Lane::Device).is_some());
        assert!(lanes.start_next(Lane::Store).is_some());
    }

    #[test]
    fn a_waiting_request_disappears_and_a_running_one_is_told() {
        let mut lanes = Lanes::default();
        lanes.push(Lane::Device, close(1), ());
        lanes.push(Lane::Device, close(2), ());
        lanes.start_next(Lane::Device);
        assert_eq!(lanes.cancel(RequestId(2)), Cancelled::Waiting);
        assert_eq!(lanes.cancel(RequestId(1)), Cancelled::Running);
        lanes.finish(Lane::Device);
        assert_eq!(lanes.cancel(RequestId(1)), Cancelled::Unknown);
        assert!(lanes.start_next(Lane::Device).is_none());
    }
}
