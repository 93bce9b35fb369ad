//! What a model answers to the records of a dataset.

use anyhow::{Result, bail};
use veneer_core::{
    data::Record,
    model::{Decoder, GenerateOptions, generate},
    text::{EncodeOptions, ModelText, Prompt, encode_prompt},
};

use crate::{commands::generate::decode, interrupt, progress};

/// Rows that are continued together. Only prompts of one length are, so nothing is padded.
const BATCH: usize = 16;

/// A question of the dataset with what it should be answered.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Its place among the records.
    pub(crate) record_idx: usize,
    pub(crate) prompt: Prompt,
    /// What the user said last, for people.
    pub(crate) shown: String,
}

/// The questions of records that end in an answer.
pub(crate) fn questions(
    records: &[Record],
    text: &ModelText,
    options: &EncodeOptions,
) -> Result<Vec<Question>> {
    let mut questions = Vec::new();
    for (record_idx, record) in records.iter().enumerate() {
        if let Some(prompt) = encode_prompt(record, text, options)? {
            questions.push(Question {
                record_idx,
                shown: shown(record, &prompt),
                prompt,
            });
        }
    }
    if questions.is_empty() {
        bail!("no record ends in an answer, so there is nothing to ask the model");
    }
    Ok(questions)
}

fn shown(record: &Record, prompt: &Prompt) -> String {
    use veneer_core::{data::Body, text::Role};
    match &record.body {
        Body::Chat(chat) => {
            let asked = chat
                .messages
                .iter()
                .rev()
                .find(|message| message.role == Role::User);
            asked.map_or_else(|| prompt.text.clone(), |message| message.text().to_string())
        }
        _ => prompt.text.clone(),
    }
}

/// Answers in the order of the questions.
pub(crate) fn answer(
    model: &Decoder,
    text: &ModelText,
    questions: &[Question],
    options: &GenerateOptions,
    what: &str,
) -> Result<Vec<String>> {
    let length = |&i: &usize| questions[i].prompt.input_ids.len();
    let mut by_length: Vec<usize> = (0..questions.len()).collect();
    by_length.sort_by_key(length);

    let mut answers = vec![String::new(); questions.len()];
    let bar = progress::bar(questions.len() as u64, what);
    for same in by_length.chunk_by(|a, b| length(a) == length(b)) {
        for batch in same.chunks(BATCH) {
            let prompts: Vec<&[u32]> = batch
                .iter()
                .map(|&i| questions[i].prompt.input_ids.as_slice())
                .collect();
            let generated = generate(model, &prompts, options, &interrupt::asked);
            if interrupt::asked() {
                bail!("stopped");
            }
            for (&question_idx, generated) in batch.iter().zip(&generated) {
                answers[question_idx] = decode(text, generated)?.unwrap_or_default();
            }
            bar.inc(batch.len() as u64);
        }
    }
    bar.finish_and_clear();
    Ok(answers)
}
