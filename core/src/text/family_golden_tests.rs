//! Templates in the forms of the model families against transformers, byte for byte, also with the
//! last message left open.
//!
//! The goldens come from `tests/fixtures/gen/family_templates.py`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::chat_values::ChatValues;
use super::dialogue::continued;
use super::{ChatTemplate, DateTime, RenderOptions, Rendered, TextError};

#[derive(Deserialize)]
struct Golden {
    special_tokens: Map<String, Value>,
    now: i64,
    tools: Vec<Value>,
    with_tools: Vec<String>,
    chats: BTreeMap<String, Vec<Map<String, Value>>>,
    templates: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    chat: String,
    #[serde(default)]
    add_generation_prompt: bool,
    /// The last message is left open.
    #[serde(default)]
    open: bool,
    text: Option<String>,
    #[serde(default)]
    generated: Vec<[usize; 2]>,
    rejected: Option<String>,
}

fn render(golden: &Golden, case: &Case) -> Result<Rendered, TextError> {
    let source = &golden.templates[&case.template];
    let template = ChatTemplate::new(source, golden.special_tokens.clone())?;
    let tools = golden.with_tools.contains(&case.chat);
    let tools = tools.then_some(golden.tools.as_slice());
    let chat = ChatValues::from_json(golden.chats[&case.chat].clone(), tools);
    let options = RenderOptions {
        add_generation_prompt: case.add_generation_prompt,
        variables: Map::new(),
        now: Some(DateTime::from_unix(golden.now)),
    };
    if !case.open {
        return template.render_chat(&chat, &options);
    }
    let text = continued(&chat, |chat| Ok(template.render_chat(chat, &options)?.text))?;
    Ok(Rendered {
        text,
        generated: Vec::new(),
    })
}

/// What differs from what a case expects.
fn difference(case: &Case, got: &Result<Rendered, TextError>) -> Option<String> {
    let is_equal = match (&case.text, &case.rejected, got) {
        (Some(text), _, Ok(rendered)) => {
            let spans = rendered.generated.iter();
            let spans: Vec<[usize; 2]> = spans.map(|span| [span.start, span.end]).collect();
            *text == rendered.text && (case.open || spans == case.generated)
        }
        (None, Some(expected), Err(TextError::Rejected { message })) => expected == message,
        // Python raises a TypeError or UndefinedError: ours only has to be an error too.
        (None, None, Err(_)) => true,
        _ => false,
    };
    let how = if case.open { "left open" } else { "whole" };
    (!is_equal).then(|| {
        format!(
            "{} on {:?}, {how}, prompt {}\n  expected {:?} {:?}\n     found {got:?}",
            case.template, case.chat, case.add_generation_prompt, case.text, case.rejected
        )
    })
}

#[track_caller]
fn check(json: &str) {
    let golden: Golden = serde_json::from_str(json).unwrap();
    let differences: Vec<String> = golden
        .cases
        .iter()
        .filter_map(|case| difference(case, &render(&golden, case)))
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {} differ\n{}",
        differences.len(),
        golden.cases.len(),
        differences.join("\n")
    );
}

#[test]
fn the_forms_of_llama_and_mistral() {
    check(include_str!(
        "../../../tests/fixtures/templates/family_llama_mistral.json"
    ));
}

#[test]
fn the_forms_of_qwen_deepseek_yi_and_smollm() {
    check(include_str!(
        "../../../tests/fixtures/templates/family_qwen_deepseek.json"
    ));
}

#[test]
fn the_forms_of_phi_gemma_and_others() {
    check(include_str!(
        "../../../tests/fixtures/templates/family_others.json"
    ));
}
