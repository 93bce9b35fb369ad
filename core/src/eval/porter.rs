//! The Porter stemmer as NLTK runs it by default, for ROUGE with stemming.
//!
//! M. F. Porter, "An algorithm for suffix stripping", Program 14.3 (1980), with the changes of
//! NLTK's `NLTK_EXTENSIONS` mode: a table of irregular words, `-ies` and `-ied` of four-letter
//! words, `y` to `i` only after a consonant, `-bli`, `-alli` tried first, `-fulli` and `-logi`.
//!
//! The measure m of a stem is the number of times a vowel is followed by a consonant.

/// A suffix, what takes its place, and nothing else: the condition belongs to the step.
type Rule = (&'static str, &'static str);

const IRREGULAR: [(&str, &str); 16] = [
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

const STEP_2: [Rule; 21] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
];

const STEP_3: [Rule; 7] = [
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

const STEP_4: [&str; 19] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou",
    "ism", "ate", "iti", "ous", "ive", "ize",
];

/// Stem of a word of `a-z0-9`; words of one or two letters stay as they are.
pub(super) fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
        return (*stem).to_owned();
    }
    if word.len() <= 2 {
        return word.to_owned();
    }
    let word = plural(word);
    let word = past_and_gerund(&word);
    let word = final_y(&word);
    let word = double_suffix(&word);
    let word = replace_first(&word, &STEP_3, |stem| measure(stem) > 0);
    let word = single_suffix(&word);
    let word = final_e(&word);
    if word.ends_with("ll") && measure(&word[..word.len() - 1]) > 1 {
        word[..word.len() - 1].to_owned()
    } else {
        word
    }
}

/// Step 1a.
fn plural(word: &str) -> String {
    if word.len() == 4 && word.ends_with("ies") {
        return word[..3].to_owned();
    }
    replace_first(
        word,
        &[("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")],
        |_| true,
    )
}

/// Step 1b.
fn past_and_gerund(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ied") {
        return format!("{stem}{}", if word.len() == 4 { "ie" } else { "i" });
    }
    if let Some(stem) = word.strip_suffix("eed") {
        return if measure(stem) > 0 {
            format!("{stem}ee")
        } else {
            word.to_owned()
        };
    }
    let stripped = ["ed", "ing"]
        .into_iter()
        .filter_map(|suffix| word.strip_suffix(suffix))
        .find(|stem| has_vowel(stem));
    match stripped {
        Some(stem) => restored(stem),
        None => word.to_owned(),
    }
}

/// What step 1b gives back to a stem that lost `-ed` or `-ing`.
fn restored(stem: &str) -> String {
    if ["at", "bl", "iz"].iter().any(|end| stem.ends_with(end)) {
        return format!("{stem}e");
    }
    if ends_in_double_consonant(stem) {
        let keeps_both = stem.ends_with(['l', 's', 'z']);
        return stem[..stem.len() - usize::from(!keeps_both)].to_owned();
    }
    if measure(stem) == 1 && ends_in_short_syllable(stem) {
        return format!("{stem}e");
    }
    stem.to_owned()
}

/// Step 1c.
fn final_y(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) if stem.len() > 1 && consonants(stem).last() == Some(&true) => {
            format!("{stem}i")
        }
        _ => word.to_owned(),
    }
}

/// Step 2. The `l` of `-logi` belongs to the stem, so that `geologi` counts as `geol` + `ogi`.
fn double_suffix(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("alli")
        && measure(stem) > 0
    {
        return double_suffix(&format!("{stem}al"));
    }
    if STEP_2.iter().any(|(suffix, _)| word.ends_with(suffix)) {
        return replace_first(word, &STEP_2, |stem| measure(stem) > 0);
    }
    match word.strip_suffix("logi") {
        Some(stem) if measure(&word[..word.len() - 3]) > 0 => format!("{stem}log"),
        _ => word.to_owned(),
    }
}

/// Step 4.
fn single_suffix(word: &str) -> String {
    for suffix in STEP_4 {
        let Some(stem) = word.strip_suffix(suffix) else {
            continue;
        };
        let applies = measure(stem) > 1 && (suffix != "ion" || stem.ends_with(['s', 't']));
        return if applies { stem } else { word }.to_owned();
    }
    word.to_owned()
}

/// Step 5a.
fn final_e(word: &str) -> String {
    match word.strip_suffix('e') {
        Some(stem)
            if measure(stem) > 1 || (measure(stem) == 1 && !ends_in_short_syllable(stem)) =>
        {
            stem.to_owned()
        }
        _ => word.to_owned(),
    }
}

/// The first rule whose suffix fits decides, whether or not its condition holds.
fn replace_first(word: &str, rules: &[Rule], applies: impl Fn(&str) -> bool) -> String {
    for (suffix, replacement) in rules {
        if let Some(stem) = word.strip_suffix(suffix) {
            return if applies(stem) {
                format!("{stem}{replacement}")
            } else {
                word.to_owned()
            };
        }
    }
    word.to_owned()
}

/// For each letter whether it is a consonant; `y` is one at the start and after a vowel.
fn consonants(word: &str) -> Vec<bool> {
    let mut flags: Vec<bool> = Vec::with_capacity(word.len());
    for letter in word.bytes() {
        flags.push(match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => flags.last().is_none_or(|before| !before),
            _ => true,
        });
    }
    flags
}

fn measure(stem: &str) -> usize {
    consonants(stem)
        .windows(2)
        .filter(|pair| !pair[0] && pair[1])
        .count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

fn ends_in_double_consonant(word: &str) -> bool {
    let letters = word.as_bytes();
    letters.len() >= 2
        && letters[letters.len() - 1] == letters[letters.len() - 2]
        && consonants(word).last() == Some(&true)
}

/// Consonant, vowel, consonant other than w, x, y; or a word of vowel and consonant.
fn ends_in_short_syllable(word: &str) -> bool {
    match consonants(word)[..] {
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        [false, true] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of word and stem from NLTK (`tests/fixtures/gen/metrics.py`).
    const GOLDEN: &str = include_str!("../../../tests/fixtures/metrics/porter.tsv");

    #[test]
    fn stems_equal_nltk() {
        let mut n_words = 0;
        for line in GOLDEN.lines() {
            let (word, expected) = line.split_once('\t').expect("two columns");
            assert_eq!(stem(word), expected, "{word}");
            n_words += 1;
        }
        assert!(n_words > 2000, "{n_words} words in the golden");
    }
}
