//! Zipped folders, good and bad.

use super::{Bytes, arrivals, fixture, inspect, only, turns};
use crate::{
    documents::{Part, mark_companions},
    protocol::studio::PartKind,
};

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
    // With a formula of the workbook that holds no result.
    assert_eq!(counts, [2, 3, 4, 3]);
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
        part.view
            .reason
            .to_string()
            .contains("would unpack to 50331648 bytes"),
        "{}",
        part.view.reason
    );
}

#[test]
fn a_member_under_a_password_is_said() {
    let part = only(fixture!("encrypted.zip"));
    assert!(
        part.view
            .reason
            .to_string()
            .contains("protected by a password"),
        "{}",
        part.view.reason
    );
}

fn zipped(members: &[(&str, &[u8])]) -> std::rc::Rc<dyn crate::documents::InputFile> {
    use std::io::{Cursor, Write};
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default();
        out.start_file(*name, options).unwrap();
        out.write_all(bytes).unwrap();
    }
    Bytes::of("export.zip", out.finish().unwrap().into_inner())
}

/// Names of those that only tell of the others.
fn companions(parts: &[Part]) -> Vec<&str> {
    let beside = parts.iter().filter(|part| part.view.beside);
    beside.map(|part| part.view.name.as_str()).collect()
}

const ROWS: &[u8] = b"query,response\nWhat is a bond?,A loan\n";
const CARD: &[u8] = b"# A dataset\n\nQuestions, and answers to them.\n";

#[test]
fn what_tells_of_the_data_beside_it_is_marked() {
    let job = serde_json::to_vec(&crate::protocol::TrainJob::default()).unwrap();
    let parts = inspect(zipped(&[
        ("README.md", CARD),
        ("README_ja.md", CARD),
        ("LICENSE", b"You may use it."),
        (
            "dataset_info.json",
            b"{\"d\": {\"file_name\": \"train.csv\"}}",
        ),
        ("llama_factory.yaml", b"stage: sft\n"),
        ("job.json", &job),
        ("train.csv", ROWS),
        ("notes.md", CARD),
        ("readme.csv", ROWS),
        (
            "more/job.json",
            b"[{\"query\": \"a\", \"response\": \"b\"}]",
        ),
    ]));
    assert_eq!(
        companions(&parts),
        [
            "export.zip › README.md",
            "export.zip › README_ja.md",
            "export.zip › LICENSE",
            "export.zip › dataset_info.json",
            "export.zip › llama_factory.yaml",
            "export.zip › job.json",
        ]
    );
    let reason = parts[0].view.reason.to_string();
    assert!(
        matches!(parts[0].view.kind, PartKind::Document { .. }),
        "{reason}"
    );
}

#[test]
fn a_readme_among_documents_is_one_of_them() {
    let parts = inspect(zipped(&[("README.md", CARD), ("guide.md", CARD)]));
    assert_eq!((parts.len(), companions(&parts).len()), (2, 0));
    assert!(companions(&inspect(zipped(&[("README.md", CARD)]))).is_empty());
}

#[test]
fn a_folder_is_looked_at_as_a_whole() {
    let all = |names: &[(&str, &'static [u8])]| {
        let parts = names.iter();
        let parts = parts.flat_map(|(name, bytes)| inspect(Bytes::of(name, *bytes)));
        let mut parts: Vec<Part> = parts.collect();
        mark_companions(&mut parts);
        parts
    };
    let parts = all(&[
        ("export/README.md", CARD),
        ("export/data/train.csv", ROWS),
        ("docs/README.md", CARD),
        ("README.md", CARD),
    ]);
    assert_eq!(companions(&parts), ["export/README.md"]);
    // Files that were given one by one are what they are.
    assert!(companions(&all(&[("README.md", CARD), ("train.csv", ROWS)])).is_empty());
}
