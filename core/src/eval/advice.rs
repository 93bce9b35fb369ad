//! Warnings about scores that mislead on the texts at hand.

use super::{
    bleu_tokenizer::BleuTokenizer, metric::Metric, prediction::Prediction, rouge,
    score::ScoreOptions,
};

/// Sentences for the user, none when the metrics suit the texts.
pub fn advice(
    predictions: &[Prediction],
    metrics: &[Metric],
    options: &ScoreOptions,
) -> Vec<String> {
    let count = |holds: fn(&str) -> bool| {
        let record_holds = |record: &&Prediction| record.references.iter().all(|text| holds(text));
        predictions.iter().filter(record_holds).count()
    };
    let n_records = predictions.len();
    let mut advice = Vec::new();

    let n_blind = count(|text| !rouge::reads(text));
    if n_blind > 0
        && metrics
            .iter()
            .any(|metric| metric.name().starts_with("rouge"))
    {
        advice.push(format!(
            "ROUGE reads only a-z and 0-9: {n_blind} of {n_records} records have a reference of \
             which that is less than half, so that their scores say little; chrf works in every script"
        ));
    }
    let n_unspaced = count(|text| text.chars().any(is_unspaced_script));
    let spaced = matches!(
        options.bleu_tokenize,
        BleuTokenizer::V13a | BleuTokenizer::Intl | BleuTokenizer::None
    );
    if n_unspaced > 0 && spaced && metrics.contains(&Metric::Bleu) {
        advice.push(format!(
            "BLEU's tokenizer {} takes text without spaces for one word: {n_unspaced} of \
             {n_records} records are Chinese or Japanese; choose zh (Chinese) or char",
            options.bleu_tokenize
        ));
    }
    advice
}

/// Han, Hiragana and Katakana.
fn is_unspaced_script(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(references: &[&str]) -> Vec<Prediction> {
        references
            .iter()
            .map(|reference| Prediction {
                prediction: String::new(),
                references: vec![(*reference).to_owned()],
            })
            .collect()
    }

    #[test]
    fn japanese_gets_advice_and_spanish_none() {
        let metrics = [Metric::Rouge1, Metric::Bleu];
        let options = ScoreOptions::default();
        for text in ["東京です", "2023年の保険料は2,000円です", "Привет, BBVA"] {
            let said = advice(&records(&[text, "Tokyo"]), &[Metric::Rouge1], &options);
            assert!(said[0].contains("1 of 2 records"), "{said:?}");
        }
        let japanese = advice(&records(&["東京です", "Tokyo"]), &metrics, &options);
        assert_eq!(japanese.len(), 2, "{japanese:?}");
        assert!(advice(&records(&["¿Cuánto fue?"]), &metrics, &options).is_empty());
    }

    #[test]
    fn a_fitting_tokenizer_needs_no_advice() {
        let options = ScoreOptions {
            bleu_tokenize: BleuTokenizer::Char,
            ..Default::default()
        };
        assert!(advice(&records(&["東京"]), &[Metric::Bleu], &options).is_empty());
    }
}
