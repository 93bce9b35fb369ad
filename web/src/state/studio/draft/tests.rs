use serde_json::{Map, json};
use veneer_core::protocol::tab::FaultKind;

use super::*;

fn chat(turns: &[(TurnRole, &str)]) -> Content {
    Content {
        body: ContentBody::Chat {
            turns: turns
                .iter()
                .map(|(role, text)| Turn::new(*role, *text))
                .collect(),
            tools: Vec::new(),
        },
        extra: Map::new(),
    }
}

fn view(content: Content) -> RecordView {
    RecordView {
        record: RecordKey(7),
        content,
        original: None,
        position: 1,
        tags: Vec::new(),
        side: None,
        reviewer: String::new(),
        source: None,
        line: 1,
        page: None,
        language: String::new(),
        n_chars: 0,
        n_tokens: None,
        findings: Vec::new(),
        in_trash: false,
        project: None,
    }
}

use TurnRole::{Assistant, System, Tool, User};

fn draft(turns: &[(TurnRole, &str)]) -> Draft {
    Draft::new("p", view(chat(turns)))
}

#[track_caller]
fn check(draft: &Draft, want: &[(TurnRole, &str)]) {
    let found: Vec<(TurnRole, &str)> = draft
        .turns()
        .iter()
        .map(|turn| (turn.role, turn.text.as_deref().unwrap_or("–")))
        .collect();
    assert_eq!(found, want);
    assert_eq!(draft.ids.len(), want.len());
    let mut ids = draft.ids.clone();
    ids.sort_by_key(|id| id.0);
    ids.dedup();
    assert_eq!(ids.len(), want.len(), "an id twice");
}

#[test]
fn a_text_is_typed_sent_and_stored() {
    let mut draft = draft(&[(User, "a"), (Assistant, "b")]);
    assert_eq!(draft.saving(), Saving::Saved);
    assert_eq!(draft.send(), None);
    draft.set_text(draft.ids[1], "bc");
    assert_eq!(draft.saving(), Saving::Unsaved);
    let sent = draft.send().unwrap();
    assert_eq!(draft.saving(), Saving::UnderWay);
    assert_eq!(draft.send(), None, "it is on its way already");
    draft.stored(&sent, view(sent.clone()));
    assert_eq!(draft.saving(), Saving::Saved);
}

#[test]
fn what_is_typed_while_saving_stays() {
    let mut draft = draft(&[(User, "a")]);
    draft.set_text(draft.ids[0], "ab");
    let sent = draft.send().unwrap();
    draft.set_text(draft.ids[0], "abc");
    draft.stored(&sent, view(sent.clone()));
    check(&draft, &[(User, "abc")]);
    assert_eq!(draft.saving(), Saving::Unsaved);
    assert_eq!(draft.send(), Some(chat(&[(User, "abc")])));
}

#[test]
fn an_answer_from_before_a_save_changes_nothing() {
    let mut draft = draft(&[(User, "old")]);
    draft.set_text(draft.ids[0], "new");
    let sent = draft.send().unwrap();
    draft.refresh(view(chat(&[(User, "old")])));
    check(&draft, &[(User, "new")]);
    assert_eq!(draft.saving(), Saving::UnderWay);
    draft.stored(&sent, view(sent.clone()));
    assert_eq!(draft.saving(), Saving::Saved);
}

#[test]
fn two_saves_are_answered_one_after_the_other() {
    let mut draft = draft(&[(User, "a")]);
    let first = draft.ids[0];
    draft.set_text(first, "ab");
    let typed = draft.send().unwrap();
    let added = draft.add_beside(first, true).unwrap();
    let longer = draft.send().unwrap();

    draft.stored(&typed, view(typed.clone()));
    check(&draft, &[(User, "ab"), (Assistant, "")]);
    assert_eq!(draft.ids, [first, added]);
    assert_eq!(draft.saving(), Saving::UnderWay);

    draft.stored(&longer, view(longer.clone()));
    assert_eq!(draft.ids, [first, added]);
    assert_eq!(draft.saving(), Saving::Saved);
}

#[test]
fn what_is_taken_back_while_saving_is_sent_too() {
    let mut draft = draft(&[(User, "a")]);
    draft.set_text(draft.ids[0], "ab");
    draft.send().unwrap();
    draft.set_text(draft.ids[0], "a");
    assert_eq!(draft.saving(), Saving::Unsaved);
    assert_eq!(draft.send(), Some(chat(&[(User, "a")])));
}

#[test]
fn an_undo_elsewhere_is_taken_over() {
    let mut draft = draft(&[(User, "a"), (Assistant, "b")]);
    let ids = draft.ids.clone();
    draft.refresh(view(chat(&[(User, "x"), (Assistant, "b")])));
    check(&draft, &[(User, "x"), (Assistant, "b")]);
    assert_eq!(draft.ids, ids);
    assert!(draft.is_saved());
}

#[test]
fn a_save_that_failed_is_tried_again() {
    let mut draft = draft(&[(User, "a")]);
    draft.set_text(draft.ids[0], "b");
    draft.send();
    draft.failed(Fault::new(FaultKind::StorageFull, "no space"));
    assert_eq!(draft.saving(), Saving::Failed);
    assert_eq!(draft.send(), Some(chat(&[(User, "b")])));
    assert_eq!(draft.fault, None);
}

#[test]
fn a_lost_draft_comes_back_unsaved() {
    let mut lost = draft(&[(User, "a")]);
    assert_eq!(lost.unsaved(), None);
    lost.append();
    let unsaved = lost.unsaved().unwrap();
    assert_eq!(
        (unsaved.project.as_str(), unsaved.record),
        ("p", RecordKey(7))
    );
    let draft = Draft::restored(unsaved, view(chat(&[(User, "a")])));
    check(&draft, &[(User, "a"), (Assistant, "")]);
    assert_eq!(draft.saving(), Saving::Unsaved);
}

#[test]
fn turns_are_added_in_the_role_that_belongs_there() {
    let mut draft = draft(&[(User, "a"), (Assistant, "b")]);
    let [first, last] = [draft.ids[0], draft.ids[1]];
    draft.add_beside(first, false);
    draft.add_beside(last, true);
    check(
        &draft,
        &[(System, ""), (User, "a"), (Assistant, "b"), (User, "")],
    );
    draft.append();
    assert_eq!(draft.turns()[4].role, Assistant);
    assert_eq!(draft.add_beside(TurnId(99), true), None);
}

#[test]
fn a_tool_answers_behind_a_call() {
    let mut draft = draft(&[(User, "a"), (Assistant, "")]);
    let id = draft.ids[1];
    draft.set_tool_calls(id, vec![json!({"name": "f"})]);
    draft.set_text(id, "");
    assert_eq!(draft.turns()[1].text, None);
    draft.append();
    assert_eq!(draft.turns()[2].role, Tool);
    draft.set_tool_calls(id, Vec::new());
    assert_eq!(draft.turns()[1].text.as_deref(), Some(""));
}

#[test]
fn a_turn_is_cut_at_the_cursor() {
    let mut draft = draft(&[(User, "Q: 🦀 yes?\nA: no")]);
    // The crab takes two units.
    let new = draft.split(draft.ids[0], "Q: 🦀 yes?\nA: no", 10).unwrap();
    check(&draft, &[(User, "Q: 🦀 yes?"), (Assistant, "A: no")]);
    assert_eq!(draft.ids[1], new);
    draft.split(new, "A: no", 99);
    assert_eq!(draft.turns()[2].text.as_deref(), Some(""));
}

#[test]
fn a_cut_inside_a_pair_of_units_breaks_no_character() {
    let mut draft = draft(&[(User, "🦀🦀")]);
    draft.split(draft.ids[0], "🦀🦀", 1);
    check(&draft, &[(User, "🦀"), (Assistant, "🦀")]);
}

#[test]
fn writing_begins_in_the_text_of_a_record_without_turns() {
    let check = |body: ContentBody, want| {
        let extra = Map::new();
        let draft = Draft::new("p", view(Content { body, extra }));
        assert_eq!(draft.entry(), want);
    };
    let text = |prompt: &str, completion: &str| ContentBody::Text {
        prompt: prompt.to_owned(),
        completion: completion.to_owned(),
    };
    check(text("", ""), Some(Entry::Prompt));
    check(text("", "b"), Some(Entry::Prompt));
    check(text("a", ""), Some(Entry::Completion));
    check(text("a", "b"), Some(Entry::Completion));
    let (input_ids, labels) = (vec![1], vec![1]);
    check(ContentBody::Tokens { input_ids, labels }, None);
}

#[test]
fn writing_begins_where_something_is_missing() {
    assert_eq!(draft(&[]).entry(), None);
    let full = draft(&[(User, "a"), (Assistant, "b"), (User, "c")]);
    assert_eq!(full.entry(), Some(Entry::Turn(full.ids[1])));
    let mut new = draft(&[(System, "s"), (User, ""), (Assistant, "")]);
    assert_eq!(new.entry(), Some(Entry::Turn(new.ids[1])));
    new.duplicate(new.ids[0]);
    check(
        &new,
        &[(System, "s"), (System, "s"), (User, ""), (Assistant, "")],
    );
}

#[test]
fn turns_are_joined() {
    let mut draft = draft(&[(User, "a"), (User, "b"), (Assistant, "")]);
    let id = draft.ids[0];
    draft.join_next(id);
    check(&draft, &[(User, "a\n\nb"), (Assistant, "")]);
    draft.join_next(id);
    check(&draft, &[(User, "a\n\nb")]);
    draft.join_next(id);
    check(&draft, &[(User, "a\n\nb")]);
}

#[test]
fn what_must_not_be_learned_is_not_after_joining() {
    let mut draft = draft(&[
        (Assistant, "learn"),
        (Assistant, "do not"),
        (Assistant, "c"),
    ]);
    let ids = draft.ids.clone();
    draft.change(|content| {
        let ContentBody::Chat { turns, .. } = &mut content.body else {
            panic!("turns");
        };
        turns[0].weight = Some(1.0);
        turns[1].weight = Some(0.0);
    });
    draft.join_next(ids[0]);
    assert_eq!(draft.turns()[0].weight, Some(0.0));
    draft.join_next(ids[0]);
    assert_eq!(draft.turns()[0].weight, Some(0.0));
}

#[test]
fn who_calls_a_tool_is_the_assistant_also_after_joining() {
    let mut draft = draft(&[(User, "a"), (Assistant, "b"), (Tool, "c")]);
    let ids = draft.ids.clone();
    draft.set_tool_calls(ids[1], vec![serde_json::json!({"id": "1"})]);
    draft.set_call_id(ids[2], "1");
    draft.join_next(ids[0]);
    check(&draft, &[(Assistant, "a\n\nb"), (Tool, "c")]);
    draft.join_next(ids[0]);
    assert_eq!(draft.turns()[0].tool_call_id, None);
}

#[test]
fn turns_move_and_go() {
    let mut draft = draft(&[(System, "s"), (User, "a"), (Assistant, "b")]);
    let ids = draft.ids.clone();
    assert!(draft.move_to(ids[2], 0));
    check(&draft, &[(Assistant, "b"), (System, "s"), (User, "a")]);
    assert_eq!(draft.ids, [ids[2], ids[0], ids[1]]);
    assert!(!draft.move_to(ids[1], 99), "it is the last one already");
    draft.remove(ids[0]);
    check(&draft, &[(Assistant, "b"), (User, "a")]);
}

#[test]
fn ids_at_both_ends_outlive_a_change_in_the_middle() {
    let mut draft = draft(&[(User, "a"), (Assistant, "b"), (User, "c"), (Assistant, "d")]);
    let ids = draft.ids.clone();
    draft.refresh(view(chat(&[
        (User, "a"),
        (Assistant, "b c"),
        (Assistant, "d"),
    ])));
    check(&draft, &[(User, "a"), (Assistant, "b c"), (Assistant, "d")]);
    assert_eq!((draft.ids[0], draft.ids[2]), (ids[0], ids[3]));
    assert!(!ids.contains(&draft.ids[1]));
    draft.refresh(view(chat(&[])));
    check(&draft, &[]);
}

#[test]
fn weights_are_switched() {
    let mut draft = draft(&[(User, "a"), (Assistant, "b")]);
    let id = draft.ids[1];
    draft.set_trained(id, false);
    assert_eq!(draft.turns()[1].weight, Some(0.0));
    draft.set_trained(id, true);
    assert_eq!(draft.turns()[1].weight, None);
    assert!(draft.is_saved());
}

#[test]
fn columns_keep_their_order() {
    let mut draft = draft(&[]);
    for (name, value) in [("a", json!(1)), ("b", json!("x")), ("c", json!(null))] {
        draft.set_column(name, value);
    }
    assert!(draft.rename_column("b", " z "));
    assert!(!draft.rename_column("z", "a"), "the name is taken");
    assert!(!draft.rename_column("z", " "));
    let names: Vec<&str> = draft.content.extra.keys().map(String::as_str).collect();
    assert_eq!(names, ["a", "z", "c"]);
    draft.remove_column("a");
    let names: Vec<&str> = draft.content.extra.keys().map(String::as_str).collect();
    assert_eq!(names, ["z", "c"]);
}

#[test]
fn a_new_record_takes_over_the_system_message() {
    let like = chat(&[(System, "be brief"), (User, "a"), (Assistant, "b")]);
    check(
        &Draft::new("p", view(new_content(Some(&like)))),
        &[(System, "be brief"), (User, ""), (Assistant, "")],
    );
    check(
        &Draft::new("p", view(new_content(None))),
        &[(User, ""), (Assistant, "")],
    );
}

#[test]
fn a_turn_is_dropped_between_others() {
    let middles = [10.0, 30.0, 50.0];
    assert_eq!(place_for(&middles, 0, 5.0), 0);
    assert_eq!(place_for(&middles, 0, 31.0), 1);
    assert_eq!(place_for(&middles, 0, 99.0), 2);
    assert_eq!(place_for(&middles, 2, 0.0), 0);
    assert_eq!(place_for(&middles, 1, 30.0), 1);
}

#[test]
fn findings_name_their_turn() {
    assert_eq!(turn_of_field("messages[2].content"), Some(2));
    assert_eq!(turn_of_field("conversations[0]"), Some(0));
    assert_eq!(turn_of_field("output"), None);
    assert_eq!(turn_of_field("messages[x]"), None);
}

#[test]
fn each_save_says_what_it_grew_from() {
    let mut draft = draft(&[(User, "a")]);
    let first = draft.ids[0];
    draft.set_text(first, "ab");
    assert_eq!(draft.unsaved().unwrap().before, Some(chat(&[(User, "a")])));
    let typed = draft.send().unwrap();
    draft.set_text(first, "abc");
    assert_eq!(draft.unsaved().unwrap().before, Some(typed.clone()));
    // Answered with what a change of many made of it.
    draft.stored(&typed, view(chat(&[(System, "s"), (User, "ab")])));
    assert_eq!(draft.unsaved().unwrap().before, Some(typed));
    let longer = draft.send().unwrap();
    draft.stored(&longer, view(chat(&[(System, "s"), (User, "abc")])));
    check(&draft, &[(System, "s"), (User, "abc")]);
    assert_eq!(draft.saving(), Saving::Saved);
}

#[test]
fn a_record_that_is_opened_again_while_it_is_stored_shows_what_was_typed() {
    let mut left = draft(&[(User, "old")]);
    left.set_text(left.ids[0], "new");
    let sent = left.unsaved().unwrap();
    left.send();
    let mut draft = Draft::under_way(sent.clone(), view(chat(&[(User, "old")])));
    check(&draft, &[(User, "new")]);
    assert_eq!(draft.saving(), Saving::UnderWay);
    draft.stored(&sent.content, view(sent.content.clone()));
    check(&draft, &[(User, "new")]);
    assert_eq!(draft.saving(), Saving::Saved);
}

#[test]
fn what_failed_is_not_lost_with_what_was_stored_behind_it() {
    let mut draft = draft(&[(User, "a"), (Assistant, "b")]);
    let ids = draft.ids.clone();
    draft.set_text(ids[0], "a1");
    draft.send();
    draft.set_text(ids[1], "b1");
    let second = draft.send().unwrap();
    draft.failed(Fault::new(FaultKind::StorageFull, "no space"));
    // Only the second change reached the record.
    draft.stored(&second, view(chat(&[(User, "a"), (Assistant, "b1")])));
    check(&draft, &[(User, "a1"), (Assistant, "b1")]);
    assert_eq!(draft.saving(), Saving::Failed);
    let before = Some(chat(&[(User, "a"), (Assistant, "b1")]));
    assert_eq!(draft.unsaved().unwrap().before, before);
}

#[test]
fn what_is_left_of_a_record_begins_with_what_is_stored() {
    let content = |text: &str| chat(&[(User, text)]);
    let change = |before: &str, after: &str| Unsaved {
        project: "p".into(),
        record: RecordKey(7),
        content: content(after),
        before: Some(content(before)),
    };
    let mut draft = draft(&[(User, "a")]);
    draft.set_text(draft.ids[0], "ab");
    let sent = draft.unsaved().unwrap();
    draft.send();
    let left = |all: Vec<Unsaved>| {
        let mut list = Vec::new();
        all.into_iter().for_each(|one| one.join_into(&mut list));
        list
    };
    assert_eq!(
        left(vec![sent.clone(), draft.unsaved().unwrap()]),
        [change("a", "ab")]
    );
    draft.set_text(draft.ids[0], "abc");
    assert_eq!(
        left(vec![sent, draft.unsaved().unwrap()]),
        [change("a", "abc")]
    );
    // Whichever fails first.
    let both = [change("a", "b"), change("b", "c")];
    assert_eq!(left(both.to_vec()), [change("a", "c")]);
    assert_eq!(left(both.into_iter().rev().collect()), [change("a", "c")]);
    let mut other = change("a", "b");
    other.record = RecordKey(8);
    assert_eq!(left(vec![change("a", "b"), other]).len(), 2);
}
