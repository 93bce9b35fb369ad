//! Exit codes, error texts, and where output goes: data on stdout, progress and errors on stderr.

use std::{
    borrow::Cow,
    fmt,
    io::{ErrorKind, Write as _},
    process::ExitCode,
};

use anyhow::Result;

/// Marks an error as ours: exit code 2 instead of 1.
#[derive(Debug)]
pub(crate) struct Bug(pub(crate) String);

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (this is a fault in Veneer, please report it)",
            self.0
        )
    }
}

impl std::error::Error for Bug {}

/// 0 done, 1 the input is wrong, 2 our fault. A reader that closed its pipe is a success.
pub(crate) fn exit_code(result: Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if is_broken_pipe(&error) {
        return ExitCode::SUCCESS;
    }
    let causes = error.chain().skip(1);
    let causes = causes.map(|cause| format!("\n  because: {cause}"));
    tell(&format!("error: {error}{}", causes.collect::<String>()));
    ExitCode::from(if error.is::<Bug>() { 2 } else { 1 })
}

/// Says it on stderr, or nothing where nobody listens any more.
pub(crate) fn tell(text: &str) {
    writeln!(std::io::stderr(), "{}", printable(text)).ok();
}

/// What files say, for a terminal: control characters, which would act on it, as escapes.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let acts = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match acts(c) {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Prints help, the version, or what is wrong with the command line (exit code 1).
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // Nothing is left to do where even this cannot be printed.
    error.print().ok();
    if error.use_stderr() {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|io| io.kind() == ErrorKind::BrokenPipe)
}

/// A panic is always our fault: say so in one line and end with exit code 2. The exception are
/// `println!` and `eprintln!` to a reader that has gone (`veneer … | head`), which panic but are a
/// success.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or_default();
        if message.starts_with("failed printing to std") && message.contains("os error 32") {
            std::process::exit(0);
        }
        tell(&format!(
            "error: {info}\n  this is a fault in Veneer, please report it with the command you ran"
        ));
        std::process::exit(2);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_reaches_the_terminal() {
        let text = "na\u{1b}[31mme\0 \u{9b}\tä\n保険";
        assert_eq!(printable(text), "na\\u{1b}[31mme\\u{0} \\u{9b}\tä\n保険");
        assert!(matches!(printable("plain\n"), Cow::Borrowed(_)));
    }
}
