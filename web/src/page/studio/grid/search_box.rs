//! What is looked for, and how.

use leptos::prelude::*;
use veneer_core::protocol::studio::{Search, SearchMode, TurnRole};
use web_sys::KeyboardEvent;

use super::{
    handle::{Grid, Panel},
    table,
};
use crate::{
    page::studio::keys::key_of,
    state::{message::detail_of, studio::highlight},
};

/// Typing rests this long before the search begins.
const REST_MS: u64 = 160;

const MODES: [(SearchMode, &str); 3] = [
    (SearchMode::Words, "words"),
    (SearchMode::Text, "text"),
    (SearchMode::Regex, "regex"),
];

/// The search as it is typed, ahead of the query.
#[derive(Clone, Copy)]
struct Typed {
    grid: Grid,
    text: RwSignal<String>,
    mode: RwSignal<SearchMode>,
    case: RwSignal<bool>,
    role: RwSignal<Option<TurnRole>>,
    waiting: StoredValue<Option<TimeoutHandle>>,
}

impl Typed {
    fn search(self) -> Option<Search> {
        let text = self.text.get_untracked();
        let mode = self.mode.get_untracked();
        highlight::seeks(&text, mode).then(|| Search {
            text,
            mode,
            case_sensitive: self.case.get_untracked(),
            role: self.role.get_untracked(),
        })
    }

    fn now(self) {
        self.stop_waiting();
        let search = self.search();
        let same = self
            .grid
            .studio
            .query
            .with_untracked(|query| query.search == search);
        if !same {
            self.grid.ask(|query| query.search = search);
        }
    }

    fn soon(self) {
        self.stop_waiting();
        let rest = std::time::Duration::from_millis(REST_MS);
        let waiting = set_timeout_with_handle(move || self.now(), rest);
        self.waiting.set_value(waiting.ok());
    }

    fn stop_waiting(self) {
        if let Some(waiting) = self.waiting.get_value() {
            waiting.clear();
        }
        self.waiting.set_value(None);
    }

    /// Follows a query that was changed elsewhere, such as by taking its chip away.
    fn follow(self) {
        Effect::new(move || {
            let search = self.grid.studio.query.with(|query| query.search.clone());
            if self.waiting.get_value().is_some() || search == self.search() {
                return;
            }
            self.text.set(
                search
                    .as_ref()
                    .map(|search| search.text.clone())
                    .unwrap_or_default(),
            );
            if let Some(search) = search {
                self.mode.set(search.mode);
                self.case.set(search.case_sensitive);
                self.role.set(search.role);
            }
        });
        // Words are found, but not replaced.
        Effect::new(move || {
            let replaces = self.grid.panel.get() == Some(Panel::Replace);
            if replaces && self.mode.get_untracked() == SearchMode::Words {
                self.mode.set(SearchMode::Text);
                self.now();
            }
        });
    }
}

#[component]
pub(super) fn SearchBox() -> impl IntoView {
    let grid = Grid::get();
    let texts = move || &grid.app.language.get().studio().grid;
    let typed = Typed {
        grid,
        text: RwSignal::default(),
        mode: RwSignal::default(),
        case: RwSignal::new(false),
        role: RwSignal::new(None),
        waiting: StoredValue::new(None),
    };
    typed.follow();
    on_cleanup(move || typed.stop_waiting());
    let key = move |event: KeyboardEvent| match key_of(&event).as_str() {
        "Enter" => typed.now(),
        "ArrowDown" => {
            event.prevent_default();
            typed.now();
            table::focus_row(grid.cursor.get_untracked().unwrap_or(0));
        }
        "Escape" if typed.text.with_untracked(String::is_empty) => {
            table::focus_row(grid.cursor.get_untracked().unwrap_or(0));
        }
        "Escape" => {
            typed.text.set(String::new());
            typed.now();
        }
        _ => {}
    };
    view! {
        <div class="grid-search" role="search">
            <input
                type="text"
                id="grid-search"
                data-testid="grid-search"
                autocomplete="off"
                spellcheck="false"
                placeholder=move || texts().search
                aria-label=move || texts().search
                aria-invalid=move || grid.search_fault.with(Option::is_some).to_string()
                aria-describedby="grid-search-fault"
                prop:value=move || typed.text.get()
                on:input=move |event| {
                    typed.text.set(event_target_value(&event));
                    typed.soon();
                }
                on:keydown=key
            />
            <Options typed=typed />
        </div>
        <p class="hint wrong" id="grid-search-fault" role="status" data-testid="grid-search-fault">
            {move || grid.search_fault.get().map(|fault| detail_of(&fault, grid.app.language.get()))}
        </p>
    }
}

/// How the text is taken.
#[component]
fn Options(typed: Typed) -> impl IntoView {
    let app = typed.grid.app;
    let texts = move || &app.language.get().studio().grid;
    let mode_name = move |mode| match mode {
        SearchMode::Words => texts().mode_words,
        SearchMode::Text => texts().mode_text,
        SearchMode::Regex => texts().mode_regex,
    };
    let choose_mode = move |event| {
        let name = event_target_value(&event);
        if let Some((mode, _)) = MODES.iter().find(|(_, other)| *other == name) {
            typed.mode.set(*mode);
            typed.now();
        }
    };
    let choose_role = move |event| {
        let name = event_target_value(&event);
        let found = TurnRole::ALL.into_iter().find(|role| role.name() == name);
        typed.role.set(found);
        typed.now();
    };
    view! {
        <select
            data-testid="grid-search-mode"
            aria-label=move || texts().mode
            on:change=choose_mode
        >
            {MODES.map(|(mode, name)| view! {
                <option value=name selected=move || typed.mode.get() == mode>
                    {move || mode_name(mode)}
                </option>
            })}
        </select>
        <select
            data-testid="grid-search-role"
            aria-label=move || texts().in_role
            on:change=choose_role
        >
            <option value="" selected=move || typed.role.get().is_none()>
                {move || texts().any_role}
            </option>
            {TurnRole::ALL.map(|role| view! {
                <option value=role.name() selected=move || typed.role.get() == Some(role)>
                    {move || texts().role(role)}
                </option>
            })}
        </select>
        <button
            type="button"
            data-testid="grid-search-case"
            aria-pressed=move || typed.case.get().to_string()
            aria-label=move || texts().match_case
            title=move || texts().match_case
            on:click=move |_| {
                typed.case.update(|case| *case = !*case);
                typed.now();
            }
        >
            "Aa"
        </button>
    }
}
