//! The fast way against the library, over rules and texts.

use serde_json::{Value, json};

use super::{
    known::{LONGEST_KNOWN, MOST_KNOWN},
    *,
};
use crate::rng::Rng;

const FILE: &[u8] = include_bytes!("../../../tests/fixtures/tokenizers/byte_level/tokenizer.json");

/// Whatever cuts, merges or composes in its own way.
const ATOMS: [&str; 46] = [
    " ",
    "  ",
    "   ",
    "\n",
    "\r\n",
    "\n\n",
    "\t",
    "\u{a0}",
    "\u{3000}",
    "\u{2028}",
    "'s",
    "'LL",
    "’t",
    "don't",
    "a",
    "Z",
    "ß",
    "hello",
    " world",
    "Prämie",
    "número",
    "e\u{301}",
    "\u{301}",
    "\u{315}\u{300}",
    "é",
    "ﬁ",
    "が",
    "か\u{3099}",
    "保険料",
    "はいくらですか。",
    "0",
    "12",
    "3456789",
    "½",
    "٣",
    "!",
    "?!…",
    "...",
    "/",
    "{\"a\":1}",
    "🙂",
    "👩\u{200d}💻",
    "\u{0}",
    "\u{feff}",
    "<|im_end|>",
    "<|im_",
];

fn tokenizers() -> Vec<(String, Engine)> {
    let mut engines = Vec::new();
    let to_bytes = |use_regex| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex});
    let mut cuts = vec![to_bytes(true)];
    let single = super::super::SPLIT_RULES
        .iter()
        .filter(|rule| rule.patterns.len() == 1);
    for rule in single {
        let split = json!({"type": "Split", "pattern": {"Regex": rule.patterns[0]}, "behavior": "Isolated", "invert": false});
        cuts.push(json!({"type": "Sequence", "pretokenizers": [split, to_bytes(false)]}));
    }
    for cut in cuts {
        for (normalizer, trim, prefix) in [
            (Value::Null, false, true),
            (Value::Null, true, true),
            (json!({"type": "NFC"}), true, false),
        ] {
            let mut file: Value = serde_json::from_slice(FILE).unwrap();
            let last = json!({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": true});
            file["pre_tokenizer"] = cut.clone();
            file["normalizer"] = normalizer.clone();
            file["post_processor"] = last;
            let name = format!("{cut} {normalizer} {trim}");
            engines.push((name, Engine::from_bytes(file.to_string()).unwrap()));
        }
    }
    engines
}

fn slow(engine: &Engine, text: &str) -> Vec<Placed> {
    let encoding = engine.encode(text, false).unwrap();
    let ids = encoding.get_ids().iter().copied();
    ids.zip(encoding.get_offsets().iter().copied()).collect()
}

#[test]
fn tokens_and_places_are_the_librarys() {
    let mut rng = Rng::new(7, 0);
    let (mut n_fast, mut n_all) = (0, 0);
    for (name, engine) in tokenizers() {
        let fast = ByteLevel::of(&engine).unwrap_or_else(|| panic!("{name} is not done fast"));
        for _ in 0..300 {
            let n = 1 + rng.below(9);
            let text: String = (0..n).map(|_| ATOMS[rng.below(ATOMS.len())]).collect();
            n_all += 1;
            let Some(placed) = fast.encode(&engine, &text) else {
                continue;
            };
            n_fast += 1;
            assert_eq!(placed, slow(&engine, &text), "{text:?} by {name}");
        }
    }
    assert!(n_fast * 4 > n_all * 3, "{n_fast} of {n_all} texts");
    assert!(
        n_fast < n_all,
        "what the normalizer changes is left to the library"
    );
}

#[test]
fn what_is_known_is_used_again_and_not_forgotten() {
    let (_, engine) = tokenizers().remove(0);
    let fast = ByteLevel::of(&engine).unwrap();
    let text = "La prima del contrato es de 12 EUR.  Prima!";
    let n_known = || {
        let memories = fast.memories.lock().unwrap();
        memories
            .iter()
            .map(|memory| memory.known.len())
            .sum::<usize>()
    };
    let first = fast.encode(&engine, text);
    let n_first = n_known();
    assert!(n_first > 8, "{n_first}");
    assert_eq!(fast.encode(&engine, text), first);
    assert_eq!(n_known(), n_first);
    let long = "a".repeat(LONGEST_KNOWN + 1);
    assert_eq!(fast.encode(&engine, &long).unwrap(), slow(&engine, &long));
    assert_eq!(n_known(), n_first, "too long to keep");
    let many: String = (0..=MOST_KNOWN)
        .map(|number| format!(" {number}"))
        .collect();
    assert_eq!(fast.encode(&engine, &many).unwrap(), slow(&engine, &many));
    assert_eq!(n_known(), MOST_KNOWN);
}

#[test]
fn threads_learn_each_for_itself() {
    let (_, engine) = tokenizers().remove(0);
    let fast = ByteLevel::of(&engine).unwrap();
    let texts: Vec<String> = (0..400).map(|n| format!("Póliza {n}, 保険{n}。")).collect();
    let one_by_one: Vec<_> = texts.iter().map(|text| slow(&engine, text)).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (text, expected) in texts.iter().zip(&one_by_one) {
                    assert_eq!(&fast.encode(&engine, text).unwrap(), expected);
                }
            });
        }
    });
    assert!((1..=4).contains(&fast.memories.lock().unwrap().len()));
}

#[test]
fn other_tokenizers_are_left_to_the_library() {
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut file: Value = serde_json::from_slice(FILE).unwrap();
        change(&mut file);
        ByteLevel::of(&Engine::from_bytes(file.to_string()).unwrap()).is_some()
    };
    assert!(changed(&|_| {}));
    assert!(!changed(
        &|file| file["pre_tokenizer"]["add_prefix_space"] = json!(true)
    ));
    assert!(!changed(
        &|file| file["normalizer"] = json!({"type": "Lowercase"})
    ));
    assert!(!changed(
        &|file| file["added_tokens"][0]["lstrip"] = json!(true)
    ));
    assert!(!changed(&|file| file["model"]["dropout"] = json!(0.1)));
    assert!(!changed(
        &|file| file["pre_tokenizer"] = json!({"type": "Whitespace"})
    ));
}
