//! How long records are, as a small histogram that restricts the list.

use leptos::prelude::*;
use veneer_core::protocol::studio::LengthUnit;

use super::handle::Grid;
use crate::{
    page::studio::{handle::Step, stored_field::StoredField},
    state::{
        numbers,
        studio::filters::{self, Bar, Restriction},
    },
};

#[component]
pub(super) fn Lengths() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let range = Memo::new(move |_| {
        grid.studio.query.with(|query| {
            let filter = &query.filter;
            (filter.min_length, filter.max_length, filter.length_in)
        })
    });
    let bars = Memo::new(move |_| grid.facets.with(|facets| filters::bars(&facets.lengths)));
    view! {
        <fieldset class="grid-facet" data-testid="grid-facet-length">
            <legend>{move || texts().length}</legend>
            <div class="grid-histogram" role="group" aria-label=move || texts().length>
                {move || bars.get().into_iter()
                    .map(|bar| view! { <OneBar bar=bar range=range /> }).collect::<Vec<_>>()}
            </div>
            <div class="grid-range">
                <Limit upper=false range=range />
                <span aria-hidden="true">"–"</span>
                <Limit upper=true range=range />
                <Unit range=range />
            </div>
            <Show when=move || range.get().2 == LengthUnit::Tokens>
                <TokensAreCounted />
            </Show>
        </fieldset>
    }
}

/// When records have a length in tokens, with the way there.
#[component]
pub(super) fn TokensAreCounted() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    view! {
        <div class="hint" data-testid="grid-tokens-counted">
            <p>{move || texts().tokens_counted}</p>
            <button
                type="button"
                class="quiet"
                data-testid="grid-to-check"
                on:click=move |_| grid.studio.step.set(Step::Check)
            >
                {move || texts().go_check}
            </button>
        </div>
    }
}

/// Lower limit, upper limit, and what they count.
type Range = (Option<u64>, Option<u64>, LengthUnit);

fn restrict(grid: Grid, (min, max, unit): Range) {
    grid.ask(|query| filters::add(query, &Restriction::Length { min, max, unit }));
}

/// The records of some lengths; a click restricts to them, a second one does no longer.
#[component]
fn OneBar(bar: Bar, range: Memo<Range>) -> impl IntoView {
    let grid = Grid::get();
    let this = (Some(bar.min), Some(bar.max), LengthUnit::Characters);
    let label = move || {
        let language = grid.app.language.get();
        let number = |n| numbers::whole(n, language);
        format!("{}–{}: {}", number(bar.min), number(bar.max), number(bar.n))
    };
    let inside = move || {
        let (min, max, unit) = range.get();
        unit == LengthUnit::Tokens || filters::is_in_range(&bar, min, max)
    };
    let click = move |_| match range.get_untracked() == this {
        true => restrict(grid, (None, None, LengthUnit::Characters)),
        false => restrict(grid, this),
    };
    // A bar for few records among many is still seen.
    let height = match bar.n {
        0 => 0.0,
        _ => (bar.height * 100.0).max(4.0),
    };
    view! {
        <button
            type="button"
            class="bar"
            class:outside=move || !inside()
            data-testid="grid-bar"
            aria-label=label
            aria-pressed=move || (range.get() == this).to_string()
            title=label
            style=("--height", format!("{height}%"))
            on:click=click
        ></button>
    }
}

#[component]
fn Limit(upper: bool, range: Memo<Range>) -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let wrong = RwSignal::new(false);
    let name = if upper {
        "grid-max-length"
    } else {
        "grid-min-length"
    };
    let label = move || match upper {
        true => texts().at_most,
        false => texts().at_least,
    };
    let field = StoredField::new(move || {
        let (min, max, _) = range.get();
        let limit = if upper { max } else { min };
        limit.map(|n| n.to_string()).unwrap_or_default()
    });
    let change = move |event| {
        let limit = filters::typed_limit(&field.hand_over(&event));
        wrong.set(limit.is_err());
        let Ok(limit) = limit else { return };
        let (min, max, unit) = range.get_untracked();
        let (min, max) = filters::with_limit((min, max), upper, limit);
        restrict(grid, (min, max, unit));
    };
    view! {
        <input
            type="text"
            inputmode="numeric"
            data-testid=name
            aria-label=label
            placeholder=label
            aria-invalid=move || wrong.get().to_string()
            prop:value=move || field.shown()
            on:input=move |event| field.type_in(&event)
            on:change=change
        />
        {move || wrong.get().then(|| view! {
            <p class="wrong hint" role="alert" data-testid=format!("{name}-wrong")>
                {texts().length_wrong}
            </p>
        })}
    }
}

#[component]
fn Unit(range: Memo<Range>) -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let change = move |event| {
        let unit = match event_target_value(&event).as_str() {
            "tokens" => LengthUnit::Tokens,
            _ => LengthUnit::Characters,
        };
        let (min, max, _) = range.get_untracked();
        restrict(grid, (min, max, unit));
    };
    let is_tokens = move || range.get().2 == LengthUnit::Tokens;
    view! {
        <select data-testid="grid-length-unit" aria-label=move || texts().length on:change=change>
            <option value="characters" selected=move || !is_tokens()>
                {move || texts().characters}
            </option>
            <option value="tokens" selected=is_tokens>{move || texts().tokens}</option>
        </select>
    }
}
