//! What is late is in force: a project whose changes all come late is seen like one where none does.

use serde_json::json;

use crate::{
    project::{
        Project,
        content::content_of,
        testing::{in_memory, incoming, keys, question, run_all, seen},
    },
    protocol::studio::{Change, Filter, Query, RecordKey, Row, Share, Side, SplitPlan},
    rng::Rng,
};

const N_STEPS: usize = 60;

#[test]
fn late_changes_are_seen_as_others_are() {
    for seed in 0..20 {
        check(seed);
    }
}

fn check(seed: u64) {
    let mut rng = Rng::new(seed, 1);
    let (mut late, mut plain) = (in_memory(12), in_memory(12));
    for (project, many) in [(&mut late, 1), (&mut plain, usize::MAX)] {
        project.many = many;
        list(project, false);
    }
    let mut n_late = 0;
    for step in 0..N_STEPS {
        let what = format!("seed {seed}, step {step}");
        let now = (step as i64 + 1) * 100_000;
        // The same numbers for both.
        let mut again = rng.clone();
        act(&mut late, &mut rng, now);
        act(&mut plain, &mut again, now);
        n_late += usize::from(!late.store.is_settled());
        for in_trash in [true, false] {
            let what = format!("{what}, trash {in_trash}");
            assert_eq!(
                list(&mut late, in_trash),
                list(&mut plain, in_trash),
                "{what}"
            );
        }
        assert_eq!(late.view().unwrap(), plain.view().unwrap(), "{what}");
        let facets = |project: &Project| format!("{:?}", project.facets().unwrap());
        assert_eq!(facets(&late), facets(&plain), "{what}");
        let findings = |project: &Project| format!("{:?}", project.findings().unwrap());
        assert_eq!(findings(&late), findings(&plain), "{what}");
        for record in (1..=17).map(RecordKey) {
            let view = |project: &Project| format!("{:?}", project.record(record));
            assert_eq!(view(&late), view(&plain), "{what}");
        }
        match rng.below(8) {
            0 => assert_eq!(seen(&late), seen(&plain), "{what}"),
            // A tab that is killed: what is late is in the file.
            1 => {
                (late, plain) = (open(late), open(plain));
                assert!(late.store.is_settled());
                (late.many, plain.many) = (1, usize::MAX);
            }
            2..5 => drop(late.store.settle_some(1 + rng.below(4) as u64).unwrap()),
            _ => {}
        }
    }
    assert_eq!(seen(&late), seen(&plain), "seed {seed}");
    assert!(n_late > N_STEPS / 4, "seed {seed}: {n_late} were late");
}

fn act(project: &mut Project, rng: &mut Rng, now: i64) {
    let records: Vec<u64> = (0..1 + rng.below(6))
        .map(|_| 1 + rng.below(16) as u64)
        .collect();
    let one = RecordKey(records[0]);
    let change = match rng.below(22) {
        0..3 => Change::Trash,
        3..5 => Change::TakeBack,
        5 => Change::AddTag(format!("tag {}", rng.below(3))),
        6 => Change::RemoveTag(format!("tag {}", rng.below(3))),
        7 => Change::SetSide([None, Some(Side::Train), Some(Side::Test)][rng.below(3)]),
        8 => Change::SetReviewer(["", "Ana", "花子"][rng.below(3)].into()),
        9 => Change::Move { before: None },
        10 => Change::SetField("topic".into(), Some(json!(rng.below(3)))),
        11 => {
            let text = content_of(question(rng.below(1000)));
            // Not there, or in the trash, is an error for both.
            project.save(one, text, now).ok();
            return;
        }
        12 => {
            let text = content_of(question(rng.below(1000)));
            project.add(None, text, now).unwrap();
            return;
        }
        13 => {
            let records = (0..rng.below(5)).map(question).collect();
            let work = project.adding([incoming("a", records, &[2])].into(), now);
            run_all(project, work).unwrap();
            return;
        }
        14 => {
            let plan = SplitPlan {
                validation: Share::Fraction(0.3),
                seed: rng.below(9) as u64,
                ..SplitPlan::default()
            };
            // Too few records are an error for both.
            project.apply_split(&plan, now).ok();
            return;
        }
        15 => {
            let snapshots = project.snapshots().unwrap();
            match snapshots.first() {
                Some(first) if rng.below(2) == 0 => {
                    project.restore(first.snapshot, now).unwrap();
                }
                _ => {
                    let name = format!("s{}", snapshots.len());
                    project.take_snapshot(&name, now).unwrap();
                }
            }
            return;
        }
        16 if rng.below(3) == 0 => {
            let work = project.empty_trash();
            run_all(project, work).unwrap();
            return;
        }
        16..20 => {
            project.undo().unwrap();
            return;
        }
        _ => {
            project.redo().unwrap();
            return;
        }
    };
    let work = project.change(keys(records), change, now);
    run_all(project, work).unwrap();
}

fn open(project: Project) -> Project {
    Project::open(project.store.into_db()).unwrap()
}

/// What a list shows of all records.
fn list(project: &mut Project, trash: bool) -> Vec<Row> {
    let query = Query {
        filter: Filter {
            trash,
            ..Filter::default()
        },
        ..Query::default()
    };
    let work = project.query(query);
    run_all(project, work).unwrap();
    project.window(0, 1000).unwrap().rows
}
