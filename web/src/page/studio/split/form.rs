//! How the sides are drawn.

use leptos::prelude::*;
use veneer_core::protocol::studio::{Facets, SplitPlan, StudioOutcome, StudioRequest};

use super::Splitting;
use crate::{
    state::studio::split_form::{FormFault, SplitForm, Unit},
    texts::fill,
};

#[component]
pub(super) fn Form(splitting: Splitting) -> impl IntoView {
    let studio = splitting.studio;
    let texts = move || &studio.app.language.get().studio().split;
    let form = splitting.form;
    let fault = Memo::new(move |_| splitting.plan().err());
    let said = move || {
        let texts = texts();
        fault.get().map(|fault| match fault {
            FormFault::Validation => texts.wrong_validation.to_owned(),
            FormFault::Test => texts.wrong_test.to_owned(),
            FormFault::Seed => texts.wrong_seed.to_owned(),
            FormFault::SeedTooLarge => {
                fill(texts.seed_too_large, &[("largest", &u64::MAX.to_string())])
            }
            FormFault::NothingLeft => texts.nothing_left.to_owned(),
            FormFault::SameColumn => texts.same_column.to_owned(),
        })
    };
    let unit = Memo::new(move |_| form.with(|form| form.unit));
    let choose_unit = move |event| {
        let unit = match event_target_value(&event).as_str() {
            "records" => Unit::Records,
            _ => Unit::Percent,
        };
        form.update(|form| form.unit = unit);
    };
    view! {
        <form
            class="card split-form"
            data-testid="split-form"
            on:submit=move |event| {
                event.prevent_default();
                splitting.apply();
            }
        >
            <div class="fields">
                <Field form=form label=Signal::derive(move || texts().validation) testid="split-validation"
                    wrong=Signal::derive(move || fault.get() == Some(FormFault::Validation))
                    read=|form| form.validation.clone() write=|form, text| form.validation = text />
                <Field form=form label=Signal::derive(move || texts().test) testid="split-test"
                    wrong=Signal::derive(move || fault.get() == Some(FormFault::Test))
                    read=|form| form.test.clone() write=|form, text| form.test = text />
                <label>
                    <span>{move || texts().unit}</span>
                    <select data-testid="split-unit" on:change=choose_unit>
                        <option value="percent" selected=move || unit.get() == Unit::Percent>
                            {move || texts().percent}
                        </option>
                        <option value="records" selected=move || unit.get() == Unit::Records>
                            {move || texts().records}
                        </option>
                    </select>
                </label>
                <Field form=form label=Signal::derive(move || texts().seed) testid="split-seed"
                    about=Signal::derive(move || texts().seed_about)
                    wrong=Signal::derive(move || matches!(fault.get(), Some(FormFault::Seed | FormFault::SeedTooLarge)))
                    read=|form| form.seed.clone() write=|form, text| form.seed = text />
                <Columns splitting=splitting />
            </div>
            <label class="check">
                <input
                    type="checkbox"
                    data-testid="split-keep-together"
                    prop:checked=move || form.with(|form| form.keep_duplicates_together)
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        form.update(|form| form.keep_duplicates_together = on);
                    }
                />
                <span>{move || texts().keep_together}</span>
            </label>
            <Show when=move || { splitting.n_new() > 0 }>
                <label class="check">
                    <input
                        type="checkbox"
                        data-testid="split-only-new"
                        prop:checked=move || form.with(|form| form.only_new)
                        on:change=move |event| {
                            let on = event_target_checked(&event);
                            form.update(|form| form.only_new = on);
                        }
                    />
                    <span>{move || texts().only_new}</span>
                </label>
            </Show>
            {move || said().map(|said| view! {
                <p class="wrong" role="alert" data-testid="split-form-fault">{said}</p>
            })}
            <div class="actions">
                <button
                    type="submit"
                    class="main"
                    data-testid="split-apply"
                    disabled=move || fault.get().is_some()
                >
                    {move || texts().apply}
                </button>
            </div>
        </form>
    }
}

#[component]
fn Field(
    form: RwSignal<SplitForm>,
    label: Signal<&'static str>,
    testid: &'static str,
    /// What its label does not say.
    #[prop(optional)]
    about: Option<Signal<&'static str>>,
    wrong: Signal<bool>,
    read: fn(&SplitForm) -> String,
    write: fn(&mut SplitForm, String),
) -> impl IntoView {
    view! {
        <label title=move || about.map(|about| about.get())>
            <span>{move || label.get()}</span>
            <input
                type="text"
                inputmode="decimal"
                autocomplete="off"
                data-testid=testid
                aria-invalid=move || wrong.get().to_string()
                prop:value=move || form.with(read)
                on:input=move |event| form.update(|form| write(form, event_target_value(&event)))
            />
        </label>
    }
}

/// Columns that sides can be balanced by, or that must not be torn apart.
#[component]
fn Columns(splitting: Splitting) -> impl IntoView {
    let studio = splitting.studio;
    let texts = move || &studio.app.language.get().studio().split;
    let facets = RwSignal::new(Facets::default());
    Effect::new(move || {
        studio.version.track();
        studio.ask(StudioRequest::Facets, &[], move |outcome| {
            if let StudioOutcome::Facets(found) = outcome {
                facets.try_set(found.clone());
            }
        });
    });
    let with_columns = move |own: &[&str]| {
        facets.with(|facets| {
            let own = own.iter().map(|name| (*name).to_owned());
            let columns = facets.fields.iter().chain(&facets.nested_fields);
            own.chain(columns.cloned()).collect::<Vec<_>>()
        })
    };
    let strata = Memo::new(move |_| with_columns(&[SplitPlan::SOURCE_FILE, SplitPlan::LANGUAGE]));
    let groups = Memo::new(move |_| with_columns(&[SplitPlan::SOURCE_FILE]));
    view! {
        <Column
            form=splitting.form
            label=Signal::derive(move || texts().stratify_by)
            about=Signal::derive(move || texts().stratify_about)
            testid="split-stratify"
            choices=strata
            read=|form| form.stratify_by.clone()
            write=|form, name| form.stratify_by = name
        />
        <Column
            form=splitting.form
            label=Signal::derive(move || texts().group_by)
            about=Signal::derive(move || texts().group_about)
            testid="split-group"
            choices=groups
            read=|form| form.group_by.clone()
            write=|form, name| form.group_by = name
        />
    }
}

#[component]
fn Column(
    form: RwSignal<SplitForm>,
    label: Signal<&'static str>,
    about: Signal<&'static str>,
    testid: &'static str,
    choices: Memo<Vec<String>>,
    read: fn(&SplitForm) -> String,
    write: fn(&mut SplitForm, String),
) -> impl IntoView {
    let studio = crate::page::studio::handle::Studio::get();
    let texts = move || &studio.app.language.get().studio().split;
    let chosen = Memo::new(move |_| form.with(read));
    let title = move |name: &str| match name {
        SplitPlan::SOURCE_FILE => texts().by_source.to_owned(),
        SplitPlan::LANGUAGE => texts().by_language.to_owned(),
        other => other.to_owned(),
    };
    view! {
        <label title=move || about.get()>
            <span>{move || label.get()}</span>
            <select
                data-testid=testid
                on:change=move |event| form.update(|form| write(form, event_target_value(&event)))
            >
                <option value="" selected=move || chosen.with(String::is_empty)>
                    {move || texts().none}
                </option>
                {move || choices.get().into_iter().map(|name| {
                    let (value, this) = (name.clone(), name.clone());
                    view! {
                        <option value=value selected=move || chosen.with(|chosen| *chosen == this)>
                            {move || title(&name)}
                        </option>
                    }
                }).collect_view()}
            </select>
        </label>
    }
}
