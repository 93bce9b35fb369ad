//! What Ctrl-C (and a polite kill) means to the command that runs.
//!
//! It ends the process at once, and files that do not have their name yet go with it; commands that
//! have something to finish ask for another meaning. A second Ctrl-C always ends the process at once.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    },
};

use anyhow::{Result, bail};
use tempfile::{NamedTempFile, TempDir};

static ASKED: AtomicBool = AtomicBool::new(false);
static INSTALLED: Once = Once::new();

static STATE: Mutex<State> = Mutex::new(State {
    meaning: Meaning::End,
    unfinished: Vec::new(),
});

struct State {
    meaning: Meaning,
    /// Later ones lie in earlier ones.
    unfinished: Vec<OnItsWay>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum OnItsWay {
    File(PathBuf),
    /// Made for what lies in it, or will; goes if it is empty by then.
    Around(PathBuf),
    /// Temporary with all that is in it.
    Folder(PathBuf),
}

/// What the next Ctrl-C does.
enum Meaning {
    End,
    /// Sets the flag that [`asked`] reads.
    Ask,
    /// Stops an answer, and leaves where it comes twice without one between.
    Chat,
    /// Wakes whoever waits for it.
    Wake(Sender<()>),
}

/// From now on Ctrl-C sets the flag that [`asked`] reads.
pub(crate) fn listen() {
    mean(Meaning::Ask);
}

/// For conversations: Ctrl-C stops an answer, and leaves where it comes twice without one between.
pub(crate) fn listen_in_chat() {
    mean(Meaning::Chat);
}

pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// From now on Ctrl-C ends the process at once again, and takes along what is not finished.
///
/// # Errors
/// If it came already, and nothing has ended for it.
pub(crate) fn end_at_once() -> Result<()> {
    state().meaning = Meaning::End;
    if asked() {
        bail!(STOPPED);
    }
    Ok(())
}

/// Waits for Ctrl-C or a polite kill. For commands that go on until then.
pub(crate) fn wait() -> Result<()> {
    let (sender, receiver) = channel();
    install();
    state().meaning = Meaning::Wake(sender);
    Ok(receiver.recv()?)
}

/// What is said where a command ends early and leaves nothing.
pub(crate) const STOPPED: &str = "stopped; nothing of it was kept";

/// A file or a folder on its way, which goes away where Ctrl-C ends the process.
pub(crate) struct Unfinished(OnItsWay);

impl Unfinished {
    /// A temporary file that is taken along from its first moment on: Ctrl-C waits while it is made.
    pub(crate) fn file(
        make: impl FnOnce() -> io::Result<NamedTempFile>,
    ) -> io::Result<(NamedTempFile, Self)> {
        Self::made(make, |file| OnItsWay::File(file.path().to_owned()))
    }

    /// As [`Self::file`], for a temporary folder with all that comes into it.
    pub(crate) fn folder(
        make: impl FnOnce() -> io::Result<TempDir>,
    ) -> io::Result<(TempDir, Self)> {
        Self::made(make, |folder| OnItsWay::Folder(folder.path().to_owned()))
    }

    fn made<T>(
        make: impl FnOnce() -> io::Result<T>,
        what: impl FnOnce(&T) -> OnItsWay,
    ) -> io::Result<(T, Self)> {
        install();
        let mut state = state();
        let made = make()?;
        let what = what(&made);
        state.unfinished.push(what.clone());
        Ok((made, Self(what)))
    }

    /// A folder that was made for something in it: it goes if it is empty by then.
    pub(crate) fn around(folder: &Path) -> Self {
        install();
        let what = OnItsWay::Around(folder.to_owned());
        state().unfinished.push(what.clone());
        Self(what)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let unfinished = &mut state().unfinished;
        if let Some(place) = unfinished.iter().rposition(|what| *what == self.0) {
            unfinished.remove(place);
        }
    }
}

/// Files get their names all at once as far as Ctrl-C is concerned: it waits for `name`, which must
/// neither begin nor drop anything [`Unfinished`].
pub(crate) fn undisturbed<T>(name: impl FnOnce() -> T) -> T {
    let _state = state();
    name()
}

fn state() -> MutexGuard<'static, State> {
    // What a panic left is as good as before: each change is one assignment.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first that has something to finish says what Ctrl-C means.
fn mean(meaning: Meaning) {
    install();
    let mut state = state();
    if let Meaning::End = state.meaning {
        state.meaning = meaning;
    }
}

fn install() {
    INSTALLED.call_once(|| {
        if let Err(error) = ctrlc::set_handler(came) {
            eprintln!("note: Ctrl-C will end at once, without saving ({error})");
        }
    });
}

/// Runs on a thread of its own.
fn came() {
    let state = state();
    let is_first = || !ASKED.swap(true, Ordering::SeqCst);
    match &state.meaning {
        Meaning::Ask if is_first() => {
            eprintln!("\nstopping after this step; press Ctrl-C again to end at once");
        }
        Meaning::Chat if is_first() => {
            if !ANSWERING.load(Ordering::SeqCst) {
                eprint!("\n(Ctrl-C again leaves) ");
            }
        }
        Meaning::Chat => {
            println!();
            std::process::exit(0);
        }
        // The receiver is there until the first one came; a later one has nothing left to stop.
        Meaning::Wake(sender) => {
            sender.send(()).ok();
        }
        Meaning::Ask | Meaning::End => {
            take_along(&state.unfinished);
            if matches!(state.meaning, Meaning::End) && !state.unfinished.is_empty() {
                eprintln!("\n{STOPPED}");
            }
            std::process::exit(1);
        }
    }
}

fn take_along(unfinished: &[OnItsWay]) {
    for what in unfinished.iter().rev() {
        let gone = match what {
            OnItsWay::File(path) => fs::remove_file(path),
            OnItsWay::Around(folder) => fs::remove_dir(folder),
            // Twice, as something may be written into it meanwhile.
            OnItsWay::Folder(folder) => {
                fs::remove_dir_all(folder).or_else(|_| fs::remove_dir_all(folder))
            }
        };
        // What is not there any more is what was wanted; a folder that holds something stays.
        gone.ok();
    }
}

static ANSWERING: AtomicBool = AtomicBool::new(false);

/// While `answer` runs, Ctrl-C sets the flag that [`asked`] reads.
pub(crate) fn during_answer<T>(answer: impl FnOnce() -> T) -> T {
    ASKED.store(false, Ordering::SeqCst);
    ANSWERING.store(true, Ordering::SeqCst);
    let answered = answer();
    ANSWERING.store(false, Ordering::SeqCst);
    answered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfinished_goes_and_what_is_in_use_stays() {
        let place = tempfile::tempdir().unwrap();
        let [empty, full, whole] = ["empty", "full", "whole"].map(|name| place.path().join(name));
        let (file, kept) = (empty.join("a"), full.join("b"));
        for folder in [&empty, &full, &whole] {
            fs::create_dir(folder).unwrap();
        }
        for file in [&file, &kept, &whole.join("c")] {
            fs::write(file, "x").unwrap();
        }
        let around = [&full, &empty].map(|folder| OnItsWay::Around(folder.clone()));
        let files = [file, place.path().join("gone")].map(OnItsWay::File);
        take_along(&[&around[..], &files, &[OnItsWay::Folder(whole.clone())]].concat());
        assert!(!empty.exists() && kept.exists() && !whole.exists());
    }

    #[test]
    fn what_got_its_name_is_forgotten() {
        let [one, other] = ["/no/such/one", "/no/such/other"].map(Path::new);
        let (first, second) = (Unfinished::around(one), Unfinished::around(other));
        drop(first);
        let is_known = |path: &Path| {
            let what = OnItsWay::Around(path.to_owned());
            state().unfinished.contains(&what)
        };
        assert!(!is_known(one) && is_known(other));
        drop(second);
        assert!(!is_known(other));
    }
}
