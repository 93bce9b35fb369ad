//! `cargo xtask test`: every check, cheapest first, so that a slip is told within a second.
//!
//! Invariant: this list is what CI runs; a check that is not here does not exist.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{arguments::Arguments, clock::readable, setup, shell, target_dir};

/// Cargo command lines that belong together and can be run again alone.
struct Stage {
    name: &'static str,
    about: &'static str,
    commands: &'static [&'static [&'static str]],
}

const STAGES: [Stage; 6] = [
    Stage {
        name: "fmt",
        about: "every file is formatted",
        commands: &[&["fmt", "--all", "--check"]],
    },
    Stage {
        name: "rules",
        about: "the structure holds: who uses whom, sizes, fixtures, quoted commands",
        commands: &[&["test", "--locked", "--quiet", "--package", "veneer-rules"]],
    },
    Stage {
        name: "clippy",
        about: "no warnings in any target",
        commands: &[&[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-Dwarnings",
        ]],
    },
    Stage {
        name: "wasm",
        about: "what runs in the browser builds for it, veneer-core with each feature set",
        commands: &[
            &[
                "clippy",
                "--locked",
                "--package=veneer-core",
                "--target=wasm32-unknown-unknown",
                "--",
                "-Dwarnings",
            ],
            &[
                "clippy",
                "--locked",
                "--package=veneer-core",
                "--target=wasm32-unknown-unknown",
                "--features=train",
                "--",
                "-Dwarnings",
            ],
            &[
                "clippy",
                "--locked",
                "--package=veneer-core",
                "--target=wasm32-unknown-unknown",
                "--features=infer",
                "--",
                "-Dwarnings",
            ],
            &[
                "clippy",
                "--locked",
                "--package=veneer-core",
                "--target=wasm32-unknown-unknown",
                "--features=studio",
                "--",
                "-Dwarnings",
            ],
            &[
                "clippy",
                "--locked",
                "--package=veneer-web",
                "--target=wasm32-unknown-unknown",
                "--",
                "-Dwarnings",
            ],
            &[
                "clippy",
                "--locked",
                "--package=veneer-web",
                "--target=wasm32-unknown-unknown",
                "--no-default-features",
                "--features=studio",
                "--",
                "-Dwarnings",
            ],
        ],
    },
    Stage {
        name: "web",
        about: "page and studio are built, and are small enough",
        commands: &[&["xtask", "web"]],
    },
    Stage {
        name: "test",
        about: "every test of the workspace",
        commands: &[&["test", "--locked", "--workspace", "--no-fail-fast"]],
    },
];

/// What did not run where a variable is not set.
const SKIPPED: [(&str, &str); 2] = [
    (
        "VENEER_REQUIRE_GPU",
        "The GPU tests skipped themselves: no Vulkan driver was set up.",
    ),
    (
        "VENEER_REQUIRE_BROWSER",
        "The browser tests skipped themselves: no Chromium was set up.",
    ),
];

pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let list = arguments.flag("--list");
    let without_gpu = arguments.flag("--without-gpu");
    let without_browser = arguments.flag("--without-browser");
    let only = arguments.value("--only")?;
    arguments.finish()?;

    if list {
        for stage in &STAGES {
            println!("{:<8} {}", stage.name, stage.about);
        }
        return Ok(());
    }
    let stages = chosen(only.as_deref())?;
    setup::toolchain()?;
    if stages
        .iter()
        .any(|stage| ["wasm", "web"].contains(&stage.name))
    {
        setup::wasm_compiler()?;
    }
    let runs_tests = stages.iter().any(|stage| stage.name == "test");
    let mut environment = Vec::new();
    if runs_tests && !without_gpu {
        environment.extend(setup::vulkan()?.environment());
    }
    if runs_tests && !without_browser {
        environment.extend(setup::browser()?);
    }
    let target = target_dir::shared()?;
    run_stages(&stages, &environment, target.as_ref())
}

fn chosen(only: Option<&str>) -> Result<Vec<&'static Stage>> {
    let Some(name) = only else {
        return Ok(STAGES.iter().collect());
    };
    match STAGES.iter().find(|stage| stage.name == name) {
        Some(stage) => Ok(vec![stage]),
        None => {
            let names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
            bail!(
                "no stage is called `{name}` (there are: {})",
                names.join(", ")
            )
        }
    }
}

fn run_stages(
    stages: &[&Stage],
    environment: &[(&str, PathBuf)],
    target: Option<&PathBuf>,
) -> Result<()> {
    let started = Instant::now();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let mut tests = Tally::default();
    for (number, stage) in stages.iter().enumerate() {
        println!(
            "\n── {} ({} of {}): {}",
            stage.name,
            number + 1,
            stages.len(),
            stage.about
        );
        let stage_started = Instant::now();
        for words in stage.commands {
            let mut command = shell::cargo(words);
            command.envs(environment.iter().map(|(name, value)| (name, value)));
            if let Some(target) = target {
                command.env("CARGO_TARGET_DIR", target);
            }
            if let Err(error) = run_command(&mut command, &mut tests) {
                println!("{error:#}");
                tests.print();
                bail!(
                    "stage `{name}` failed after {}; run it alone with `cargo xtask test --only {name}`",
                    readable(stage_started.elapsed()),
                    name = stage.name,
                );
            }
        }
        println!(
            "── {} passed in {}",
            stage.name,
            readable(stage_started.elapsed())
        );
        times.push((stage.name, stage_started.elapsed()));
    }
    println!();
    for (name, time) in &times {
        println!("{name:<8} passed  {}", readable(*time));
    }
    tests.print();
    if stages.iter().any(|stage| stage.name == "test") {
        for (variable, text) in SKIPPED {
            if !environment.iter().any(|(name, _)| *name == variable) {
                println!("{text}");
            }
        }
    }
    let which = if times.len() == 1 {
        "The stage"
    } else {
        "All stages"
    };
    println!("{which} passed in {}.", readable(started.elapsed()));
    Ok(())
}

fn run_command(command: &mut Command, tests: &mut Tally) -> Result<()> {
    println!("$ {}", shell::display(command));
    shell::run_seeing(command, |line| {
        println!("{line}");
        tests.see(line);
    })
}

/// What the test binaries said, summed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Tally {
    /// Read a line such as `test result: ok. 12 passed; 0 failed; 0 ignored; …`.
    fn see(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else {
            return;
        };
        let counts = counts.split_once(". ").map_or(counts, |(_, counts)| counts);
        for part in counts.split("; ") {
            let Some((number, what)) = part.split_once(' ') else {
                continue;
            };
            let number = number.parse::<u64>().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    fn print(&self) {
        if self.passed + self.failed == 0 {
            return;
        }
        println!(
            "{} tests passed, {} failed, {} ignored",
            self.passed, self.failed, self.ignored
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_what_the_test_binaries_say() {
        let mut tests = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            tests.see(line);
        }
        let expected = Tally {
            passed: 15,
            failed: 2,
            ignored: 1,
        };
        assert_eq!(tests, expected);
    }

    #[test]
    fn one_stage_can_be_chosen_by_name() {
        assert_eq!(chosen(None).unwrap().len(), STAGES.len());
        assert_eq!(chosen(Some("clippy")).unwrap()[0].name, "clippy");
        let error = chosen(Some("clipy")).err().unwrap().to_string();
        assert!(error.contains("fmt, rules, clippy"), "{error}");
    }
}
