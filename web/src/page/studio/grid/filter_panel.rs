//! What the list can be restricted to, with how many records each would leave.

use leptos::prelude::*;

use super::{chips, handle::Grid, lengths::Lengths};
use crate::state::{
    numbers,
    studio::filters::{self, Restriction},
};

/// A value that can be chosen: what it restricts to, its name, how many records have it.
type Choice = (Restriction, String, Option<u64>);

#[component]
pub(super) fn FilterPanel() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let in_trash = Memo::new(move |_| grid.studio.query.with(|query| query.filter.trash));
    // Counts are brought up to date with whatever changed records; the trash has its own.
    Effect::new(move || {
        grid.studio.project.track();
        in_trash.get();
        grid.ask_facets();
    });
    let choices = move |make: fn(Grid) -> Vec<Choice>| Signal::derive(move || make(grid));
    view! {
        <section class="grid-panel" data-testid="grid-filter-panel" aria-label=move || texts().filters>
            <Group name="findings" title=Signal::derive(move || texts().findings) choices=choices(findings) />
            <Group name="tags" title=Signal::derive(move || texts().tags) choices=choices(tags) />
            <Group name="sides" title=Signal::derive(move || texts().split) choices=choices(sides) />
            <Lengths />
            <Group name="languages" title=Signal::derive(move || texts().language) choices=choices(languages) />
            <Group name="sources" title=Signal::derive(move || texts().source) choices=choices(sources) />
            <Group name="reviewers" title=Signal::derive(move || texts().reviewer) choices=choices(reviewers) />
            <Group name="roles" title=Signal::derive(move || texts().roles) choices=choices(roles) />
            <Field />
        </section>
    }
}

fn findings(grid: Grid) -> Vec<Choice> {
    let checks = &grid.app.language.get().studio().checks;
    let all = grid.findings.with(|findings| findings.kinds.clone());
    // Findings are counted of the records outside the trash.
    let in_trash = grid.studio.query.with(|query| query.filter.trash);
    let found = all
        .into_iter()
        .filter(|kind| in_trash || kind.n_records > 0);
    found
        .map(|kind| {
            let title = checks.title(&kind.kind.0, &kind.title).to_owned();
            let n = (!in_trash).then_some(kind.n_records);
            (Restriction::Finding(kind.kind), title, n)
        })
        .collect()
}

fn tags(grid: Grid) -> Vec<Choice> {
    let tags = grid.facets.with(|facets| facets.tags.clone());
    let tags = tags.into_iter();
    tags.map(|(tag, n)| (Restriction::Tag(tag.clone()), tag, Some(n)))
        .collect()
}

fn sides(grid: Grid) -> Vec<Choice> {
    let texts = &grid.app.language.get().studio().grid;
    let sides = grid.facets.with(|facets| facets.sides.clone());
    let sides = sides.into_iter();
    sides
        .map(|(side, n)| {
            (
                Restriction::Side(side),
                texts.side(side).to_owned(),
                Some(n),
            )
        })
        .collect()
}

fn languages(grid: Grid) -> Vec<Choice> {
    let ours = grid.app.language.get();
    let languages = grid.facets.with(|facets| facets.languages.clone());
    let languages = languages.into_iter();
    languages
        .map(|(language, n)| {
            let name = ours.name_of(&language).to_owned();
            (Restriction::Language(language), name, Some(n))
        })
        .collect()
}

fn sources(grid: Grid) -> Vec<Choice> {
    let sources = grid.facets.with(|facets| facets.sources.clone());
    let sources = sources.into_iter();
    sources
        .map(|(source, n)| {
            let name = chips::source_name(grid, source);
            (Restriction::Source(source), name, Some(n))
        })
        .collect()
}

fn reviewers(grid: Grid) -> Vec<Choice> {
    let nobody = grid.app.language.get().studio().grid.nobody;
    let reviewers = grid.facets.with(|facets| facets.reviewers.clone());
    let reviewers = reviewers.into_iter();
    reviewers
        .map(|(name, n)| {
            let shown = name.clone().unwrap_or_else(|| nobody.to_owned());
            (Restriction::Reviewer(name), shown, Some(n))
        })
        .collect()
}

fn roles(grid: Grid) -> Vec<Choice> {
    let texts = &grid.app.language.get().studio().grid;
    let roles = grid.facets.with(|facets| facets.roles.clone());
    let roles = roles.into_iter();
    roles
        .map(|(role, n)| {
            (
                Restriction::Role(role),
                texts.role(role).to_owned(),
                Some(n),
            )
        })
        .collect()
}

/// The values of one kind.
#[component]
fn Group(
    name: &'static str,
    #[prop(into)] title: Signal<&'static str>,
    #[prop(into)] choices: Signal<Vec<Choice>>,
) -> impl IntoView {
    view! {
        <Show when=move || choices.with(|choices| !choices.is_empty())>
            <fieldset class="grid-facet" data-testid=format!("grid-facet-{name}")>
                <legend>{title}</legend>
                <ul>
                    {move || choices.get().into_iter().map(|choice| view! { <Value choice=choice /> }).collect::<Vec<_>>()}
                </ul>
            </fieldset>
        </Show>
    }
}

#[component]
fn Value(choice: Choice) -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let (restriction, name, n) = choice;
    let n = move || n.map(|n| numbers::whole(n, grid.app.language.get()));
    let not = match &restriction {
        Restriction::Tag(tag) => Some(Restriction::WithoutTag(tag.clone())),
        _ => None,
    };
    let restriction = StoredValue::new(restriction);
    let holds = move || {
        let query = grid.studio.query;
        query.with(|query| restriction.with_value(|one| filters::holds(query, one)))
    };
    let turn = move |_| {
        restriction.with_value(|one| grid.ask(|query| filters::toggle(query, one)));
    };
    let without = not.map(|not| {
        let not = StoredValue::new(not);
        let label = move || not.with_value(|not| chips::words(grid, not));
        view! {
            <button
                type="button"
                class="quiet"
                data-testid="grid-without"
                aria-label=label
                title=label
                on:click=move |_| not.with_value(|not| grid.ask(|query| filters::toggle(query, not)))
            >
                {move || texts().not}
            </button>
        }
    });
    view! {
        <li>
            <label class="check">
                <input type="checkbox" data-testid="grid-choice" prop:checked=holds on:change=turn />
                <span class="grid-facet-name">{name}</span>
                <span class="grid-facet-n">{n}</span>
            </label>
            {without}
        </li>
    }
}

/// A column beside the text, and the value it must have.
#[component]
fn Field() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let fields = Memo::new(move |_| grid.facets.with(|facets| facets.fields.clone()));
    let now = grid
        .studio
        .query
        .with_untracked(|query| query.filter.field.clone());
    let (name, value) = now.unwrap_or_default();
    let name = RwSignal::new(name);
    let value = RwSignal::new(value);
    let apply = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let name = Some(name.get_untracked()).filter(|name| !name.is_empty());
        let name = name.or_else(|| fields.with_untracked(|fields| fields.first().cloned()));
        if let Some(name) = name {
            let restriction = Restriction::Field(name, value.get_untracked());
            grid.ask(|query| filters::add(query, &restriction));
        }
    };
    let options = move || {
        let chosen = name.get_untracked();
        let option = move |field: String| {
            let is_chosen = field == chosen;
            view! { <option value=field.clone() selected=is_chosen>{field.clone()}</option> }
        };
        fields.get().into_iter().map(option).collect::<Vec<_>>()
    };
    view! {
        <Show when=move || fields.with(|fields| !fields.is_empty())>
            <fieldset class="grid-facet" data-testid="grid-facet-field">
                <legend>{move || texts().field}</legend>
                <form class="grid-field" on:submit=apply>
                    <select
                        data-testid="grid-field-name"
                        aria-label=move || texts().field
                        on:change=move |event| name.set(event_target_value(&event))
                    >
                        {options}
                    </select>
                    <input
                        type="text"
                        data-testid="grid-field-value"
                        aria-label=move || texts().value
                        placeholder=move || texts().value
                        prop:value=move || value.get()
                        on:input=move |event| value.set(event_target_value(&event))
                    />
                    <button type="submit" data-testid="grid-field-apply">{move || texts().apply}</button>
                </form>
            </fieldset>
        </Show>
    }
}
