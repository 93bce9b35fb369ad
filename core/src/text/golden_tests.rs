//! Renderings against transformers' `apply_chat_template`, byte for byte.
//!
//! The goldens come from `tests/fixtures/gen/templates.py`.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::{ChatTemplate, DateTime, Message, RenderOptions, TextError, builtin_template};

#[derive(Deserialize)]
struct Golden {
    special_tokens: Map<String, Value>,
    now: i64,
    variables: Map<String, Value>,
    tools: Vec<Value>,
    with_tools: Vec<String>,
    chats: BTreeMap<String, Vec<Message>>,
    /// `None` names a built-in template.
    templates: BTreeMap<String, Option<String>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    chat: String,
    add_generation_prompt: bool,
    text: Option<String>,
    #[serde(default)]
    generated: Vec<[usize; 2]>,
    rejected: Option<String>,
}

/// Differences between what a case expects and what we give.
fn difference(golden: &Golden, case: &Case, template: &ChatTemplate) -> Option<String> {
    let has_tools = golden.with_tools.contains(&case.chat);
    let options = RenderOptions {
        add_generation_prompt: case.add_generation_prompt,
        variables: golden.variables.clone(),
        now: Some(DateTime::from_unix(golden.now)),
    };
    let tools: &[Value] = if has_tools { &golden.tools } else { &[] };
    let got = template.render_marked(&golden.chats[&case.chat], tools, &options);
    let name = format!(
        "{} on {:?}, prompt {}",
        case.template, case.chat, case.add_generation_prompt
    );
    match (&case.text, &case.rejected, got) {
        (Some(text), _, Ok(rendered)) if *text != rendered.text => Some(format!(
            "{name}\n  expected {text:?}\n     found {:?}",
            rendered.text
        )),
        (Some(_), _, Ok(rendered)) => {
            let spans: Vec<[usize; 2]> = rendered
                .generated
                .iter()
                .map(|span| [span.start, span.end])
                .collect();
            (spans != case.generated).then(|| {
                format!(
                    "{name}\n  expected spans {:?}\n     found spans {spans:?}",
                    case.generated
                )
            })
        }
        (None, Some(expected), Err(TextError::Rejected { message })) if *expected == message => {
            None
        }
        // Python raises a TypeError or UndefinedError: ours only has to be an error too.
        (None, None, Err(_)) => None,
        (expected, rejected, got) => Some(format!(
            "{name}\n  expected {expected:?} {rejected:?}\n     found {got:?}"
        )),
    }
}

#[track_caller]
fn check(json: &str) {
    let golden: Golden = serde_json::from_str(json).unwrap();
    let templates: BTreeMap<&str, Result<ChatTemplate, TextError>> = golden
        .templates
        .iter()
        .map(|(name, source)| {
            let source = source
                .as_deref()
                .or_else(|| builtin_template(name))
                .unwrap();
            (
                name.as_str(),
                ChatTemplate::new(source, golden.special_tokens.clone()),
            )
        })
        .collect();
    let differences: Vec<String> = golden
        .cases
        .iter()
        .filter_map(|case| match &templates[case.template.as_str()] {
            Ok(template) => difference(&golden, case, template),
            Err(error) => Some(format!("{}: {error}", case.template)),
        })
        .collect();
    let n_cases = golden.cases.len();
    assert!(
        differences.is_empty(),
        "{} of {n_cases} differ\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn every_feature_renders_as_in_transformers() {
    check(include_str!(
        "../../../tests/fixtures/templates/features.json"
    ));
}

#[test]
fn built_in_templates_render_as_in_transformers() {
    check(include_str!(
        "../../../tests/fixtures/templates/builtin.json"
    ));
}
