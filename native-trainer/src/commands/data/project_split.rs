//! `veneer data split` of a project: sides that are kept with the records.

use std::io::Write as _;

use anyhow::{Result, bail};
use serde_json::json;
use veneer_core::protocol::studio::{Share, SplitPlan, SplitView};

use super::{layout::labelled, split::SplitArgs};
use crate::{
    dataset::{shell_word, thousands},
    project_file,
};

pub(super) fn run(args: &SplitArgs) -> Result<()> {
    let mut project = project_file::open(&args.file)?;
    let share = |share: Option<f64>, count: Option<usize>| match (share, count) {
        (Some(share), _) => Share::Fraction(share),
        (_, Some(count)) => Share::Count(count as u64),
        (None, None) => Share::Fraction(0.0),
    };
    let plan = SplitPlan {
        validation: share(args.val, args.val_count),
        test: share(args.test, args.test_count),
        seed: args.seed,
        stratify_by: args.stratify.clone(),
        group_by: args.group.clone(),
        ..SplitPlan::default()
    };
    let draws = [
        args.val.is_some(),
        args.val_count.is_some(),
        args.test.is_some(),
        args.test_count.is_some(),
    ];
    let draws = draws.contains(&true);
    if !draws && !args.freeze && !args.thaw {
        bail!(
            "say how many records to set aside: --val 0.1, --val-count N, --test 0.1 or --test-count N"
        );
    }
    let now = project_file::now_ms();
    let frozen = project.view()?.split_frozen;
    if draws && frozen && !args.thaw {
        bail!(
            "the split of `{}` is frozen, so that results stay comparable; add --thaw to draw it again",
            args.file.display()
        );
    }
    if args.thaw && frozen {
        project.freeze_split(false, now)?;
    }
    let mut view = if draws {
        project.apply_split(&plan, now)?
    } else {
        project.split()?
    };
    if args.freeze {
        view = project.freeze_split(true, now)?;
    }
    let text = if args.json {
        view.project = None;
        format!("{:#}\n", json!(view))
    } else {
        describe(args, &view)
    };
    write!(std::io::stdout(), "{text}")?;
    Ok(())
}

fn describe(args: &SplitArgs, view: &SplitView) -> String {
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
    let leaking = "questions of validation and test that train asks too";
    text += &labelled("leaks", &format!("{} {leaking}", thousands(view.n_leaking)));
    for (value, [train, validation, test]) in view.strata.iter().take(10) {
        let counts = format!("{value}: {train} train, {validation} validation, {test} test");
        text += &labelled("by value", &counts);
    }
    if let Some(hash) = &view.frozen {
        text += &labelled("frozen", hash);
    }
    text + &format!(
        "\nnext: veneer train --model demo --data {} --out run\n",
        shell_word(&args.file)
    )
}
