//! How a part is read: format, where each field comes from, numbers, header; pieces of documents.

use leptos::prelude::*;
use veneer_core::protocol::studio::{
    ChunkReading, Header, Numbers, PartKey, Reading, RecordReading,
};

use super::incoming::Incoming;
use crate::{
    page::{
        handle::App,
        studio::{handle::Studio, stored_field::StoredField},
    },
    state::{
        numbers,
        studio::importing::{self, Choice, Source},
    },
    texts::fill,
};

/// Encodings to choose from where the guess is wrong.
const ENCODINGS: [&str; 8] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "shift_jis",
    "euc-jp",
    "windows-1252",
    "latin1",
    "gb18030",
];

const SEPARATORS: [(&str, &str); 4] = [(",", ","), (";", ";"), ("\t", "Tab"), ("|", "|")];

/// The header of most tables.
const FIRST_ROW: Header = Header {
    skipped_rows: 0,
    header_rows: 1,
};

/// The value of a choice that leaves it to Veneer.
const GUESS: &str = "";

#[component]
pub(super) fn ReadingForm(part: PartKey) -> impl IntoView {
    let incoming = Incoming::get();
    let choice = Memo::new(move |_| incoming.parts.with(|parts| parts.choice(part).cloned()));
    let is_table = move || {
        choice.with(|choice| {
            choice
                .as_ref()
                .is_some_and(|choice| choice.records().is_some())
        })
    };
    view! {
        <Show
            when=is_table
            fallback=move || view! { <ChunkForm part=part choice=choice /> }
        >
            <Fields part=part choice=choice />
            <TableForm part=part choice=choice />
        </Show>
    }
}

fn reading_of(choice: Option<&Choice>) -> RecordReading {
    choice
        .and_then(Choice::records)
        .cloned()
        .unwrap_or_default()
}

/// Format and where each of its fields comes from.
#[component]
fn Fields(part: PartKey, choice: Memo<Option<Choice>>) -> impl IntoView {
    let app = App::get();
    let incoming = Incoming::get();
    let texts = move || &app.language.get().studio().import;
    let format = Memo::new(move |_| choice.with(|choice| reading_of(choice.as_ref()).format));
    let choose = move |event| {
        let name = event_target_value(&event);
        let format = (name != GUESS).then_some(name);
        incoming.decide(part, |choice| choice.set_format(format));
    };
    let shown = move || {
        let previewed = choice.with(|choice| {
            let preview = choice.as_ref()?.preview.as_ref()?;
            Some(preview.format.clone())
        });
        importing::fields_of(format.get().or(previewed).as_deref()).to_vec()
    };
    view! {
        <label>
            {move || texts().format}
            <select data-testid="import-format" on:change=choose>
                <option value=GUESS prop:selected=move || format.get().is_none()>
                    {move || texts().format_guess}
                </option>
                {importing::FIELDS.map(|(name, _)| view! {
                    <option
                        value=name
                        prop:selected=move || format.get().as_deref() == Some(name)
                    >
                        {name}
                    </option>
                })}
            </select>
        </label>
        <div class="fields">
            <For each=shown key=|field| *field let:field>
                <Field part=part choice=choice field=field />
            </For>
        </div>
        <p class="hint">{move || texts().template_about}</p>
    }
}

/// A column, or a text with columns in it.
#[component]
fn Field(part: PartKey, choice: Memo<Option<Choice>>, field: &'static str) -> impl IntoView {
    let app = App::get();
    let incoming = Incoming::get();
    let texts = move || &app.language.get().studio().import;
    let source = Memo::new(move |_| {
        choice.with(|choice| {
            choice
                .as_ref()
                .map_or(Source::Nothing, |choice| choice.source_of(field))
        })
    });
    let columns = move || {
        choice.with(|choice| {
            let columns = choice.as_ref().map(Choice::columns);
            columns.unwrap_or_default().to_vec()
        })
    };
    // Chosen from one list: nothing, a template, or a column behind its mark.
    let choose = move |event| {
        let value = event_target_value(&event);
        let source = match value.strip_prefix("column:") {
            Some(column) => Source::Column(column.to_owned()),
            None if value == "template" => Source::Template(String::new()),
            None => Source::Nothing,
        };
        incoming.decide(part, |choice| choice.set_source(field, source));
    };
    let write = move |text| {
        incoming.decide(part, |choice| {
            choice.set_source(field, Source::Template(text));
        });
    };
    let template = move || match source.get() {
        Source::Template(text) => Some(text),
        _ => None,
    };
    view! {
        <div class="field">
            <label>
                {field}
                <select data-testid=format!("import-field-{field}") on:change=choose>
                    <option value="" prop:selected=move || source.get() == Source::Nothing>
                        {move || texts().no_column}
                    </option>
                    <option value="template" prop:selected=move || template().is_some()>
                        {move || texts().by_template}
                    </option>
                    <For each=columns key=|column| column.clone() let:column>
                        <option
                            value=format!("column:{column}")
                            prop:selected={
                                let column = column.clone();
                                move || source.get() == Source::Column(column.clone())
                            }
                        >
                            {column.clone()}
                        </option>
                    </For>
                </select>
            </label>
            <Show when=move || template().is_some()>
                <Template field=field text=move || template().unwrap_or_default() write=write />
            </Show>
        </div>
    }
}

#[component]
fn Template(
    field: &'static str,
    text: impl Fn() -> String + Send + Sync + 'static,
    write: impl Fn(String) + 'static,
) -> impl IntoView {
    let app = App::get();
    let texts = move || &app.language.get().studio().import;
    let typed = StoredField::new(text);
    view! {
        <textarea
            rows="3"
            data-testid=format!("import-template-{field}")
            aria-label=move || format!("{field}: {}", texts().by_template)
            prop:value=move || typed.shown()
            on:input=move |event| typed.type_in(&event)
            on:change=move |event| write(typed.hand_over(&event))
        ></textarea>
    }
}

/// Encoding, separator, header, numbers.
#[component]
fn TableForm(part: PartKey, choice: Memo<Option<Choice>>) -> impl IntoView {
    let app = App::get();
    let incoming = Incoming::get();
    let texts = move || &app.language.get().studio().import;
    let reading = Memo::new(move |_| choice.with(|choice| reading_of(choice.as_ref())));
    let change = move |change: Box<dyn FnOnce(&mut RecordReading)>| {
        incoming.decide(part, |choice| {
            if let Reading::Records(reading) = &mut choice.reading {
                change(reading);
            }
        });
    };
    let header = move || reading.get().header.unwrap_or(FIRST_ROW);
    let numbers = [
        (Numbers::AsTheyStand, "as"),
        (Numbers::Plain, "plain"),
        (Numbers::WithUnits, "units"),
    ];
    let number_label = move |kind| match kind {
        Numbers::AsTheyStand => texts().numbers_as,
        Numbers::Plain => texts().numbers_plain,
        Numbers::WithUnits => texts().numbers_units,
    };
    let choose_numbers = move |event| {
        let name = event_target_value(&event);
        let kind = numbers.iter().find(|(_, known)| *known == name);
        if let Some((kind, _)) = kind.copied() {
            change(Box::new(move |reading| reading.numbers = kind));
        }
    };
    view! {
        <div class="fields">
            <Encoding
                chosen=Signal::derive(move || reading.get().encoding)
                choose=move |encoding| change(Box::new(move |reading| reading.encoding = encoding))
            />
            <label>
                {move || texts().separator}
                <select
                    data-testid="import-separator"
                    on:change=move |event| {
                        let separator = guessed(&event);
                        change(Box::new(move |reading| reading.separator = separator));
                    }
                >
                    <option value=GUESS>{move || texts().format_guess}</option>
                    {SEPARATORS.map(|(value, name)| view! {
                        <option
                            value=value
                            prop:selected=move || reading.get().separator.as_deref() == Some(value)
                        >
                            {name}
                        </option>
                    })}
                </select>
            </label>
            <NumberField
                label=Signal::derive(move || texts().skipped_rows)
                testid="import-skipped-rows"
                number=move || header().skipped_rows
                choose=move |typed| {
                    let rows = Some(header().header_rows);
                    incoming.decide(part, |choice| choice.set_header(typed, rows));
                }
            />
            <NumberField
                label=Signal::derive(move || texts().header_rows)
                testid="import-header-rows"
                number=move || header().header_rows
                choose=move |typed| {
                    let skipped = Some(header().skipped_rows);
                    incoming.decide(part, |choice| choice.set_header(skipped, typed));
                }
            />
            <label>
                {move || texts().numbers}
                <select data-testid="import-numbers" on:change=choose_numbers>
                    {numbers.map(|(kind, name)| view! {
                        <option value=name prop:selected=move || reading.get().numbers == kind>
                            {move || number_label(kind)}
                        </option>
                    })}
                </select>
            </label>
            <label class="check">
                <input
                    type="checkbox"
                    data-testid="import-take-chosen"
                    prop:checked=move || reading.get().take_chosen
                    on:change=move |event| {
                        let chosen = event_target_checked(&event);
                        change(Box::new(move |reading| reading.take_chosen = chosen));
                    }
                />
                {move || texts().take_chosen}
            </label>
        </div>
    }
}

/// A whole number of a reading; what is none leaves it to the reading.
#[component]
fn NumberField(
    label: Signal<&'static str>,
    testid: &'static str,
    number: impl Fn() -> u32 + Send + Sync + 'static,
    choose: impl Fn(Option<u32>) + 'static,
) -> impl IntoView {
    let field = StoredField::new(move || number().to_string());
    let change = move |event| {
        let typed = numbers::typed_whole(&field.hand_over(&event));
        choose(typed.and_then(|number| u32::try_from(number).ok()));
        field.show_stored();
    };
    view! {
        <label>
            {move || label.get()}
            <input
                type="text"
                inputmode="numeric"
                data-testid=testid
                prop:value=move || field.shown()
                on:input=move |event| field.type_in(&event)
                on:change=change
            />
        </label>
    }
}

#[component]
fn Encoding(
    chosen: Signal<Option<String>>,
    choose: impl Fn(Option<String>) + 'static,
) -> impl IntoView {
    let app = App::get();
    let texts = move || &app.language.get().studio().import;
    view! {
        <label>
            {move || texts().encoding}
            <select
                data-testid="import-encoding"
                on:change=move |event| choose(guessed(&event))
            >
                <option value=GUESS>{move || texts().format_guess}</option>
                {ENCODINGS.map(|name| view! {
                    <option
                        value=name
                        prop:selected=move || chosen.get().as_deref() == Some(name)
                    >
                        {name}
                    </option>
                })}
            </select>
        </label>
    }
}

/// What a select says, `None` for what is guessed.
fn guessed(event: &web_sys::Event) -> Option<String> {
    let value: String = event_target_value(event);
    (value != GUESS).then_some(value)
}

/// Length and overlap of the pieces of a document.
#[component]
fn ChunkForm(part: PartKey, choice: Memo<Option<Choice>>) -> impl IntoView {
    let app = App::get();
    let studio = Studio::get();
    let incoming = Incoming::get();
    let texts = move || &app.language.get().studio().import;
    let reading = Memo::new(move |_| {
        choice
            .with(|choice| choice.as_ref().and_then(Choice::chunks).cloned())
            .unwrap_or_default()
    });
    let change = move |change: Box<dyn FnOnce(&mut ChunkReading)>| {
        incoming.decide(part, |choice| {
            if let Reading::Chunks(reading) = &mut choice.reading {
                change(reading);
            }
        });
    };
    // Others say it themselves.
    let is_text = Memo::new(move |_| {
        choice.with(|choice| {
            let name = choice
                .as_ref()
                .map(|choice| choice.view.name.to_lowercase());
            name.is_some_and(|name| ![".pdf", ".docx"].iter().any(|end| name.ends_with(end)))
        })
    });
    let unit = move || {
        let model = studio
            .text_model
            .with(|model| model.as_ref().map(|model| model.name.clone()));
        match model {
            Some(model) => fill(texts().in_tokens, &[("model", &model)]),
            None => texts().in_chars.to_owned(),
        }
    };
    let choose_size = move |typed: Option<u32>| {
        let size = typed.unwrap_or(reading.get_untracked().size).max(16);
        change(Box::new(move |reading| reading.size = size));
    };
    let choose_overlap = move |typed: Option<u32>| {
        let now = reading.get_untracked();
        let overlap = typed.unwrap_or(now.overlap).min(now.size / 2);
        change(Box::new(move |reading| reading.overlap = overlap));
    };
    view! {
        <div class="fields">
            <NumberField
                label=Signal::derive(move || texts().chunk_size)
                testid="import-chunk-size"
                number=move || reading.get().size
                choose=choose_size
            />
            <NumberField
                label=Signal::derive(move || texts().chunk_overlap)
                testid="import-chunk-overlap"
                number=move || reading.get().overlap
                choose=choose_overlap
            />
            <p class="hint">{unit}</p>
            <label class="check">
                <input
                    type="checkbox"
                    data-testid="import-tables-as-rows"
                    prop:checked=move || reading.get().tables_as_rows
                    on:change=move |event| {
                        let rows = event_target_checked(&event);
                        change(Box::new(move |reading| reading.tables_as_rows = rows));
                    }
                />
                {move || texts().tables_as_rows}
            </label>
            <Show when=move || is_text.get()>
                <Encoding
                    chosen=Signal::derive(move || reading.get().encoding)
                    choose=move |encoding| change(Box::new(move |reading| reading.encoding = encoding))
                />
            </Show>
        </div>
    }
}
