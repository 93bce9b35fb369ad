//! What must be known before a change to many records is made.

use leptos::prelude::*;
use veneer_core::protocol::studio::{Change, RecordKey, StudioOutcome, StudioRequest, Target};

use super::{
    bulk_bar, commands,
    handle::{Grid, Question},
    sheet::Sheet,
};
use crate::{
    state::{
        numbers,
        studio::{json_text::value_of, rows::Rows},
    },
    texts::fill,
};

/// Where records can be moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Goal {
    #[default]
    Start,
    End,
    Before,
}

const GOALS: [(Goal, &str); 3] = [
    (Goal::Start, "start"),
    (Goal::End, "end"),
    (Goal::Before, "before"),
];

/// What was typed.
#[derive(Clone, Copy)]
struct Answer {
    grid: Grid,
    text: RwSignal<String>,
    value: RwSignal<String>,
    takes_away: RwSignal<bool>,
    goal: RwSignal<Goal>,
}

#[component]
pub(super) fn QuestionSheet() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let answer = Answer {
        grid,
        text: RwSignal::default(),
        value: RwSignal::default(),
        takes_away: RwSignal::new(false),
        goal: RwSignal::default(),
    };
    Effect::new(move || {
        grid.question.track();
        answer.text.set(String::new());
        answer.value.set(String::new());
        answer.takes_away.set(false);
        answer.goal.set(Goal::default());
    });
    let title = Signal::derive(move || {
        let question = grid.question.get();
        question
            .map_or("", |question| bulk_bar::name(texts(), question))
            .to_owned()
    });
    view! {
        <Sheet
            name="grid-question"
            title=title
            shown=Signal::derive(move || grid.question.get().is_some())
            on_close=move |()| grid.question.set(None)
        >
            <Form answer=answer />
        </Sheet>
    }
}

#[component]
fn Form(answer: Answer) -> impl IntoView {
    let grid = answer.grid;
    let texts = move || &grid.app.language.get().studio().grid;
    // A list that is being made again may turn out shorter.
    let n = Memo::new(move |_| grid.n_of_target());
    let is_unknown = Memo::new(move |_| grid.pending.get().is_some() || n.get() == 0);
    let submit_text = move || {
        let language = grid.app.language.get();
        match grid.question.get() {
            Some(Question::EmptyTrash) => texts().empty_trash.to_owned(),
            _ => fill(
                texts().apply_to,
                &[("n", &numbers::whole(n.get(), language))],
            ),
        }
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        answer.give();
    };
    let cannot = move || match grid.question.get() {
        Some(question) if question != Question::EmptyTrash && is_unknown.get() => true,
        Some(Question::Tag | Question::Untag | Question::Field) => {
            answer.text.with(|text| text.trim().is_empty())
        }
        Some(Question::Move) => !commands::can_move(grid) || answer.place().is_none(),
        _ => false,
    };
    view! {
        <form class="sheet-form" on:submit=submit>
            {move || grid.question.get().map(|question| match question {
                Question::Tag | Question::Untag => view! { <Name answer=answer list="tags" /> }.into_any(),
                Question::Reviewer => view! { <Name answer=answer list="reviewers" /> }.into_any(),
                Question::System => view! { <System answer=answer /> }.into_any(),
                Question::Field => view! { <FieldValue answer=answer /> }.into_any(),
                Question::Move => view! { <Place answer=answer /> }.into_any(),
                Question::EmptyTrash => view! { <p>{move || texts().empty_trash_about}</p> }.into_any(),
            })}
            <div class="actions">
                <button type="submit" class="main" data-testid="grid-answer" disabled=cannot>
                    {submit_text}
                </button>
                <button
                    type="button"
                    data-testid="grid-answer-cancel"
                    on:click=move |_| grid.question.set(None)
                >
                    {move || texts().cancel}
                </button>
            </div>
        </form>
    }
}

impl Answer {
    /// The place to move before that was typed, from 1.
    fn place(self) -> Option<u64> {
        if self.goal.get() != Goal::Before {
            return Some(1);
        }
        let place: u64 = self.text.get().trim().parse().ok()?;
        let n = self.grid.studio.list.with(|list| list.n);
        (1..=n).contains(&place).then_some(place)
    }

    /// Does what was asked about.
    fn give(self) {
        let grid = self.grid;
        let text = self.text.get_untracked().trim().to_owned();
        let Some(question) = grid.question.get_untracked() else {
            return;
        };
        let change = match question {
            Question::Tag => Change::AddTag(text),
            Question::Untag => Change::RemoveTag(text),
            Question::Reviewer => Change::SetReviewer(text),
            Question::System => {
                let keeps = !self.takes_away.get_untracked();
                Change::SetSystem(keeps.then(|| self.value.get_untracked()))
            }
            Question::Field => {
                let keeps = !self.takes_away.get_untracked();
                let value = self.value.get_untracked();
                Change::SetField(text, keeps.then(|| value_of(&value)))
            }
            Question::Move => return self.move_there(),
            Question::EmptyTrash => {
                grid.question.set(None);
                grid.studio.ask(StudioRequest::EmptyTrash, &[], |_| {});
                return;
            }
        };
        grid.question.set(None);
        commands::change(grid, change);
    }

    fn move_there(self) {
        let grid = self.grid;
        let Some((target, _)) = grid.target() else {
            return;
        };
        let from = match self.goal.get_untracked() {
            Goal::End => {
                grid.question.set(None);
                commands::change_these(grid, target, Change::Move { before: None });
                return;
            }
            Goal::Start => 0,
            Goal::Before => untrack(|| self.place()).unwrap_or(1) - 1,
        };
        grid.question.set(None);
        before_first_other(grid, from, target);
    }
}

/// Moves before the first record from a place on that is not moved itself.
fn before_first_other(grid: Grid, from: u64, target: Target) {
    let version = grid.rows.with_untracked(Rows::version);
    let request = StudioRequest::Window { from, n: 500 };
    grid.studio.ask(request, &[], move |outcome| {
        let StudioOutcome::Window(window) = outcome else {
            return;
        };
        if grid.is_gone() || grid.rows.with_untracked(Rows::version) != version {
            return;
        }
        let stays = |record: &RecordKey| match &target {
            Target::Records(records) => !records.contains(record),
            Target::List { except } => except.contains(record),
        };
        let other = window.rows.iter().map(|row| row.record).find(stays);
        let behind = from + window.rows.len() as u64;
        match other {
            None if behind < window.n && !window.rows.is_empty() => {
                before_first_other(grid, behind, target.clone());
            }
            before => commands::change_these(grid, target.clone(), Change::Move { before }),
        }
    });
}

/// A tag or a reviewer, with those that there are to choose from.
#[component]
fn Name(answer: Answer, list: &'static str) -> impl IntoView {
    let grid = answer.grid;
    let texts = move || &grid.app.language.get().studio().grid;
    let label = move || match list {
        "tags" => texts().tag,
        _ => texts().reviewer_name,
    };
    let known = move || {
        grid.facets.with(|facets| match list {
            "tags" => facets
                .tags
                .iter()
                .map(|(tag, _)| tag.clone())
                .collect::<Vec<_>>(),
            _ => facets
                .reviewers
                .iter()
                .filter_map(|(name, _)| name.clone())
                .collect(),
        })
    };
    view! {
        <KnownText answer=answer label=label known=known />
    }
}

/// A name, with those that are in use already.
#[component]
fn KnownText(
    answer: Answer,
    label: impl Fn() -> &'static str + Send + 'static,
    known: impl Fn() -> Vec<String> + Send + 'static,
) -> impl IntoView {
    view! {
        <label for="grid-answer-text">{label}</label>
        <input
            type="text"
            id="grid-answer-text"
            data-testid="grid-answer-text"
            list="grid-answer-known"
            autocomplete="off"
            autofocus
            prop:value=move || answer.text.get()
            on:input=move |event| answer.text.set(event_target_value(&event))
        />
        <datalist id="grid-answer-known">
            {move || known().into_iter().map(|name| view! { <option value=name></option> }).collect::<Vec<_>>()}
        </datalist>
    }
}

#[component]
fn System(answer: Answer) -> impl IntoView {
    let texts = move || &answer.grid.app.language.get().studio().grid;
    view! {
        <label for="grid-answer-value">{move || texts().system}</label>
        <textarea
            id="grid-answer-value"
            data-testid="grid-answer-value"
            rows="6"
            autofocus
            disabled=move || answer.takes_away.get()
            prop:value=move || answer.value.get()
            on:input=move |event| answer.value.set(event_target_value(&event))
        />
        <TakesAway answer=answer />
    }
}

#[component]
fn TakesAway(answer: Answer) -> impl IntoView {
    let texts = move || &answer.grid.app.language.get().studio().grid;
    view! {
        <label class="check">
            <input
                type="checkbox"
                data-testid="grid-answer-takes-away"
                prop:checked=move || answer.takes_away.get()
                on:change=move |event| answer.takes_away.set(event_target_checked(&event))
            />
            {move || texts().takes_away}
        </label>
    }
}

#[component]
fn FieldValue(answer: Answer) -> impl IntoView {
    let grid = answer.grid;
    let texts = move || &grid.app.language.get().studio().grid;
    let known = move || grid.facets.with(|facets| facets.fields.clone());
    view! {
        <KnownText answer=answer label=move || texts().field known=known />
        <label for="grid-answer-value">{move || texts().value}</label>
        <input
            type="text"
            id="grid-answer-value"
            data-testid="grid-answer-value"
            disabled=move || answer.takes_away.get()
            prop:value=move || answer.value.get()
            on:input=move |event| answer.value.set(event_target_value(&event))
        />
        <p class="hint">{move || texts().value_about}</p>
        <TakesAway answer=answer />
    }
}

#[component]
fn Place(answer: Answer) -> impl IntoView {
    let grid = answer.grid;
    let texts = move || &grid.app.language.get().studio().grid;
    let name = move |goal| match goal {
        Goal::Start => texts().move_start,
        Goal::End => texts().move_end,
        Goal::Before => texts().move_before,
    };
    view! {
        {(!commands::can_move(grid)).then(|| view! {
            <p class="wrong" role="alert">{move || texts().move_needs_order}</p>
        })}
        <fieldset class="plain">
            <legend class="unseen">{move || texts().move_where}</legend>
            {GOALS.map(|(goal, value)| view! {
                <label class="check">
                    <input
                        type="radio"
                        name="grid-goal"
                        value=value
                        data-testid=format!("grid-move-{value}")
                        prop:checked=move || answer.goal.get() == goal
                        on:change=move |_| answer.goal.set(goal)
                    />
                    {move || name(goal)}
                </label>
            })}
        </fieldset>
        <Show when=move || answer.goal.get() == Goal::Before>
            <input
                type="text"
                inputmode="numeric"
                data-testid="grid-answer-text"
                aria-label=move || texts().move_before
                prop:value=move || answer.text.get()
                on:input=move |event| answer.text.set(event_target_value(&event))
            />
        </Show>
    }
}
