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
    ctrlc::set_handler(move || drop(sender.send(())))?;
    Ok(receiver.recv()?)
}
