//! One value from a callback to a future.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
};

struct Slot<T> {
    value: Option<T>,
    waiting: Option<Waker>,
}

/// Gives the value; the device may call it from another thread natively.
pub(super) struct Sender<T>(Arc<Mutex<Slot<T>>>);

impl<T> Sender<T> {
    pub(super) fn send(self, value: T) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.value = Some(value);
        if let Some(waker) = slot.waiting.take() {
            waker.wake();
        }
    }
}

/// A sender, and the future of what it sends.
pub(super) fn signal<T>() -> (Sender<T>, impl Future<Output = T>) {
    let slot = Arc::new(Mutex::new(Slot {
        value: None,
        waiting: None,
    }));
    let sender = Sender(slot.clone());
    let receiver = poll_fn(move |context| {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                slot.waiting = Some(context.waker().clone());
                Poll::Pending
            }
        }
    });
    (sender, receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_arrives_before_or_after_somebody_waits() {
        let (sender, receiver) = signal();
        sender.send(7);
        assert_eq!(pollster::block_on(receiver), 7);

        let (sender, receiver) = signal();
        let thread = std::thread::spawn(move || sender.send(8));
        assert_eq!(pollster::block_on(receiver), 8);
        thread.join().unwrap();
    }
}
