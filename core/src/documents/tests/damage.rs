//! Damaged files: cut off anywhere, any bit turned. Nothing may panic, whatever comes of it.
//!
//! Every case is made from a seed, so that a failure names the case that failed.

use super::{Bytes, fixture, inspect};
use crate::{documents::InputFile, rng::Rng};

/// Cases of each kind for each file.
const N_CASES: u64 = 20;

/// Look into a file and read all of it that can be read.
fn read_all(name: &str, bytes: Vec<u8>) {
    for part in inspect(Bytes::of(name, bytes)) {
        let preview = part.preview(&part.view.reading, None);
        assert!(preview.failed.is_none_or(|reason| !reason.is_empty()));
        let Ok(arrivals) = part.records(&part.view.reading, None) else {
            continue;
        };
        // A damaged count may promise rows without end.
        for arrival in arrivals.take(10_000) {
            let Ok(arrival) = arrival else { break };
            assert!(arrival.record.is_some() || !arrival.problems.is_empty());
            assert!((0.0..=1.0).contains(&arrival.progress));
        }
    }
}

fn bytes(file: &dyn InputFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = file
        .open()
        .and_then(|mut source| source.read_to_end(&mut bytes));
    assert!(read.is_ok());
    bytes
}

#[track_caller]
fn check(file: std::rc::Rc<dyn InputFile>) {
    let whole = bytes(&*file);
    for seed in 0..N_CASES {
        let mut rng = Rng::new(seed, 0);
        let n = rng.below(whole.len());
        read_all(file.name(), whole[..n].to_vec());
        let mut turned = whole.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(turned.len());
            turned[at] ^= 1 << rng.below(8);
        }
        read_all(file.name(), turned);
        // Lengths and counts lie at the ends of most formats.
        let mut end = whole.clone();
        let n = end.len();
        let at = n - 1 - rng.below(n.min(200));
        end[at] = rng.below(256) as u8;
        read_all(file.name(), end);
    }
}

#[test]
fn text_files() {
    check(fixture!("insurance.jsonl"));
    check(fixture!("bonds.json"));
    check(fixture!("census.csv"));
    check(fixture!("banks.csv"));
}

#[test]
fn workbooks() {
    check(fixture!("questions.xlsx"));
    check(fixture!("census.xlsx"));
    check(fixture!("questions.ods"));
}

#[test]
fn archives() {
    check(fixture!("bundle.zip"));
    check(fixture!("traversal.zip"));
    check(fixture!("encrypted.zip"));
}

/// Archives protect their members by checksums, so that damage inside hardly reaches those who
/// parse them. Here it does.
#[test]
fn members_whose_checksums_are_right() {
    for seed in 0..N_CASES {
        read_all(
            "questions.xlsx",
            repacked(&bytes(&*fixture!("questions.xlsx")), seed),
        );
        read_all(
            "census.xlsx",
            repacked(&bytes(&*fixture!("census.xlsx")), seed),
        );
        read_all(
            "questions.ods",
            repacked(&bytes(&*fixture!("questions.ods")), seed),
        );
    }
}

/// The archive with a member damaged inside, and whole outside.
fn repacked(archive: &[u8], seed: u64) -> Vec<u8> {
    use std::io::{Cursor, Read, Write};
    let mut rng = Rng::new(seed, 0);
    let mut source = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let victim = rng.below(source.len());
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..source.len() {
        let mut member = source.by_index(i).unwrap();
        let mut text = Vec::new();
        member.read_to_end(&mut text).unwrap();
        let name = member.name().unwrap().into_owned();
        if i == victim && !text.is_empty() {
            damage(&mut text, &mut rng);
        }
        let options = zip::write::SimpleFileOptions::default();
        out.start_file(
            name,
            options.compression_method(zip::CompressionMethod::Stored),
        )
        .unwrap();
        out.write_all(&text).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// Turn bits, cut off, or put extreme numbers where numbers are.
fn damage(text: &mut Vec<u8>, rng: &mut Rng) {
    const EXTREMES: [&[u8]; 5] = [
        b"4294967295",
        b"-1",
        b"99999999999999999999",
        b"XFE1048577",
        b"",
    ];
    for _ in 0..=rng.below(6) {
        let at = rng.below(text.len());
        match rng.below(3) {
            0 => text[at] ^= 1 << rng.below(8),
            1 => text.truncate(at.max(1)),
            _ => {
                let digit = text[at..].iter().position(u8::is_ascii_digit);
                let start = digit.map_or(at, |digit| at + digit);
                let end = text[start..].iter().position(|b| !b.is_ascii_digit());
                let end = end.map_or(text.len(), |end| start + end);
                let extreme = EXTREMES[rng.below(5)];
                text.splice(start..end, extreme.iter().copied());
                if text.is_empty() {
                    text.push(b'x');
                }
            }
        }
    }
}
