//! What is written, and how.

use leptos::prelude::*;
use veneer_core::protocol::studio::{Export, Side};

use super::{Exporting, sources::Sources};
use crate::{
    state::studio::export_form::{ExportForm, Purpose, formats},
    texts::studio::ExportTexts,
};

/// What the files are for, one button each.
#[component]
pub(super) fn Purposes(exporting: Exporting) -> impl IntoView {
    let studio = exporting.studio;
    let texts = move || &studio.app.language.get().studio().export;
    let form = exporting.form;
    let chosen = Memo::new(move |_| form.with(|form| form.purpose));
    view! {
        <fieldset class="purposes" data-testid="export-purposes">
            <legend class="unseen">{move || texts().purpose}</legend>
            {Purpose::ALL.map(|purpose| view! {
                <label class="purpose" class:chosen=move || chosen.get() == purpose>
                    <input
                        type="radio"
                        name="export-purpose"
                        value=purpose.name()
                        data-testid=format!("export-{}", purpose.name())
                        prop:checked=move || chosen.get() == purpose
                        on:change=move |_| form.update(|form| form.choose(purpose))
                    />
                    <span>
                        <strong>{move || words(texts(), purpose).0}</strong>
                        <span class="hint">{move || words(texts(), purpose).1}</span>
                    </span>
                </label>
            })}
        </fieldset>
    }
}

fn words(texts: &ExportTexts, purpose: Purpose) -> (&'static str, &'static str) {
    match purpose {
        Purpose::Data => (texts.data, texts.data_about),
        Purpose::Train => (texts.train, texts.train_about),
        Purpose::LlamaFactory => ("LLaMA-Factory", texts.llama_factory_about),
        Purpose::Axolotl => ("axolotl", texts.axolotl_about),
        Purpose::OpenAi => (texts.openai, texts.openai_about),
        Purpose::Spreadsheet => (texts.spreadsheet, texts.spreadsheet_about),
    }
}

#[component]
pub(super) fn Form(exporting: Exporting) -> impl IntoView {
    let studio = exporting.studio;
    let texts = move || &studio.app.language.get().studio().export;
    let form = exporting.form;
    let purpose = Memo::new(move |_| form.with(|form| form.purpose));
    view! {
        <form class="card export-form" on:submit=move |event| event.prevent_default()>
            <Kinds exporting=exporting />
            <SideChoice exporting=exporting />
            <Switch form=form testid="export-by-side" label=Signal::derive(move || texts().by_side)
                read=|options| options.by_side write=|options, on| options.by_side = on />
            <Switch form=form testid="export-list-only" label=Signal::derive(move || texts().list_only)
                read=|options| options.list_only write=|options, on| options.list_only = on />
            <Switch form=form testid="export-lossy" label=Signal::derive(move || texts().lossy)
                read=|options| options.lossy write=|options, on| options.lossy = on />
            <Show when=move || purpose.get().names_a_model()>
                <Words form=form testid="export-model" label=Signal::derive(move || texts().model)
                    hint=Signal::derive(move || texts().model_hint)
                    read=|options| options.model.clone() write=|options, text| options.model = text />
            </Show>
            <Switch form=form testid="export-card" label=Signal::derive(move || texts().card)
                read=|options| options.card write=|options, on| options.card = on />
            <Show when=move || form.with(|form| form.options.card)>
                <Words form=form testid="export-title" label=Signal::derive(move || texts().card_title)
                    hint=Signal::derive(move || texts().card_title_hint)
                    read=|options| options.title.clone() write=|options, text| options.title = text />
                <Words form=form testid="export-licence" label=Signal::derive(move || texts().licence)
                    hint=Signal::derive(move || texts().licence_hint)
                    read=|options| options.licence.clone() write=|options, text| options.licence = text />
                <Sources />
            </Show>
        </form>
    }
}

/// Format and kind of file, where there is a choice.
#[component]
fn Kinds(exporting: Exporting) -> impl IntoView {
    let studio = exporting.studio;
    let texts = move || &studio.app.language.get().studio().export;
    let form = exporting.form;
    let purpose = Memo::new(move |_| form.with(|form| form.purpose));
    let format = Memo::new(move |_| form.with(|form| form.format.clone()));
    let container = Memo::new(move |_| form.with(|form| form.container));
    view! {
        <div class="fields">
            <Show when=move || purpose.get() == Purpose::Data>
                <label>
                    <span>{move || texts().format}</span>
                    <select
                        data-testid="export-format"
                        on:change=move |event| {
                            form.update(|form| form.format = event_target_value(&event));
                        }
                    >
                        {formats().map(|name| view! {
                            <option value=name selected=move || format.get() == name>{name}</option>
                        })}
                    </select>
                </label>
            </Show>
            <Show when=move || !purpose.get().containers().is_empty()>
                <label>
                    <span>{move || texts().container}</span>
                    <select
                        data-testid="export-container"
                        on:change=move |event| {
                            form.update(|form| form.choose_container(&event_target_value(&event)));
                        }
                    >
                        {move || purpose.get().containers().iter().map(|kind| {
                            let kind = *kind;
                            view! {
                                <option value=kind.extension() selected=move || container.get() == kind>
                                    {format!(".{}", kind.extension())}
                                </option>
                            }
                        }).collect_view()}
                    </select>
                </label>
            </Show>
        </div>
    }
}

#[component]
fn SideChoice(exporting: Exporting) -> impl IntoView {
    let studio = exporting.studio;
    let texts = move || &studio.app.language.get().studio().export;
    let form = exporting.form;
    let title = move |side| match side {
        Side::Train => texts().side_train,
        Side::Validation => texts().side_validation,
        Side::Test => texts().side_test,
    };
    let name = |side| match side {
        Side::Train => "export-side-train",
        Side::Validation => "export-side-validation",
        Side::Test => "export-side-test",
    };
    view! {
        <fieldset class="sides-choice">
            <legend>{move || texts().sides}</legend>
            {Side::ALL.map(|side| view! {
                <label class="check">
                    <input
                        type="checkbox"
                        data-testid=name(side)
                        prop:checked=move || form.with(|form| form.has_side(side))
                        on:change=move |_| form.update(|form| form.toggle_side(side))
                    />
                    <span>{move || title(side)}</span>
                </label>
            })}
            <Show when=move || form.with(|form| !form.options.sides.is_empty())>
                <p class="hint" data-testid="export-without-side">{move || texts().without_side}</p>
            </Show>
        </fieldset>
    }
}

#[component]
fn Switch(
    form: RwSignal<ExportForm>,
    testid: &'static str,
    label: Signal<&'static str>,
    read: fn(&Export) -> bool,
    write: fn(&mut Export, bool),
) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                data-testid=testid
                prop:checked=move || form.with(|form| read(&form.options))
                on:change=move |event| {
                    let on = event_target_checked(&event);
                    form.update(|form| write(&mut form.options, on));
                }
            />
            <span>{move || label.get()}</span>
        </label>
    }
}

#[component]
fn Words(
    form: RwSignal<ExportForm>,
    testid: &'static str,
    label: Signal<&'static str>,
    hint: Signal<&'static str>,
    read: fn(&Export) -> String,
    write: fn(&mut Export, String),
) -> impl IntoView {
    view! {
        <label class="words-field">
            <span>{move || label.get()}</span>
            <input
                type="text"
                data-testid=testid
                placeholder=move || hint.get()
                prop:value=move || form.with(|form| read(&form.options))
                on:input=move |event| {
                    form.update(|form| write(&mut form.options, event_target_value(&event)));
                }
            />
        </label>
    }
}
