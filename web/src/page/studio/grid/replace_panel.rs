//! Search and replace: what would change is shown before it does.

use leptos::prelude::*;
use veneer_core::protocol::studio::{
    Change, Query, Replace, Replacement, Replacements, SearchMode, StudioOutcome, StudioRequest,
    Target,
};

use super::{commands, handle::Grid};
use crate::{
    state::{
        diff::{self, Stretch},
        numbers,
    },
    texts::fill,
};

/// What is to be replaced, in which list, and as of which change of its records.
type Asked = (Target, Replace, Query, u64);

/// What a preview was made for, and what it found.
type Previewed = (Asked, Replacements);

#[component]
pub(super) fn ReplacePanel() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let with = RwSignal::new(String::new());
    let previewed = RwSignal::new(None::<Previewed>);
    // What is selected, else everything that the search found.
    let target = move || {
        let n = grid.studio.list.with(|list| list.n);
        let selected = grid.selection.with(|selection| selection.target(n));
        selected.unwrap_or(Target::List { except: Vec::new() })
    };
    let asked = Memo::new(move |_| {
        let query = grid.studio.query.get();
        let replace = Replace {
            search: query.search.clone()?,
            with: with.get(),
        };
        Some((target(), replace, query, grid.studio.version.get()))
    });
    // A preview of something else is none.
    let holds = Memo::new(move |_| {
        let (of, found) = previewed.get()?;
        (asked.get()? == of).then_some(found)
    });
    let in_regex = Memo::new(move |_| {
        let search = grid.studio.query.with(|query| query.search.clone());
        search.is_some_and(|search| search.mode == SearchMode::Regex)
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(of) = asked.get_untracked() else {
            commands::focus("grid-search");
            return;
        };
        preview(grid, asked, previewed, of);
    };
    let apply = move |_| {
        if let (Some(_), Some((target, replace, ..))) =
            (holds.get_untracked(), asked.get_untracked())
        {
            commands::change_these(grid, target, Change::Replace(replace));
            previewed.set(None);
        }
    };
    view! {
        <section class="grid-panel" data-testid="grid-replace-panel" aria-label=move || texts().replace>
            <form class="grid-replace" on:submit=submit>
                <p class="hint">
                    {move || match asked.get() {
                        None => texts().replace_what,
                        Some(_) => texts().replace_about,
                    }}
                </p>
                <label for="grid-replace-with">{move || texts().replace_with}</label>
                <div class="row">
                    <input
                        type="text"
                        id="grid-replace-with"
                        data-testid="grid-replace-with"
                        aria-describedby="grid-replace-signs"
                        prop:value=move || with.get()
                        on:input=move |event| with.set(event_target_value(&event))
                    />
                    <button type="submit" data-testid="grid-replace-preview">
                        {move || texts().preview}
                    </button>
                </div>
                <p class="hint" id="grid-replace-signs">
                    {move || in_regex.get().then(|| texts().replace_signs)}
                </p>
            </form>
            {move || holds.get().map(|found| view! { <Found found=found on_apply=apply /> })}
        </section>
    }
}

/// Looks what would change. Where records changed in the meantime, it looks again.
fn preview(
    grid: Grid,
    asked: Memo<Option<Asked>>,
    previewed: RwSignal<Option<Previewed>>,
    of: Asked,
) {
    let (target, replace, ..) = of.clone();
    if matches!(target, Target::List { .. }) {
        grid.list_again();
    }
    let request = StudioRequest::PreviewReplace { target, replace };
    grid.studio.ask(request, &[], move |outcome| {
        let StudioOutcome::Replacements(found) = outcome else {
            return;
        };
        // The panel may be closed by now.
        let Some(now) = asked.try_get_untracked() else {
            return;
        };
        match now {
            Some(now) if now != of && (&now.1, &now.2) == (&of.1, &of.2) => {
                preview(grid, asked, previewed, now);
            }
            _ => previewed.set(Some((of.clone(), found.clone()))),
        }
    });
}

/// What would change, and the button that changes it.
#[component]
fn Found(found: Replacements, #[prop(into)] on_apply: Callback<()>) -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let (n_records, n_matches) = (found.n_records, found.n_matches);
    let said = move |text: &'static str| {
        let language = grid.app.language.get();
        let records = numbers::whole(n_records, language);
        let matches = numbers::whole(n_matches, language);
        fill(text, &[("records", &records), ("matches", &matches)])
    };
    view! {
        <p role="status" data-testid="grid-replace-found">{move || said(texts().replace_found)}</p>
        <Show when=move || n_records != 0>
            <button
                type="button"
                class="main"
                data-testid="grid-replace-apply"
                on:click=move |_| on_apply.run(())
            >
                {move || said(texts().replace_apply)}
            </button>
        </Show>
        <ul class="grid-examples">
            {found.examples.iter().map(example).collect::<Vec<_>>()}
        </ul>
    }
}

/// Before and after, with what differs marked, white space too.
fn example(one: &Replacement) -> impl IntoView + use<> {
    let marked = |stretches: Vec<Stretch>| {
        let parts = stretches.into_iter().map(|part| match part.differs {
            true => view! { <mark>{diff::with_visible_space(&part.text)}</mark> }.into_any(),
            false => part.text.into_any(),
        });
        parts.collect::<Vec<_>>()
    };
    let [before, after] = diff::compare_exactly(&one.before, &one.after);
    view! {
        <li data-testid="grid-replace-example" data-record=one.record.0.to_string()>
            <del>{marked(before)}</del>
            <ins>{marked(after)}</ins>
        </li>
    }
}
