use super::*;

const URL: &str = "https://example.org/m.gguf";

fn note(etag: &str, total: u64) -> PartNote {
    PartNote {
        url: URL.into(),
        etag: Some(etag.into()),
        total: Some(total),
    }
}

fn answered(status: u16, etag: &str, range: Option<&str>) -> Answered {
    Answered {
        status,
        etag: Some(etag.into()),
        content_length: Some(100),
        content_range: range.map(Into::into),
        is_encoded: false,
    }
}

#[test]
fn a_fresh_download_writes_from_the_start() {
    let found = begin(URL, None, None, &answered(200, "a", None)).unwrap();
    let want = Begin::Write {
        from: 0,
        note: note("a", 100),
    };
    assert_eq!(found, want);
    assert_eq!(range(0), None);
}

#[test]
fn a_part_goes_on_where_it_ended() {
    let part = note("a", 100);
    let found = begin(
        URL,
        Some((&part, 40)),
        None,
        &answered(206, "a", Some("bytes 40-99/100")),
    );
    assert_eq!(
        found.unwrap(),
        Begin::Write {
            from: 40,
            note: note("a", 100)
        }
    );
    assert_eq!(range(40).unwrap(), "bytes=40-");
}

#[test]
fn a_new_version_begins_again() {
    let part = note("a", 100);
    for said in [
        answered(206, "b", Some("bytes 40-99/100")),
        answered(206, "a", Some("bytes 40-119/120")),
        answered(206, "a", Some("bytes 0-99/100")),
    ] {
        assert_eq!(
            begin(URL, Some((&part, 40)), None, &said).unwrap(),
            Begin::AskAgain
        );
    }
}

#[test]
fn a_server_without_ranges_begins_again() {
    let part = note("a", 100);
    let found = begin(URL, Some((&part, 40)), None, &answered(200, "a", None)).unwrap();
    assert!(matches!(found, Begin::Write { from: 0, .. }));
}

#[test]
fn a_range_whose_header_is_hidden_is_checked_by_its_length() {
    let part = note("a", 140);
    let hidden = answered(206, "a", None);
    let found = begin(URL, Some((&part, 40)), None, &hidden).unwrap();
    assert_eq!(
        found,
        Begin::Write {
            from: 40,
            note: part.clone()
        }
    );
    let found = begin(URL, Some((&part, 41)), None, &hidden).unwrap();
    assert_eq!(found, Begin::AskAgain);
}

#[test]
fn a_part_that_is_whole_needs_nothing() {
    let part = note("a", 100);
    let after = answered(416, "a", Some("bytes */100"));
    assert_eq!(
        begin(URL, Some((&part, 100)), None, &after).unwrap(),
        Begin::Whole
    );
    assert_eq!(
        begin(URL, Some((&part, 120)), None, &after).unwrap(),
        Begin::AskAgain
    );
}

#[test]
fn another_size_than_promised_is_refused() {
    let fault = begin(URL, None, Some(99), &answered(200, "a", None)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Checksum);
    assert!(fault.detail.contains("100 bytes, expected 99"));
}

#[test]
fn the_length_of_a_compressed_body_says_nothing() {
    let said = Answered {
        is_encoded: true,
        ..answered(200, "a", None)
    };
    let Begin::Write { note, .. } = begin(URL, None, Some(500), &said).unwrap() else {
        panic!("expected to write");
    };
    assert_eq!(note.total, Some(500));
}

#[test]
fn a_refusal_names_the_reason() {
    let fault = begin(URL, None, None, &answered(404, "a", None)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Network);
    assert!(
        fault.detail.contains("404 (there is no such file)"),
        "{}",
        fault.detail
    );
}

#[test]
fn the_end_counts() {
    assert!(end(&note("a", 100), 100).is_ok());
    assert_eq!(
        end(&note("a", 100), 60).unwrap_err().kind,
        FaultKind::Network
    );
    assert_eq!(
        end(&note("a", 100), 101).unwrap_err().kind,
        FaultKind::Checksum
    );
    let unknown = PartNote {
        total: None,
        ..note("a", 1)
    };
    assert!(end(&unknown, 7).is_ok());
}

#[test]
fn hashes_are_compared() {
    assert!(check_hash("m", None, "ab").is_ok());
    assert!(check_hash("m", Some("AB"), "ab").is_ok());
    let fault = check_hash("m", Some("cd"), "ab").unwrap_err();
    assert!(fault.detail.contains("ab, expected cd"));
}

#[test]
fn addresses_are_understood() {
    let file = |url: &str| Place::File {
        url: url.into(),
        sha256: None,
    };
    let folder = |url: &str| Place::Folder { url: url.into() };
    assert_eq!(
        place("https://huggingface.co/a/b/blob/main/m-Q4_0.gguf").unwrap(),
        file("https://huggingface.co/a/b/resolve/main/m-Q4_0.gguf")
    );
    assert_eq!(
        place(" https://huggingface.co/a/b/ ").unwrap(),
        folder("https://huggingface.co/a/b/resolve/main/")
    );
    assert_eq!(
        place("https://huggingface.co/a/b/tree/v2").unwrap(),
        folder("https://huggingface.co/a/b/resolve/v2/")
    );
    assert_eq!(
        place("http://localhost:1/x").unwrap(),
        folder("http://localhost:1/x/")
    );
    let hash = "0a".repeat(32);
    let found = place(&format!("https://e.org/m.gguf?download=true#sha256={hash}")).unwrap();
    let url = "https://e.org/m.gguf?download=true".to_owned();
    assert_eq!(
        found,
        Place::File {
            url,
            sha256: Some(hash)
        }
    );
    for wrong in ["", "m.gguf", "ftp://e.org/m.gguf", "https://"] {
        assert_eq!(
            place(wrong).unwrap_err().kind,
            FaultKind::Network,
            "{wrong}"
        );
    }
}
