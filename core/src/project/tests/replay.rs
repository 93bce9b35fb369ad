//! The journal replayed equals the state: any history, any number of steps back and forth.

use serde_json::json;

use crate::{
    project::{
        Project,
        content::content_of,
        journal::Field,
        testing::{in_memory, incoming, keys, question, run_all, seen},
    },
    protocol::studio::{ActionKind, Change, RecordKey, Side},
    rng::Rng,
};

/// Actions of one history.
const N_ACTIONS: usize = 40;

#[test]
fn any_history_can_be_taken_back_and_done_again() {
    for seed in 0..25 {
        check(seed);
    }
}

/// States as they were after each action of a history without branches.
fn check(seed: u64) {
    let mut rng = Rng::new(seed, 0);
    let mut project = in_memory(12);
    let mut states = vec![seen(&project)];
    let mut at = 0;
    for now in 1..=N_ACTIONS {
        match rng.below(4) {
            0 if at > 0 => {
                project.undo().unwrap();
                at -= 1;
            }
            1 if at + 1 < states.len() => {
                project.redo().unwrap();
                at += 1;
            }
            _ => {
                // So late that no two saves are one.
                act(&mut project, &mut rng, now as i64 * 100_000);
                let after = seen(&project);
                if after != states[at] {
                    states.truncate(at + 1);
                    states.push(after);
                    at += 1;
                }
            }
        }
        assert_eq!(seen(&project), states[at], "seed {seed}, step {now}");
    }
    for state in states[..at].iter().rev() {
        project.undo().unwrap();
        assert_eq!(&seen(&project), state, "seed {seed}, back");
    }
    assert!(project.view().unwrap().undo.is_none(), "seed {seed}");
    for state in &states[1..] {
        project.redo().unwrap();
        assert_eq!(&seen(&project), state, "seed {seed}, forth");
    }
    assert!(project.view().unwrap().redo.is_none(), "seed {seed}");
}

fn act(project: &mut Project, rng: &mut Rng, now: i64) {
    let records = some(project, rng);
    let one = records.first().copied();
    let change = match rng.below(15) {
        0 => Change::AddTag(format!("tag {}", rng.below(3))),
        1 => Change::RemoveTag(format!("tag {}", rng.below(3))),
        2 => Change::SetSide([None, Some(Side::Train), Some(Side::Test)][rng.below(3)]),
        3 => Change::SetReviewer(["", "Ana", "花子"][rng.below(3)].into()),
        4 => Change::SetField(
            "topic".into(),
            [None, Some(json!(rng.below(3)))][rng.below(2)].clone(),
        ),
        5 => Change::SetSystem([None, Some("Sé breve.".into())][rng.below(2)].clone()),
        6 | 7 => Change::Move {
            before: some(project, rng).first().map(|record| RecordKey(*record)),
        },
        8 => Change::Trash,
        9 => Change::TakeBack,
        10 => {
            let text = content_of(question(rng.below(1000)));
            project.add(one.map(RecordKey), text, now).unwrap();
            return;
        }
        11 => {
            let Some(one) = one else { return };
            let text = content_of(question(rng.below(1000)));
            project.save(RecordKey(one), text, now).unwrap();
            return;
        }
        12 => {
            let records = (0..rng.below(5)).map(question).collect();
            let work = project.adding([incoming("a", records, &[2])].into(), now);
            run_all(project, work).unwrap();
            return;
        }
        13 => {
            let fact = [None, Some("x"), Some("y")][rng.below(3)];
            let done = project.act(ActionKind::Settings, "", now, |changes| {
                changes.set_all(Field::Accepted, &records, 0)?;
                changes.fact("key", fact)
            });
            done.unwrap();
            return;
        }
        _ => {
            // A snapshot is no action; going back to one is.
            let snapshots = project.snapshots().unwrap();
            if snapshots.len() < 2 {
                let name = format!("s{}", snapshots.len());
                project.take_snapshot(&name, now).unwrap();
            } else {
                let snapshot = snapshots[rng.below(2)].snapshot;
                project.restore(snapshot, now).unwrap();
            }
            return;
        }
    };
    let work = project.change(keys(records), change, now);
    run_all(project, work).unwrap();
}

/// A few records, in the trash or not.
fn some(project: &Project, rng: &mut Rng) -> Vec<u64> {
    let mut statement = project
        .store
        .raw()
        .prepare("SELECT id FROM record WHERE state < 2 ORDER BY id")
        .unwrap();
    let all = statement.query_map([], |row| row.get(0)).unwrap();
    let mut all: Vec<u64> = all.collect::<Result<_, _>>().unwrap();
    rng.shuffle(&mut all);
    all.truncate(1 + rng.below(4));
    all
}
