//! Running other programs: the command line is shown, and a failure names it.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// The cargo that runs this task, so that a pinned toolchain stays the pinned one.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Run a program with its output shown as it comes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = display(command);
    let status = command
        .status()
        .with_context(|| format!("starting `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Run a program, hand each line of its standard output to `see`, which also shows it.
pub(crate) fn run_seeing(command: &mut Command, mut see: impl FnMut(&str)) -> Result<()> {
    let line = display(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting `{line}`"))?;
    if let Some(stdout) = child.stdout.take() {
        for text in BufReader::new(stdout).split(b'\n') {
            see(&String::from_utf8_lossy(&text?));
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Run a cargo command that builds, and find the executable of `target` that it names.
pub(crate) fn built(command: &mut Command, target: &str) -> Result<PathBuf> {
    command.arg("--message-format=json-render-diagnostics");
    let mut executable = None;
    run_seeing(command, |line| {
        if let Some(path) = executable_of(line, target) {
            executable = Some(path);
        }
    })?;
    executable.with_context(|| format!("cargo built no executable called `{target}`"))
}

/// The path in a line of cargo's JSON, when it is about the executable of `target`.
fn executable_of(line: &str, target: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" || message["target"]["name"] != target {
        return None;
    }
    message["executable"].as_str().map(PathBuf::from)
}

/// Standard output of a program that must succeed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = display(command);
    let output = command
        .output()
        .with_context(|| format!("starting `{line}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` ended with {}: {}", output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// True when the program is there and ends well; its output is dropped.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as one would type it.
pub(crate) fn display(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&quoted(argument));
    }
    line
}

fn quoted(argument: &OsStr) -> String {
    let text = argument.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_a_command_as_one_would_type_it() {
        let mut command = Command::new("/some/where/veneer");
        command.args(["eval", "--data", "my file.jsonl", "it's"]);
        assert_eq!(
            display(&command),
            r"veneer eval --data 'my file.jsonl' 'it'\''s'"
        );
    }

    #[test]
    fn failure_names_the_command() {
        let error = run(&mut Command::new("false")).unwrap_err().to_string();
        assert!(error.contains("`false`"), "{error}");
        let error = run(&mut Command::new("no-such-program-here"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no-such-program-here"), "{error}");
    }

    #[test]
    fn sees_every_line() {
        let mut lines = Vec::new();
        let mut command = Command::new("printf");
        command.arg("a\\nb\\n");
        run_seeing(&mut command, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["a", "b"]);
    }

    #[test]
    fn finds_the_executable_in_cargo_s_messages() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"parity"},"executable":"/t/parity-1"}"#;
        assert_eq!(executable_of(line, "parity"), Some("/t/parity-1".into()));
        assert_eq!(executable_of(line, "veneer"), None);
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"parity"},"executable":null}"#;
        assert_eq!(executable_of(library, "parity"), None);
        assert_eq!(executable_of("   Compiling", "parity"), None);
    }
}
