//! Record borders in good and in broken files.

use super::*;

fn scan(text: &str) -> (Vec<(u64, String, Option<Fault>)>, Layout) {
    let mut scanner = Scanner::new(text.as_bytes(), 200);
    let mut chunks = Vec::new();
    while let Some(chunk) = scanner.next_chunk().unwrap() {
        let text = String::from_utf8(chunk.bytes).unwrap();
        chunks.push((chunk.line, text.trim_end().to_owned(), chunk.fault));
    }
    (chunks, scanner.layout())
}

#[track_caller]
fn check(text: &str, layout: Layout, expected: &[(u64, &str)]) {
    let (chunks, found) = scan(text);
    let expected: Vec<_> = expected
        .iter()
        .map(|&(l, t)| (l, t.to_owned(), None))
        .collect();
    assert_eq!((chunks, found), (expected, layout));
}

#[test]
fn lines() {
    let text = "{\"a\": \"}{\"}\r\n\n  {\"b\": [1, {}]}\n";
    check(
        text,
        Layout::Lines,
        &[(1, "{\"a\": \"}{\"}"), (3, "{\"b\": [1, {}]}")],
    );
}

#[test]
fn an_array_on_one_line_and_over_many() {
    check(
        "[{\"a\":1}, {\"b\":2}]",
        Layout::Array,
        &[(1, "{\"a\":1}"), (1, "{\"b\":2}")],
    );
    let text = "[\n  {\n    \"a\": [\n{\n}\n]\n  },\n  {}\n]\n";
    check(
        text,
        Layout::Array,
        &[(2, "{\n    \"a\": [\n{\n}\n]\n  }"), (8, "{}")],
    );
}

#[test]
fn objects_one_after_the_other() {
    check(
        "{\"a\":1}{\"b\":2}",
        Layout::Lines,
        &[(1, "{\"a\":1}"), (1, "{\"b\":2}")],
    );
    let text = "{\n \"a\": {\n }\n}\n{\n \"b\":2\n}";
    let expected = [(1, "{\n \"a\": {\n }\n}"), (5, "{\n \"b\":2\n}")];
    check(text, Layout::Concatenated, &expected);
}

#[test]
fn a_wrapped_array_names_what_it_does_not_read() {
    let text = "{\"version\": [1], \"data\": [\n{\"a\":1},\n{\"b\":2}], \"test\": [{\"c\":3}]}";
    check(
        text,
        Layout::Wrapped("data"),
        &[(2, "{\"a\":1}"), (3, "{\"b\":2}")],
    );
    let unread = |text: &str| {
        let mut scanner = Scanner::new(text.as_bytes(), 200);
        while scanner.next_chunk().unwrap().is_some() {}
        let unread = scanner.unread.into_iter();
        let told: Vec<_> = unread
            .map(|unread| (unread.key, unread.line, unread.n_objects))
            .collect();
        told
    };
    assert_eq!(unread(text), [("test".to_owned(), 3, 1)]);
    let around =
        "{\"test\": [\n{\"c\": [{}]}, {}], \"x\": [{}],\n\"train\": [{}, {}],\n\"note\": \"y\"}";
    let expected = [("test", 2, 2), ("x", 2, 1), ("note", 4, 0)];
    assert_eq!(
        unread(around),
        expected.map(|(key, line, n)| (key.to_owned(), line, n))
    );
}

#[test]
fn a_record_with_a_data_field_is_no_wrapper() {
    check(
        "{\"data\": [1, 2]}",
        Layout::Lines,
        &[(1, "{\"data\": [1, 2]}")],
    );
}

#[test]
fn a_truncated_line_does_not_swallow_the_next() {
    for broken in [
        "{\"a\": ",
        "{\"a\": [{\"b\":1},",
        "{\"a\": \"open",
        "{\"a\": \"x\"",
    ] {
        let (chunks, _) = scan(&format!("{{\"z\":0}}\n{broken}\n{{\"c\":2}}\n{{\"d\":3}}"));
        let lines: Vec<_> = chunks.iter().map(|c| (c.0, c.2.is_some())).collect();
        assert_eq!(
            lines,
            [(1, false), (2, true), (3, false), (4, false)],
            "{broken}"
        );
    }
}

#[test]
fn a_broken_first_line_does_not_swallow_the_next() {
    let (chunks, _) = scan("{\"a\": \"open\n{\"c\":2}\n{\"d\":3}");
    assert_eq!(chunks.iter().map(|c| c.0).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_broken_element_of_an_array_costs_only_itself() {
    for broken in [
        "\"a\": \"x\"",
        "\"a\": [{\"b\": 1},",
        "\"a\": \"line\n   break\"\n  }",
        "\"a\": \"open }",
    ] {
        let (chunks, _) = scan(&format!(
            "[\n  {{\n    \"z\": 0\n  }},\n  {{\n    {broken},\n  {{\n    \"c\": 2\n  }},\n  {{}}\n]\n"
        ));
        let faults: Vec<bool> = chunks.iter().map(|c| c.2.is_some()).collect();
        assert_eq!(faults, [false, true, false, false], "{broken}: {chunks:?}");
    }
}

#[test]
fn a_forgotten_bracket_closes_with_its_record() {
    let (chunks, _) = scan("[{\"m\":[{\"a\":1}},{\"b\":2}]");
    let texts: Vec<&str> = chunks.iter().map(|c| c.1.as_str()).collect();
    assert_eq!(texts, ["{\"m\":[{\"a\":1}}", "{\"b\":2}"]);
}

#[test]
fn an_array_that_never_closes_is_said() {
    let (chunks, _) = scan("[{\"a\":1},\n");
    assert_eq!(chunks[1].2, Some(Fault::ArrayNotClosed));
}

#[test]
fn what_is_no_object_is_a_chunk_of_its_own() {
    let (chunks, _) = scan("{\"a\":1}\nhello, world\n{\"b\":2}\n");
    assert_eq!(chunks[1].1, "hello, world");
    let (chunks, _) = scan("[{\"a\":1}, null, [1, {}], \"x,y\", {\"b\":2}]");
    let texts: Vec<&str> = chunks.iter().map(|c| c.1.as_str()).collect();
    assert_eq!(
        texts,
        ["{\"a\":1}", "null", "[1, {}]", "\"x,y\"", "{\"b\":2}"]
    );
}

#[test]
fn a_record_over_the_cap_is_not_kept_and_the_rest_is_read() {
    let long = "x".repeat(500);
    let (chunks, _) = scan(&format!(
        "{{\"a\":1}}\n{{\"a\":\"{long}\"}}\n{long}\n{{\"b\":2}}"
    ));
    let seen: Vec<_> = chunks.iter().map(|c| (c.0, c.1.len(), c.2)).collect();
    let large = Some(Fault::TooLarge);
    assert_eq!(
        seen,
        [(1, 7, None), (2, 0, large), (3, 0, large), (4, 7, None)]
    );
}

/// Gives a byte at a time, so that nothing is at hand but the next.
struct Dripping<'a>(&'a [u8]);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = buffer.len().min(1);
        self.0.read(&mut buffer[..n])
    }
}

fn chunks(source: impl Read, most: usize) -> Vec<Chunk> {
    let mut scanner = Scanner::new(source, 20);
    let next = std::iter::from_fn(|| scanner.next_chunk().unwrap());
    next.take(most).collect()
}

#[test]
fn no_bytes_make_it_panic_or_hang_and_runs_of_them_are_as_one_after_the_other() {
    let mut rng = crate::rng::Rng::new(5, 0);
    let alphabet = "{}[]\",:\\\n a1é".as_bytes();
    for _ in 0..3000 {
        let n = rng.below(60);
        let bytes: Vec<u8> = (0..n).map(|_| *rng.pick(alphabet)).collect();
        let found = chunks(&*bytes, n + 2);
        let text = String::from_utf8_lossy(&bytes);
        assert!(found.len() <= n + 1, "{text:?}");
        assert_eq!(found, chunks(Dripping(&bytes), n + 2), "{text:?}");
    }
}
