use super::*;
use crate::{
    project::{
        content::content_of,
        testing::{chat, in_memory, project_of, question, text_files, turns, with_text_model},
    },
    protocol::studio::TextOptions,
    text::{Role, inspect},
};

/// The view of a record says what training says.
#[track_caller]
fn view(record: Record, max_length: u32) -> TokensView {
    let project = with_text_model(project_of([record.clone()]), max_length);
    let view = project.tokens(RecordKey(1), None).unwrap();
    let model = project.model_text().unwrap().unwrap();
    let options = project.encode_options().unwrap();
    let of_run = |kind: RefusalKind| kind == RefusalKind::EndNeverTrained;
    let refusals = inspect(std::slice::from_ref(&record), &model, &options);
    let expected: Vec<_> = refusals
        .iter()
        .filter(|refusal| !of_run(refusal.kind))
        .map(|refusal| (refusal_name(refusal.kind), &refusal.message, &refusal.hint))
        .collect();
    let found: Vec<_> = view
        .refusals
        .iter()
        .map(|refusal| (refusal.kind.0.as_str(), &refusal.message, &refusal.hint))
        .collect();
    assert_eq!(found, expected);
    if let Ok(prepared) = encode_record(&record, &model, &options) {
        let rows = token_table(&prepared, model.tokenizer.as_ref(), &model.end_token_ids);
        assert_eq!(view.text, prepared.text);
        assert_eq!(view.tokens.len(), rows.len());
        for (token, row) in view.tokens.iter().zip(rows) {
            let found = (
                token.id,
                &token.text,
                token.trained,
                token.cut,
                token.ends_generation,
            );
            assert_eq!(
                found,
                (row.id, &row.text, row.trained, row.cut, row.ends_generation)
            );
        }
        let trained = view
            .tokens
            .iter()
            .filter(|token| token.trained && !token.cut);
        assert_eq!(view.n_trained, trained.count() as u64);
        let kept = view.tokens.iter().filter(|token| !token.cut);
        assert_eq!(view.n_kept, kept.count() as u64);
    }
    view
}

fn fixes(view: &TokensView) -> Vec<&str> {
    view.refusals[0]
        .fixes
        .iter()
        .map(|fix| fix.0.as_str())
        .collect()
}

#[test]
fn a_good_record_has_no_refusals() {
    let view = view(question(1), 2048);
    assert_eq!(view.refusals, []);
    assert!(view.text.starts_with("<|im_start|>user\n第1号"));
    assert!(view.tokens[0].special && !view.tokens[0].trained);
    let last_trained = view.tokens.iter().rfind(|token| token.trained).unwrap();
    assert!(last_trained.ends_generation && last_trained.special);
}

#[test]
fn the_limit_cuts() {
    let cut = view(chat("q", &"a long answer ".repeat(40)), 100);
    assert_eq!((cut.n_kept, cut.limit), (100, 100));
    assert!(cut.tokens.len() > 100 && cut.refusals.is_empty());
    let away = view(chat(&"long ".repeat(80), "a"), 100);
    assert_eq!(
        (away.refusals[0].kind.0.as_str(), fixes(&away)),
        ("cut_away", vec!["trash"])
    );
}

#[test]
fn fixes_are_offered_where_they_help() {
    let control = view(chat("q", "a<|im_start|>b"), 2048);
    assert_eq!(control.refusals[0].kind.0, "control_tokens");
    assert_eq!(fixes(&control), ["remove_control_tokens", "trash"]);
    let unanswered = view(turns(&[(Role::User, "q")]), 2048);
    assert_eq!(fixes(&unanswered), ["trash"], "no weight would help");
    let mut unweighted = chat("q", "a");
    let Body::Chat(chat) = &mut unweighted.body else {
        unreachable!()
    };
    chat.messages[1].weight = Some(0.0);
    assert_eq!(fixes(&view(unweighted, 2048)), ["set_weight", "trash"]);
}

#[test]
fn a_template_that_rejects_says_so() {
    let record = turns(&[(Role::User, "q"), (Role::User, "r"), (Role::Assistant, "a")]);
    let mut project = with_text_model(project_of([record]), 2048);
    let options = TextOptions {
        template: Some("mistral".into()),
        ..project.text_options().unwrap()
    };
    project.set_text_options(options).unwrap();
    let view = project.tokens(RecordKey(1), None).unwrap();
    assert_eq!(view.refusals[0].kind.0, "template_rejects");
    assert_eq!(fixes(&view), ["join_same_roles", "trash"]);
    assert_eq!(view.tokens, []);
}

#[test]
fn a_draft_is_looked_at_in_place_of_the_record() {
    let project = with_text_model(in_memory(2), 2048);
    let draft = content_of(chat("other", "words"));
    let view = project.tokens(RecordKey(2), Some(draft)).unwrap();
    assert!(view.text.contains("other") && !view.text.contains("第1号"));
    assert!(matches!(
        project.tokens(RecordKey(9), None),
        Err(ProjectError::NoRecord { record: 9 })
    ));
}

#[test]
fn lengths_of_messages_and_of_the_whole() {
    let project = with_text_model(in_memory(1), 77);
    let record = question(0);
    let counted = project.record_tokens(&record).unwrap().unwrap();
    let model = project.model_text().unwrap().unwrap();
    let view = project.tokens(RecordKey(1), None).unwrap();
    let Body::Chat(chat) = &record.body else {
        unreachable!()
    };
    let n = |i: usize| {
        let text = chat.messages[i].text();
        model
            .tokenizer()
            .unwrap()
            .encode(text, false)
            .unwrap()
            .len() as u64
    };
    assert_eq!(counted.of_turns, [n(0), n(1)]);
    assert_eq!(
        (counted.whole, counted.trained),
        (view.tokens.len() as u64, view.n_trained)
    );
    assert_eq!(counted.limit, 77);
    assert_eq!(in_memory(1).record_tokens(&record).unwrap(), None);
}

#[test]
fn a_model_stays_with_the_project() {
    let project = with_text_model(in_memory(1), 99);
    let before = project.text_model().unwrap().unwrap();
    assert_eq!((before.name.as_str(), before.n_vocab), ("tiny", 500));
    assert_eq!(
        (before.has_own_template, before.end_tokens.as_slice()),
        (false, &["<|im_end|>".to_owned()][..])
    );
    let project = Project::open(project.into_connection()).unwrap();
    assert_eq!(project.text_model().unwrap().unwrap(), before);
    assert!(project.tokens(RecordKey(1), None).is_ok());
}

#[test]
fn files_that_are_no_tokenizer_are_refused_and_change_nothing() {
    let mut project = in_memory(1);
    let refused = project.use_text_model("x", vec![("model.safetensors".into(), vec![0; 9])]);
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("no tokenizer among the files (model.safetensors)"),
        "{refused}"
    );
    let broken = project.use_text_model("x", vec![("a/tokenizer.json".into(), b"{".to_vec())]);
    assert!(matches!(broken, Err(ProjectError::Text(_))));
    assert_eq!(project.text_model().unwrap(), None);
    let refused = project.tokens(RecordKey(1), None).unwrap_err().to_string();
    assert!(refused.contains("no tokenizer is chosen"));
    let unknown = TextOptions {
        template: Some("nope".into()),
        ..TextOptions::default()
    };
    project.use_text_model("x", text_files()).unwrap();
    assert!(project.set_text_options(unknown).is_err());
    assert_eq!(project.text_options().unwrap(), TextOptions::default());
}

#[test]
fn the_text_of_a_gguf_file_is_enough() {
    let file = include_bytes!("../../../../tests/fixtures/gguf_text/byte_level.gguf");
    // Reading the container is not a project's business; its caller does that.
    let parts = crate::checkpoint::gguf_text_file(Box::new(file.to_vec())).unwrap();
    let mut project = in_memory(1);
    let name = crate::text::GGUF_TEXT_FILE.to_owned();
    let view = project.use_text_model("gguf", vec![(name, parts)]).unwrap();
    assert!(view.n_vocab > 256);
}
