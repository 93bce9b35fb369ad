//! Sides of a project that were frozen.

use serde_json::{Value, json};

use crate::{
    binary::{done, refused},
    studio::{Studio, settle_errors},
};

#[test]
fn a_frozen_split_is_drawn_again_only_when_it_is_thawed() {
    let studio = Studio::with_project();
    let project = studio.path("p.veneer");
    settle_errors(&project);
    let split = |arguments: &[&str]| {
        let command = [&["data", "split", &project][..], arguments].concat();
        studio.json(&command)
    };
    let frozen = split(&["--val-count", "2", "--freeze"]);
    assert!(frozen["frozen"].is_string(), "{frozen}");
    refused(
        &["data", "split", &project, "--val-count", "3"],
        &["is frozen", "--thaw"],
    );
    assert_eq!(split(&["--freeze"]), frozen, "nothing was drawn");
    let drawn = split(&["--val-count", "3", "--thaw"]);
    assert_eq!(
        (&drawn["n_validation"], &drawn["frozen"]),
        (&json!(3), &Value::Null)
    );
    // Drawing and thawing are two actions, and both go back.
    done(&["data", "undo", &project]);
    done(&["data", "undo", &project]);
    assert_eq!(split(&["--freeze"])["frozen"], frozen["frozen"]);
}
