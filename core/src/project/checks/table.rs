//! What every kind of finding means and what can be done about it.

use crate::data::{ProblemKind, Repair, Severity};

/// Faults of a text by itself.
pub(in crate::project) const RECORD: &str = crate::project::body::RECORD_CHECK;
/// Records that ask and answer the same.
pub(in crate::project) const DUPLICATES: &str = "duplicates";
/// Records that ask the same and answer otherwise.
pub(in crate::project) const CONFLICTS: &str = "conflicts";
/// Records of validation and test that ask what a record of train asks.
pub(in crate::project) const LEAKS: &str = "leaks";
/// Records under the chosen tokenizer and template.
pub(in crate::project) const TEMPLATE: &str = "template";

/// To the trash.
pub(in crate::project) const TRASH: &str = "trash";
/// Nothing is wrong: the finding counts no more.
pub(in crate::project) const ACCEPT: &str = "accept";
/// Of each group the first record stays, the others go to the trash.
pub(in crate::project) const KEEP_FIRST: &str = "keep_first";
/// Of each group the longest record stays.
pub(in crate::project) const KEEP_LONGEST: &str = "keep_longest";

/// To the side `train`.
pub(in crate::project) const TO_TRAIN: &str = "to_train";

/// The kind of finding of [`LEAKS`].
pub(in crate::project) const LEAK: &str = "leak";

/// Run-level: no record teaches the token that ends answers.
pub(in crate::project) const END_NEVER_TRAINED: &str = "end_never_trained";

const STRIP_CONTROLS: &str = Repair::StripControls.name();
const REMOVE_CONTROL_TOKENS: &str = Repair::RemoveControlTokens.name();
const DROP_LAST_TURNS: &str = Repair::DropLastTurns.name();
const DROP_EMPTY_MESSAGES: &str = Repair::DropEmptyMessages.name();
const JOIN_SAME_ROLES: &str = Repair::JoinSameRoles.name();
const MOVE_SYSTEM_FIRST: &str = Repair::MoveSystemFirst.name();
const SET_WEIGHT: &str = Repair::SetWeight.name();
const REDECODE: &str = Repair::Redecode.name();

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::project) struct Kind {
    pub(in crate::project) name: &'static str,
    pub(in crate::project) check: &'static str,
    pub(in crate::project) is_error: bool,
    pub(in crate::project) title: &'static str,
    pub(in crate::project) advice: &'static str,
    pub(in crate::project) fixes: &'static [&'static str],
}

/// What makes records of a check one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::project) enum Grouping {
    /// Equal fingerprints of the whole.
    Whole,
    /// Equal fingerprints of what is asked.
    Prompt,
    /// The same, on `train` and on another side.
    Sides,
    /// Rows in `member`, if any.
    Members,
}

pub(in crate::project) fn grouping(check: &str) -> Grouping {
    match check {
        DUPLICATES => Grouping::Whole,
        CONFLICTS => Grouping::Prompt,
        LEAKS => Grouping::Sides,
        _ => Grouping::Members,
    }
}

/// What can be done about kinds that this version has no line for.
pub(in crate::project) const FIXES_OF_UNKNOWN: &[&str] = &[TRASH, ACCEPT];

pub(in crate::project) fn kind(name: &str) -> Option<Kind> {
    let found = OTHERS.iter().find(|kind| kind.name == name).copied();
    found.or_else(|| {
        let of_record = OF_RECORD.iter();
        let mut found = of_record.filter(|(kind, ..)| kind.name() == name);
        let (kind, advice, fixes) = found.next()?;
        Some(Kind {
            name: kind.name(),
            check: RECORD,
            is_error: kind.severity() == Severity::Error,
            title: kind.title(),
            advice,
            fixes,
        })
    })
}

/// Kinds of the check `record`. Faults for which a row never becomes a record are not here.
const OF_RECORD: [(ProblemKind, &str, &[&str]); 23] = [
    (
        ProblemKind::WrongType,
        "correct the value in the original and read it again, or leave the record out",
        &[TRASH],
    ),
    (
        ProblemKind::UnsupportedContent,
        "only text can be learned; leave the record out",
        &[TRASH],
    ),
    (
        ProblemKind::EmptyRecord,
        "there is nothing to learn; leave the record out",
        &[TRASH],
    ),
    (
        ProblemKind::EmptyAnswer,
        "write the answer, or leave the record out",
        &[TRASH],
    ),
    (
        ProblemKind::NoAssistant,
        "add the answer, or leave the record out",
        &[TRASH],
    ),
    (
        ProblemKind::LabelsLength,
        "give every token id one label; make the record again",
        &[TRASH],
    ),
    (
        ProblemKind::BadTokens,
        "token ids are whole numbers from 0; make the record again",
        &[TRASH],
    ),
    (
        ProblemKind::MixedFormats,
        "look whether it was read as it was meant",
        &[ACCEPT, TRASH],
    ),
    (
        ProblemKind::UnknownField,
        "rename the column in the mapping and read the file again, if it was meant as text",
        &[ACCEPT, TRASH],
    ),
    (
        ProblemKind::UnreadKey,
        "read that part of the file by itself, if it has records",
        &[ACCEPT],
    ),
    (
        ProblemKind::OddRows,
        "look at these rows in the file, and read it again if they were meant otherwise",
        &[ACCEPT],
    ),
    (
        ProblemKind::EmptyContent,
        "fill the message in, or take it out",
        &[DROP_EMPTY_MESSAGES, ACCEPT, TRASH],
    ),
    (
        ProblemKind::LastNotAssistant,
        "what comes after the last answer is not trained; end with the answer",
        &[DROP_LAST_TURNS, ACCEPT, TRASH],
    ),
    (
        ProblemKind::FirstNotUser,
        "many templates refuse this; add the question that was asked",
        &[ACCEPT, TRASH],
    ),
    (
        ProblemKind::RepeatedRole,
        "many templates refuse this; join the messages",
        &[JOIN_SAME_ROLES, ACCEPT, TRASH],
    ),
    (
        ProblemKind::SystemNotFirst,
        "many templates refuse this; put the system message first",
        &[MOVE_SYSTEM_FIRST, ACCEPT, TRASH],
    ),
    (
        ProblemKind::NothingTrained,
        "give an answer a weight above 0, or leave the record out",
        &[SET_WEIGHT, ACCEPT, TRASH],
    ),
    (
        ProblemKind::OddWeight,
        "0 leaves a message out, 1 trains it; most tools know nothing between",
        &[SET_WEIGHT, ACCEPT],
    ),
    (
        ProblemKind::ShiftedLabels,
        "labels are the ids themselves or -100: training shifts them; make the record again",
        &[TRASH, ACCEPT],
    ),
    (
        ProblemKind::ControlToken,
        "in training it would act as markup; take it out unless it is meant as text",
        &[REMOVE_CONTROL_TOKENS, ACCEPT, TRASH],
    ),
    (
        ProblemKind::Mojibake,
        "the text was read in a wrong encoding; read the original again in its own, or repair what \
         can be told for certain",
        &[REDECODE, ACCEPT, TRASH],
    ),
    (
        ProblemKind::NulCharacter,
        "no text needs these characters; take them out",
        &[STRIP_CONTROLS, ACCEPT],
    ),
    (
        ProblemKind::UnknownRole,
        "give the message a role that templates know",
        &[TRASH],
    ),
];

const OTHERS: &[Kind] = &[
    Kind {
        name: ProblemKind::Duplicate.name(),
        check: DUPLICATES,
        is_error: false,
        title: ProblemKind::Duplicate.title(),
        advice: "it is trained more than once; keep the first",
        fixes: &[KEEP_FIRST, ACCEPT],
    },
    Kind {
        name: ProblemKind::ConflictingAnswers.name(),
        check: CONFLICTS,
        is_error: false,
        title: ProblemKind::ConflictingAnswers.title(),
        advice: "if both answers are right, nothing is wrong; otherwise keep one",
        fixes: &[ACCEPT, KEEP_FIRST, KEEP_LONGEST],
    },
    Kind {
        name: LEAK,
        check: LEAKS,
        is_error: true,
        title: "asked in training too",
        advice: "the scores of validation and test would look better than they are: put it on the side \
                 of training, take it out, or split again with records that ask the same on one side",
        fixes: &[TO_TRAIN, TRASH],
    },
    refusal(
        "not_encodable",
        "the record cannot become tokens",
        "the record's token view says why; a model without a chat template needs one for messages",
        &[TRASH],
    ),
    refusal(
        "template_rejects",
        "the chat template rejects it",
        "change the order or the roles of the messages, or choose another template",
        &[JOIN_SAME_ROLES, MOVE_SYSTEM_FIRST, DROP_LAST_TURNS, TRASH],
    ),
    refusal(
        "message_left_out",
        "a message is not in the text that the model sees",
        "the chat template passes over its role or place; put its text into the first question, give \
         it another role, or choose another template",
        &[MOVE_SYSTEM_FIRST, TRASH],
    ),
    refusal(
        "no_trained_tokens",
        "no token is trained",
        "give it an answer with a weight above 0, or train on all text",
        &[SET_WEIGHT, TRASH],
    ),
    refusal(
        "cut_away",
        "everything trained lies beyond the limit",
        "raise the length limit, or shorten the prompt",
        &[TRASH],
    ),
    refusal(
        END_NEVER_TRAINED,
        "the end token is never trained",
        "the tuned model would not stop; choose a template that closes turns with the model's end \
         token, or raise the length limit where it cuts the end away",
        &[],
    ),
    refusal(
        "control_tokens",
        "a message spells out the template's own tokens",
        "they would end or forge a turn; take them out of the text",
        &[REMOVE_CONTROL_TOKENS, TRASH],
    ),
    refusal(
        "end_masked_as_pad",
        "end tokens masked as padding",
        "make the labels again with a pad token of its own, or mask by position",
        &[TRASH],
    ),
    Kind {
        name: ProblemKind::TooLong.name(),
        check: TEMPLATE,
        is_error: false,
        title: ProblemKind::TooLong.title(),
        advice: "training cuts it at the length limit; raise the limit or split the record",
        fixes: &[ACCEPT, TRASH],
    },
    #[cfg(test)]
    Kind {
        name: "reads_like_poetry",
        check: "poetry",
        is_error: false,
        title: "reads like poetry",
        advice: "keep the best line",
        fixes: &[KEEP_LONGEST, ACCEPT],
    },
];

/// Something that stops training, and therefore cannot be accepted.
const fn refusal(
    name: &'static str,
    title: &'static str,
    advice: &'static str,
    fixes: &'static [&'static str],
) -> Kind {
    Kind {
        name,
        check: TEMPLATE,
        is_error: true,
        title,
        advice,
        fixes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_text_has_a_line_and_every_fix_is_known() {
        // Rows with these never become records.
        let never = [
            ProblemKind::BrokenJson,
            ProblemKind::InvalidEncoding,
            ProblemKind::TooLarge,
            ProblemKind::NotAnObject,
            ProblemKind::BrokenRow,
            ProblemKind::UnclosedArray,
            ProblemKind::MissingField,
        ];
        for problem in ProblemKind::ALL {
            if never.contains(&problem) {
                continue;
            }
            let kind = kind(problem.name()).unwrap_or_else(|| panic!("{problem:?} has no line"));
            assert_eq!((kind.name, kind.title), (problem.name(), problem.title()));
            assert!(!kind.advice.is_empty() && !kind.fixes.is_empty());
            for fix in kind.fixes {
                let is_plain = [TRASH, ACCEPT, KEEP_FIRST, KEEP_LONGEST, TO_TRAIN].contains(fix);
                assert!(is_plain || Repair::from_name(fix).is_some(), "{fix}");
            }
        }
    }

    #[test]
    fn what_stops_training_cannot_be_accepted() {
        let accepted = OTHERS.iter().filter(|kind| kind.is_error);
        assert!(accepted.clone().count() > 5);
        assert!(
            accepted
                .into_iter()
                .all(|kind| !kind.fixes.contains(&ACCEPT))
        );
    }
}
