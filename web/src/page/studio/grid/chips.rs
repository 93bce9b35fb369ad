//! What the list is restricted to, each a chip that can be taken away.

use leptos::prelude::*;
use veneer_core::protocol::studio::{LengthUnit, SearchMode};

use super::handle::Grid;
use crate::{
    page::focus,
    state::{
        numbers,
        studio::filters::{self, Restriction},
    },
    texts::fill,
};

/// Where the keyboard goes from the last of them.
const SEARCH: &str = "#grid-search";

#[component]
pub(super) fn Chips() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let all = Memo::new(move |_| grid.studio.query.with(filters::restrictions));
    view! {
        <Show when=move || all.with(|all| !all.is_empty())>
            <ul class="grid-chips" data-testid="grid-chips" aria-label=move || texts().filters>
                {move || all.get().into_iter().map(|one| view! { <Chip one=one /> }).collect::<Vec<_>>()}
                <li>
                    <button
                        type="button"
                        class="quiet"
                        data-testid="grid-clear-filters"
                        on:click=move |_| {
                            grid.ask(filters::clear);
                            focus::keep(&[SEARCH]);
                        }
                    >
                        {move || texts().clear_filters}
                    </button>
                </li>
            </ul>
        </Show>
    }
}

#[component]
fn Chip(one: Restriction) -> impl IntoView {
    let grid = Grid::get();
    let one = StoredValue::new(one);
    let take_away = move |_| {
        one.with_value(|one| grid.ask(|query| filters::remove(query, one)));
        focus::keep(&["[data-testid=grid-chip]", SEARCH]);
    };
    let text = move || one.with_value(|one| words(grid, one));
    let label = move || {
        let texts = &grid.app.language.get().studio().grid;
        fill(texts.take_away, &[("filter", &text())])
    };
    view! {
        <li>
            <button
                type="button"
                class="chip"
                data-testid="grid-chip"
                aria-label=label
                on:click=take_away
            >
                {text}<span aria-hidden="true">" ×"</span>
            </button>
        </li>
    }
}

/// A restriction in words.
pub(super) fn words(grid: Grid, one: &Restriction) -> String {
    let language = grid.app.language.get();
    let texts = &language.studio().grid;
    let named = |name: &str, value: &str| format!("{name} {value}");
    match one {
        Restriction::Search(search) => match search.mode {
            SearchMode::Regex => format!("/{}/", search.text),
            SearchMode::Text | SearchMode::Words => language.quoted(&search.text),
        },
        Restriction::Tag(tag) => named(texts.tag, tag),
        Restriction::WithoutTag(tag) => named(texts.without_tag, tag),
        Restriction::Side(side) => texts.side(*side).to_owned(),
        Restriction::Language(code) => named(texts.language, language.name_of(code)),
        Restriction::Source(source) => source_name(grid, *source),
        Restriction::Reviewer(Some(name)) => named(texts.reviewer, name),
        Restriction::Reviewer(None) => texts.nobody.to_owned(),
        Restriction::Role(role) => named(texts.with_role, texts.role(*role)),
        Restriction::Finding(kind) => grid.findings.with(|findings| {
            let known = findings.kinds.iter().find(|known| known.kind == *kind);
            let unnamed = kind.0.replace('_', " ");
            let english = known.map_or(unnamed.as_str(), |known| known.title.as_str());
            let checks = &language.studio().checks;
            checks.title(&kind.0, english).to_owned()
        }),
        Restriction::Field(name, value) => format!("{name} = {value}"),
        Restriction::Length { min, max, unit } => {
            let number = |n: &Option<u64>| n.map(|n| numbers::whole(n, language));
            let unit = match unit {
                LengthUnit::Characters => texts.characters,
                LengthUnit::Tokens => texts.tokens,
            };
            let (min, max) = (number(min), number(max));
            format!(
                "{unit}: {}–{}",
                min.unwrap_or_default(),
                max.unwrap_or_default()
            )
        }
        Restriction::Group(_, group) => named(texts.group, &group.to_string()),
    }
}

/// The name of a file that records came from; those that were written here came from none.
pub(super) fn source_name(grid: Grid, source: u32) -> String {
    if source == 0 {
        let texts = grid.app.language.get().studio();
        return texts.editor.written_here.to_owned();
    }
    let name = grid.studio.project.with(|open| {
        let found = open
            .as_ref()?
            .sources
            .iter()
            .find(|known| known.source == source)?;
        Some(found.name.clone())
    });
    name.unwrap_or_else(|| format!("#{source}"))
}
