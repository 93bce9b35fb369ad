//! Actions in words: for the history, the tooltips of undo and redo, and what was just done.

use veneer_core::protocol::studio::{ActionKind, ActionView};

use crate::{
    state::numbers,
    texts::{Language, fill},
};

/// `Tagged 12 records with "review"`.
pub fn words(action: &ActionView, language: Language) -> String {
    let texts = &language.studio().history;
    let text = match action.what {
        ActionKind::Import => texts.did_import,
        ActionKind::Edit => texts.did_edit,
        ActionKind::Add => texts.did_add,
        ActionKind::Tag => texts.did_tag,
        ActionKind::Untag => texts.did_untag,
        ActionKind::Trash => texts.did_trash,
        ActionKind::TakeBack => texts.did_take_back,
        ActionKind::Move => texts.did_move,
        ActionKind::Replace => texts.did_replace,
        ActionKind::Assign => texts.did_assign,
        ActionKind::Fix => texts.did_fix,
        ActionKind::Accept => texts.did_accept,
        ActionKind::Split => texts.did_split,
        ActionKind::Freeze if action.detail == "thawed" => texts.did_thaw,
        ActionKind::Freeze => texts.did_freeze,
        ActionKind::Restore => texts.did_restore,
        ActionKind::Settings => texts.did_settings,
    };
    let n = numbers::whole(action.n_records, language);
    let text = fill(text, &[("n", &n)]);
    match detail(action, language) {
        detail if detail.is_empty() => text,
        detail => format!("{text} ({detail})"),
    }
}

/// What the action says of itself; names of findings, fixes and sides in words.
fn detail(action: &ActionView, language: Language) -> String {
    let texts = language.studio();
    let detail = action.detail.trim();
    match action.what {
        ActionKind::Fix | ActionKind::Accept => match detail.split_once(' ') {
            Some((finding, fix)) => {
                let title = texts.checks.title(finding, finding);
                format!("{title}, {}", texts.checks.fix(fix))
            }
            None => texts.checks.title(detail, detail).to_owned(),
        },
        ActionKind::Split | ActionKind::Move | ActionKind::Assign => match detail {
            "train" => texts.split.train.to_owned(),
            "validation" => texts.split.validation.to_owned(),
            "test" => texts.split.test.to_owned(),
            "none" => texts.split.without.to_owned(),
            other => other.to_owned(),
        },
        // Which of the two it was is said already.
        ActionKind::Freeze => String::new(),
        _ => detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_words_in_every_language() {
        for language in Language::ALL {
            let action = ActionView {
                what: ActionKind::Tag,
                detail: "revisar".into(),
                n_records: 1_234,
                ..ActionView::default()
            };
            let text = words(&action, language);
            assert!(text.contains("(revisar)"), "{text}");
            assert!(!text.contains('{'), "{text}");
        }
    }

    #[test]
    fn sides_have_their_words() {
        for (side, want) in [("test", "(テスト)"), ("none", "(未割り当て)")] {
            let action = ActionView {
                what: ActionKind::Assign,
                detail: side.into(),
                n_records: 1,
                ..ActionView::default()
            };
            let text = words(&action, Language::Japanese);
            assert!(text.contains(want), "{text}");
        }
    }

    #[test]
    fn frozen_and_thawed_have_their_words() {
        let said = |detail: &str, language| {
            let action = ActionView {
                what: ActionKind::Freeze,
                detail: detail.into(),
                ..ActionView::default()
            };
            words(&action, language)
        };
        assert_eq!(said("frozen", Language::English), "Froze the split");
        assert_eq!(said("thawed", Language::English), "Thawed the split");
        assert_eq!(said("frozen", Language::Spanish), "División congelada");
        assert_eq!(said("thawed", Language::Japanese), "分割の固定を解除");
    }

    #[test]
    fn findings_and_fixes_have_their_words() {
        let action = ActionView {
            what: ActionKind::Fix,
            detail: "empty_record trash".into(),
            n_records: 1,
            ..ActionView::default()
        };
        let text = words(&action, Language::Spanish);
        assert!(text.starts_with("Se corrigió 1 registro ("), "{text}");
        assert!(
            !text.contains("empty_record") && !text.contains("trash"),
            "{text}"
        );
    }
}
