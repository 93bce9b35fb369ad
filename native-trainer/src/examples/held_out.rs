//! Records that are kept for measuring, and runs that train on them or on what they ask.

use std::{collections::HashSet, path::Path};

use anyhow::{Result, bail};
use veneer_core::{
    data::{
        Record, fingerprint,
        handover::{SIDE_COLUMN, side_named},
    },
    protocol::studio::{Side, SplitView},
};

use super::TextArgs;
use crate::{
    dataset::{self, ReadArgs, Sides, count, shell_word, split_of},
    input,
};

/// The name by which leaks are allowed.
const LEAK: &str = "leak";

/// The name by which training on records of another side is allowed.
const HELD_OUT: &str = "held_out";

/// Stops a run whose held-out records ask what it trains on: their loss would flatter.
///
/// # Errors
/// Where there are any, unless they are allowed.
pub(crate) fn refuse_leaks(
    trained: &[Record],
    (path, held_out): (&Path, &[Record]),
    args: &TextArgs,
) -> Result<()> {
    let n = n_leaking(trained, held_out);
    if n == 0 {
        return Ok(());
    }
    let name = shell_word(path);
    let of = count(held_out.len() as u64, "held-out record");
    let found = format!(
        "of {of} in {name}, {n} {} what is trained on: the loss on them would flatter",
        ask(n)
    );
    if is_allowed(LEAK, args) {
        eprintln!("warning: {found}");
        return Ok(());
    }
    let mend = match split_of(path)? {
        Some(split) => mending(path, &split),
        None => "take them out, or draw the sides with `veneer data split`".to_owned(),
    };
    bail!("{found}; {mend}, or run anyway with `--allow {LEAK}`")
}

/// Says where held-out records of a project ask what is trained on, and the run does not evaluate on
/// them: whoever measures on them later would be misled.
///
/// # Errors
/// If the project cannot be read.
pub(crate) fn warn_of_other_leaks(
    path: &Path,
    trained: &[Record],
    evaluated: Option<Sides>,
    read: &ReadArgs,
) -> Result<()> {
    let Some(split) = split_of(path)?.filter(|split| split.n_leaking > 0) else {
        return Ok(());
    };
    let sides = [
        (Sides::Validation, split.n_validation),
        (Sides::Test, split.n_test),
    ];
    let others = sides.into_iter();
    let others = others.filter(|(side, n)| *n > 0 && evaluated != Some(*side));
    let (mut n, mut n_all) = (0, 0);
    for (side, _) in others {
        let held_out = dataset::load(path, &read.options(), Some(side))?.records;
        n += n_leaking(trained, &held_out);
        n_all += held_out.len() as u64;
    }
    if n > 0 {
        eprintln!(
            "warning: of {} in {} that this run does not evaluate on, {n} {} what is trained on: \
             measuring on them would flatter; {}",
            count(n_all, "held-out record"),
            shell_word(path),
            ask(n),
            mending(path, &split)
        );
    }
    Ok(())
}

/// Says where records of a held-out side of a project, which are measured, ask what its train side
/// asks.
///
/// # Errors
/// If the project cannot be read.
pub(crate) fn warn_of_flattery(
    path: &Path,
    measured: &[Record],
    side: Option<Sides>,
    read: &ReadArgs,
) -> Result<()> {
    if !matches!(side, Some(Sides::Validation | Sides::Test)) {
        return Ok(());
    }
    let Some(split) = split_of(path)?.filter(|split| split.n_leaking > 0) else {
        return Ok(());
    };
    let trained = dataset::load(path, &read.options(), Some(Sides::Train))?.records;
    let n = n_leaking(&trained, measured);
    if n > 0 {
        eprintln!(
            "warning: {} that {} held out {} what the side `train` asks: the figures flatter; {}",
            count(n, "record"),
            if n == 1 { "is" } else { "are" },
            ask(n),
            mending(path, &split)
        );
    }
    Ok(())
}

/// Stops a run on a file in which records are marked as held out: on the sides of a project it would
/// not train on them.
///
/// # Errors
/// Where there are any, unless they are allowed.
pub(crate) fn refuse_held_out(path: &Path, trained: &[Record], args: &TextArgs) -> Result<()> {
    let n = trained.iter().filter(|record| is_held_out(record)).count();
    if n == 0 || input::is_project(path) {
        return Ok(());
    }
    let name = shell_word(path);
    let found = format!(
        "{n} of {} in {name} {} marked `validation` or `test` in the column `{SIDE_COLUMN}`",
        count(trained.len() as u64, "record"),
        if n == 1 { "is" } else { "are" },
    );
    if is_allowed(HELD_OUT, args) {
        eprintln!("warning: {found}, and trained on");
        return Ok(());
    }
    bail!(
        "{found}; put the file into a project, whose sides count (`veneer data import {name} --into \
         P.veneer`), or take those rows out, or run anyway with `--allow {HELD_OUT}`"
    )
}

fn is_held_out(record: &Record) -> bool {
    let said = record.extra.get(SIDE_COLUMN).and_then(|said| said.as_str());
    let side = said.and_then(side_named);
    side.is_some_and(|side| side != Side::Train)
}

fn is_allowed(check: &str, args: &TextArgs) -> bool {
    args.allow.iter().any(|name| name == check)
}

/// How many held-out records ask what is trained on.
fn n_leaking(trained: &[Record], held_out: &[Record]) -> u64 {
    let asked = |record: &Record| fingerprint(record).prompt;
    let trained: HashSet<u128> = trained.iter().map(asked).collect();
    let leaking = held_out.iter().filter(|it| trained.contains(&asked(it)));
    leaking.count() as u64
}

fn ask(n: u64) -> &'static str {
    if n == 1 { "asks" } else { "ask" }
}

/// What puts the leaking records of a project on its train side; nothing moves those of a frozen split.
fn mending(path: &Path, split: &SplitView) -> String {
    let name = shell_word(path);
    let thaw = match split.frozen {
        Some(_) => format!("`veneer data split {name} --thaw`, then "),
        None => String::new(),
    };
    let mends = if thaw.is_empty() { "mends" } else { "mend" };
    format!("{thaw}`veneer data fix {name} --finding leak --with to_train` {mends} it")
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};
    use veneer_core::text::Body;

    use super::*;

    fn record(prompt: &str, said: &str) -> Record {
        Record {
            body: Body::Text {
                prompt: prompt.to_owned(),
                completion: "x".into(),
            },
            extra: Map::from_iter([(SIDE_COLUMN.to_owned(), json!(said))]),
            line: 1,
        }
    }

    #[test]
    fn rows_of_other_sides_are_trained_on_only_on_a_word() {
        let path = Path::new("sheet.csv");
        let rows = ["train", "Test", "validation", "holdout", ""].map(|said| record("a", said));
        let mut args = TextArgs::default();
        let refused = refuse_held_out(path, &rows, &args).unwrap_err().to_string();
        assert!(refused.starts_with("2 of 5 records"), "{refused}");
        assert!(refused.contains("--allow held_out"), "{refused}");
        assert!(refuse_held_out(path, &rows[..1], &args).is_ok());
        args.allow.push("held_out".into());
        assert!(refuse_held_out(path, &rows, &args).is_ok());
    }

    #[test]
    fn frozen_sides_are_thawed_before_they_are_mended() {
        let mut split = SplitView::default();
        let (path, fix) = (Path::new("p"), "`veneer data fix p --finding leak");
        assert!(mending(path, &split).starts_with(fix));
        split.frozen = Some("hash".into());
        let said = mending(path, &split);
        let thaw = said.find("`veneer data split p --thaw`, then");
        assert!(thaw < said.find(fix) && thaw.is_some(), "{said}");
    }

    #[test]
    fn only_what_is_asked_in_training_leaks() {
        let [trained, held_out] = [["a", "b"], ["b", "c"]].map(|all| all.map(|it| record(it, "")));
        assert_eq!(n_leaking(&trained, &held_out), 1);
    }
}
