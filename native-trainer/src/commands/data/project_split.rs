//! `veneer data split` of a project: sides that are kept with the records.

use std::io::Write as _;

use anyhow::{Result, bail};
use serde_json::json;
use veneer_core::{
    project::Project,
    protocol::studio::{Share, SplitPlan, SplitView},
};

use super::{
    layout::labelled,
    project_check::refuse_reading,
    split::{SplitArgs, asked, value_name},
};
use crate::{
    dataset::{count, shell_word, thousands},
    project_file,
};

/// Values of the stratifying column that are listed; `--json` has all, or the largest of very many.
const MAX_SHOWN_STRATA: usize = 10;

pub(super) fn run(args: &SplitArgs) -> Result<()> {
    refuse_reading(&args.file, &args.read)?;
    if args.out_dir.is_some() {
        bail!(
            "`--out-dir` is for files; the sides of `{0}` are kept inside it, and \
             `veneer data export {1}` writes them",
            args.file.display(),
            shell_word(&args.file)
        );
    }
    let draws = args.sets_aside() || args.new_only;
    if !draws && (args.group.is_some() || args.stratify.is_some()) {
        bail!(
            "say how many records to set aside: --val 0.1, --val-count N, --test 0.1 or --test-count N"
        );
    }
    let mut project = project_file::open(&args.file)?;
    let mut view = project.split()?;
    if draws {
        let plan = args.plan(view.plan.take())?;
        view = draw(&mut project, args, &plan, view.frozen.is_some())?;
    } else if args.thaw && view.frozen.is_some() {
        view = project.freeze_split(false, project_file::now_ms())?;
    }
    if args.freeze {
        let asked = view.n_asked;
        view = project.freeze_split(true, project_file::now_ms())?;
        view.n_asked = asked;
    }
    let text = if args.json {
        view.project = None;
        format!("{:#}\n", json!(view))
    } else {
        let model = project.text_model()?.map(|model| model.name);
        describe(args, &view, model.as_deref())
    };
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}

fn draw(
    project: &mut Project,
    args: &SplitArgs,
    plan: &SplitPlan,
    is_frozen: bool,
) -> Result<SplitView> {
    if is_frozen && !args.thaw {
        bail!(
            "the split of `{}` is frozen, so that results stay comparable; add --thaw to draw it again",
            args.file.display()
        );
    }
    let now = project_file::now_ms();
    if is_frozen {
        // What cannot be drawn stays frozen.
        project.preview_split(plan)?;
        project.freeze_split(false, now)?;
    }
    Ok(project.apply_split(plan, now)?)
}

impl SplitArgs {
    fn sets_aside(&self) -> bool {
        let shares = self.val.is_some() || self.test.is_some();
        shares || self.val_count.is_some() || self.test_count.is_some()
    }

    /// New records are drawn as it was done last, as far as nothing else is said.
    fn plan(&self, last: Option<SplitPlan>) -> Result<SplitPlan> {
        let last = last.filter(|_| self.new_only);
        if !self.sets_aside() && last.is_none() {
            bail!(
                "no split was drawn before; say how many records to set aside: --val 0.1 --test 0.1"
            );
        }
        let last = last.unwrap_or(SplitPlan {
            validation: Share::Fraction(0.0),
            test: Share::Fraction(0.0),
            ..SplitPlan::default()
        });
        let share = |share: Option<f64>, count: Option<usize>, last: Share| match (share, count) {
            (Some(share), _) => Share::Fraction(share),
            (_, Some(count)) => Share::Count(count as u64),
            (None, None) => last,
        };
        Ok(SplitPlan {
            validation: share(self.val, self.val_count, last.validation),
            test: share(self.test, self.test_count, last.test),
            seed: self.seed.unwrap_or(last.seed),
            stratify_by: self.stratify.clone().or(last.stratify_by),
            group_by: self.group.clone().or(last.group_by),
            keep_duplicates_together: last.keep_duplicates_together,
            only_new: self.new_only,
        })
    }
}

fn describe(args: &SplitArgs, view: &SplitView, model: Option<&str>) -> String {
    let mut text = format!("{}\n", args.file.display());
    for (label, n) in [
        ("train", view.n_train),
        ("validation", view.n_validation),
        ("test", view.n_test),
        ("no side", view.n_without),
    ] {
        if n > 0 || label != "no side" {
            text += &labelled(label, &thousands(n));
        }
    }
    let n_drawn = view.n_train + view.n_validation + view.n_test;
    if view.n_without > 0 && n_drawn > 0 {
        text += &labelled("", &format!("draw for them: {}", draw_new(args, view)));
    }
    if let Some(wanted) = view.n_asked {
        text += &asked(wanted, [view.n_validation, view.n_test]);
    }
    let asks = if view.n_leaking == 1 { "asks" } else { "ask" };
    let leaks = format!(
        "{} of validation and test {asks} what a record of train asks",
        count(view.n_leaking, "record")
    );
    text += &labelled("leaks", &leaks);
    let group = view.plan.as_ref().and_then(|plan| plan.group_by.as_ref());
    if let Some(field) = group {
        let apart = match view.n_groups_apart {
            0 => format!("equal values of `{field}` are on one side"),
            n => format!(
                "records of {} of `{field}` are on more than one side",
                count(n, "value")
            ),
        };
        text += &labelled("together", &apart);
    }
    for (value, [train, validation, test]) in view.strata.iter().take(MAX_SHOWN_STRATA) {
        let [train, validation, test] = [*train, *validation, *test].map(thousands);
        let counts = format!("{train} train, {validation} validation, {test} test");
        text += &labelled("by value", &format!("{}: {counts}", value_name(value)));
    }
    text += &more_strata(view, n_drawn);
    text += &frozen(args, view);
    let file = shell_word(&args.file);
    if view.n_train == 0 {
        let thaw = if view.frozen.is_some() { " --thaw" } else { "" };
        if n_drawn > 0 {
            text += "\nNo record is on the train side.\n";
        }
        return text + &format!("\nnext: veneer data split {file} --val 0.1 --test 0.1{thaw}\n");
    }
    let model = match model {
        Some(name) if !is_model(name) => "MODEL",
        name => name.unwrap_or("demo"),
    };
    let model = shell_word(model.as_ref());
    text + &format!("\nnext: veneer train --model {model} --data {file} --out run\n")
}

/// The values that are not listed. A view has all of them where their records are those on the sides.
fn more_strata(view: &SplitView, n_drawn: u64) -> String {
    let n_more = view.strata.len().saturating_sub(MAX_SHOWN_STRATA);
    if n_more == 0 {
        return String::new();
    }
    let n_told: u64 = view.strata.iter().flat_map(|(_, sides)| sides).sum();
    let more = match n_told == n_drawn {
        true => format!("and {n_more} more; --json lists all"),
        false => format!(
            "and more than {n_more} others; --json lists the {} largest",
            view.strata.len()
        ),
    };
    labelled("", &more)
}

/// Whether a project's model can be had by its name: in the tab one may be known by its tokenizer's
/// file alone.
pub(super) fn is_model(name: &str) -> bool {
    ![".json", ".model"].iter().any(|end| name.ends_with(end))
}

/// The command that puts records on sides that came after the draw.
fn draw_new(args: &SplitArgs, view: &SplitView) -> String {
    let mut command = format!("veneer data split {} --new-only", shell_word(&args.file));
    if view.plan.is_none() {
        command += " --val 0.1 --test 0.1";
    }
    if view.frozen.is_some() {
        command += " --thaw";
    }
    command
}

fn frozen(args: &SplitArgs, view: &SplitView) -> String {
    let Some(hash) = &view.frozen else {
        return labelled("frozen", "no");
    };
    let mut text = labelled("frozen", hash);
    if !view.frozen_holds {
        let changed = format!(
            "records were changed since; undo that, or freeze it anew: veneer data split {0} --thaw, \
             then --freeze",
            shell_word(&args.file)
        );
        text += &labelled("", &changed);
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        split: SplitArgs,
    }

    #[test]
    fn new_records_are_drawn_as_the_last_ones_were() {
        let drawn = SplitPlan {
            validation: Share::Fraction(0.1),
            test: Share::Count(20),
            seed: 7,
            group_by: Some("author".into()),
            keep_duplicates_together: false,
            ..SplitPlan::default()
        };
        let plan = |words: &str| {
            let words = ["split", "p"].into_iter().chain(words.split_whitespace());
            let line = Line::try_parse_from(words).unwrap();
            line.split.plan(Some(drawn.clone())).unwrap()
        };
        let again = SplitPlan {
            only_new: true,
            ..drawn.clone()
        };
        assert_eq!(plan("--new-only"), again);
        let more = SplitPlan {
            validation: Share::Fraction(0.3),
            ..again.clone()
        };
        assert_eq!(plan("--new-only --val 0.3"), more);
        let other = SplitPlan {
            test: Share::Fraction(0.0),
            seed: 8,
            ..again.clone()
        };
        assert_eq!(plan("--new-only --test 0 --seed 8"), other);
        let anew = SplitPlan {
            validation: Share::Count(3),
            test: Share::Fraction(0.0),
            ..SplitPlan::default()
        };
        assert_eq!(plan("--val-count 3"), anew);
    }

    #[test]
    fn values_that_are_not_listed_are_counted() {
        let view = |n: u64| SplitView {
            strata: (0..n).map(|i| (i.to_string(), [1, 0, 0])).collect(),
            ..SplitView::default()
        };
        assert_eq!(more_strata(&view(10), 10), "");
        let all = more_strata(&view(12), 12);
        assert!(all.contains("and 2 more; --json lists all"), "{all}");
        let some = more_strata(&view(200), 300);
        assert!(
            some.contains("more than 190 others; --json lists the 200"),
            "{some}"
        );
    }
}
