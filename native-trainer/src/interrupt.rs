//! Ctrl-C asks to stop; a second one ends the process at once.

use std::sync::{
    Once,
    atomic::{AtomicBool, Ordering},
};

static ASKED: AtomicBool = AtomicBool::new(false);
static INSTALLED: Once = Once::new();

/// From now on Ctrl-C (and a polite kill) sets the flag that [`asked`] reads.
pub(crate) fn listen() {
    INSTALLED.call_once(|| {
        let installed = ctrlc::set_handler(|| {
            if ASKED.swap(true, Ordering::SeqCst) {
                std::process::exit(1);
            }
            eprintln!("\nstopping after this step; press Ctrl-C again to end at once");
        });
        if let Err(error) = installed {
            eprintln!("note: Ctrl-C will end at once, without saving ({error})");
        }
    });
}

pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// Waits for Ctrl-C or a polite kill. For commands that go on until then.
pub(crate) fn wait() -> anyhow::Result<()> {
    let (sender, receiver) = std::sync::mpsc::channel();
    // The receiver is there until the first one came; a later one has nothing left to stop.
    ctrlc::set_handler(move || {
        sender.send(()).ok();
    })?;
    Ok(receiver.recv()?)
}

static ANSWERING: AtomicBool = AtomicBool::new(false);

/// For conversations: Ctrl-C stops an answer, and leaves where it comes twice without one between.
pub(crate) fn listen_in_chat() {
    INSTALLED.call_once(|| {
        let installed = ctrlc::set_handler(|| {
            if ASKED.swap(true, Ordering::SeqCst) {
                println!();
                std::process::exit(0);
            }
            if !ANSWERING.load(Ordering::SeqCst) {
                eprint!("\n(Ctrl-C again leaves) ");
            }
        });
        if let Err(error) = installed {
            eprintln!("note: Ctrl-C will end at once ({error})");
        }
    });
}

/// While `answer` runs, Ctrl-C sets the flag that [`asked`] reads.
pub(crate) fn during_answer<T>(answer: impl FnOnce() -> T) -> T {
    ASKED.store(false, Ordering::SeqCst);
    ANSWERING.store(true, Ordering::SeqCst);
    let answered = answer();
    ANSWERING.store(false, Ordering::SeqCst);
    answered
}
