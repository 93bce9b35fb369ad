//! Zipped folders, good and bad.

use super::{arrivals, fixture, inspect, only, turns};
use crate::{documents::Part, protocol::studio::PartKind};

/// Names with the reason where a part cannot be read.
fn listing(parts: &[Part]) -> Vec<String> {
    let line = |part: &Part| match part.view.kind {
        PartKind::Unreadable => format!("{}: {}", part.view.name, part.view.reason),
        _ => part.view.name.clone(),
    };
    parts.iter().map(line).collect()
}

#[test]
fn members_are_parts_and_what_systems_leave_is_not() {
    let parts = inspect(fixture!("bundle.zip"));
    assert_eq!(
        listing(&parts),
        [
            "bundle.zip › data/insurance.jsonl",
            "bundle.zip › data/質問票.csv",
            "bundle.zip › data/book.xlsx › 日本語",
            "bundle.zip › data/book.xlsx › Español",
            "bundle.zip › data/inner.zip: `bundle.zip › data/inner.zip`: is an archive inside an \
             archive, which is not opened; unpack it first",
            "bundle.zip › data/photo.png: `bundle.zip › data/photo.png`: holds no text and is of \
             no known kind",
        ]
    );
    let counts: Vec<usize> = parts[..4].iter().map(|part| arrivals(part).len()).collect();
    assert_eq!(counts, [2, 3, 3, 3]);
    assert!(turns(&arrivals(&parts[1])[0]).0.starts_with("定期保険"));
}

#[test]
fn names_that_lead_out_are_refused() {
    let parts = inspect(fixture!("traversal.zip"));
    let listing = listing(&parts);
    assert_eq!(listing.len(), 4);
    for (line, member) in
        listing
            .iter()
            .zip(["../../etc/evil.jsonl", "/root/evil.jsonl", "C:/evil.jsonl"])
    {
        let said = format!("contains `{member}`, a path that leads out of the archive");
        assert!(line.contains(&said), "{line}");
    }
    assert_eq!(arrivals(&parts[3]).len(), 3);
}

#[test]
fn a_bomb_is_not_unpacked() {
    let part = only(fixture!("bomb.zip"));
    assert!(
        part.view.reason.contains("would unpack to 50331648 bytes"),
        "{}",
        part.view.reason
    );
}

#[test]
fn a_member_under_a_password_is_said() {
    let part = only(fixture!("encrypted.zip"));
    assert!(
        part.view.reason.contains("protected by a password"),
        "{}",
        part.view.reason
    );
}
