//! The projects of this browser, and how a new one begins.

use leptos::prelude::*;
use veneer_core::protocol::{
    studio::{ProjectEntry, Sample, StudioRequest},
    tab::FaultKind,
};
use web_sys::HtmlInputElement;

use crate::{
    page::{handle::App, picked, studio::handle::Studio},
    state::{
        message::{reason, sentence},
        numbers,
        studio::draft::Unsaved,
    },
    texts::fill,
};

#[component]
pub(super) fn Projects() -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let texts = move || &app.language.get().studio().frame;
    let used = move || {
        let projects = studio.projects.get();
        let bytes = |n| numbers::bytes(n, app.language.get());
        if let Some(why) = projects.unavailable {
            return fill(
                texts().not_kept,
                &[("why", &reason(&why, app.language.get()))],
            );
        }
        let used = bytes(projects.used_bytes);
        match projects.quota_bytes {
            0 => fill(texts().used, &[("used", &used)]),
            quota => {
                let quota = bytes(quota);
                fill(texts().used_of, &[("used", &used), ("quota", &quota)])
            }
        }
    };
    let is_kept = move || studio.projects.with(|all| all.unavailable.is_none());
    let full = move || {
        let (title, hint) = app.language.get().fault(FaultKind::StorageFull);
        let is_full = studio.projects.with(|all| all.is_full);
        is_full.then(|| view! {
            <p class="note" role="status" data-testid="studio-full">{sentence(title)}" "{hint}</p>
        })
    };
    let is_empty = move || studio.projects.with(|all| all.projects.is_empty());
    view! {
        <main id="studio-main" class="projects">
            <section class="card" aria-labelledby="projects-title">
                <h2 id="projects-title">{move || texts().projects}</h2>
                <Show when=is_kept>
                    <p class="hint">{move || texts().projects_about}</p>
                </Show>
                <ul class="list" data-testid="studio-project-list">
                    <For
                        each=move || studio.projects.get().projects
                        key=|entry| (entry.id.clone(), entry.name.clone(), entry.changed_ms)
                        let:entry
                    >
                        <Entry entry=entry />
                    </For>
                </ul>
                <Show when=is_empty>
                    <p>{move || texts().no_projects}</p>
                </Show>
                {full}
                <p class="hint">{used}</p>
            </section>
            <New />
        </main>
    }
}

#[component]
fn New() -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let texts = move || &app.language.get().studio().frame;
    let name = RwSignal::new(String::new());
    let create = move || {
        let typed = name.get_untracked().trim().to_owned();
        let name = match typed.is_empty() {
            true => texts().default_name.to_owned(),
            false => typed,
        };
        studio.ask(StudioRequest::CreateProject { name }, &[], |_| {});
    };
    let open_file = move |event| {
        let input: HtmlInputElement = event_target(&event);
        let picked = picked::of_input(&input);
        if let Some(name) = picked.names.first().cloned() {
            let request = StudioRequest::OpenProjectFile { name };
            studio.ask(request, &picked.files[..1], |_| {});
        }
    };
    let sample =
        move |sample, label: fn(&crate::texts::studio::StudioTexts) -> &'static str, id| {
            view! {
                <button type="button" data-testid=id on:click=move |_| studio.open_sample(sample)>
                    {move || label(app.language.get().studio())}
                </button>
            }
        };
    view! {
        <section class="card">
            <form
                class="new-project"
                on:submit=move |event| {
                    event.prevent_default();
                    create();
                }
            >
                <label for="new-project">{move || texts().new_name}</label>
                <input
                    id="new-project"
                    type="text"
                    data-testid="studio-new-name"
                    placeholder=move || texts().default_name
                    prop:value=move || name.get()
                    on:input=move |event| name.set(event_target_value(&event))
                />
                <button type="submit" class="main" data-testid="studio-create">
                    {move || texts().create}
                </button>
            </form>
            <label class="button">
                {move || texts().open_file}
                <input
                    type="file"
                    accept=".veneer,.sqlite,.db"
                    data-testid="studio-open-file"
                    on:change=open_file
                />
            </label>
            <h3>{move || texts().samples}</h3>
            <div class="actions">
                {sample(Sample::Bank, |texts| texts.frame.sample_bank, "studio-sample-bank")}
                {sample(Sample::Bond, |texts| texts.frame.sample_bond, "studio-sample-bond")}
            </div>
        </section>
    }
}

#[component]
fn Entry(entry: ProjectEntry) -> impl IntoView {
    let studio = Studio::get();
    let app = App::get();
    let texts = move || &app.language.get().studio().frame;
    let busy = RwSignal::new(entry.open_elsewhere);
    let sure = RwSignal::new(false);
    let ProjectEntry {
        id,
        name,
        bytes,
        changed_ms,
        ..
    } = entry;
    let n_unsaved = {
        let id = id.clone();
        Memo::new(move |_| {
            let is_here = |unsaved: &&Unsaved| unsaved.project == id;
            studio
                .unsaved
                .with(|list| list.iter().filter(is_here).count())
        })
    };
    let unsaved_text = move || fill(texts().n_unsaved, &[("n", &n_unsaved.get().to_string())]);
    let about = move || {
        if studio.projects.with(|all| all.unavailable.is_some()) {
            return texts().only_here.to_owned();
        }
        let date = js_sys::Date::new(&(changed_ms as f64).into());
        let when = date.to_locale_string(app.language.get().tag(), &js_sys::Object::new());
        let when = String::from(when);
        let changed = fill(texts().changed, &[("when", &when)]);
        format!("{}, {changed}", numbers::bytes(bytes, app.language.get()))
    };
    let open = {
        let id = id.clone();
        move |_| {
            let request = StudioRequest::OpenProject {
                id: id.clone(),
                take_over: busy.get_untracked(),
            };
            studio.ask_or(
                request,
                &[],
                |_| {},
                move |fault| match fault.kind {
                    FaultKind::ProjectBusy => busy.set(true),
                    _ => app.complain(fault.clone()),
                },
            );
        }
    };
    let delete = move |_| {
        let gone = id.clone();
        let request = StudioRequest::DeleteProject { id: id.clone() };
        studio.ask(request, &[], move |_| studio.forget_unsaved(&gone));
    };
    let shown = name.clone();
    let busy_text = move || fill(texts().busy, &[("name", &shown)]);
    let asked = name.clone();
    let sure_text = move || fill(texts().delete_sure, &[("name", &asked)]);
    let open_label = move || match busy.get() {
        true => texts().take_over,
        false => texts().open,
    };
    view! {
        <li data-testid="studio-project">
            <span class="list-name">{name}</span>
            <span class="list-about">{about}</span>
            <div class="actions small">
                <button type="button" class="main" data-testid="studio-open" on:click=open>
                    {open_label}
                </button>
                <button
                    type="button"
                    data-testid="studio-delete"
                    on:click=move |_| sure.update(|sure| *sure = !*sure)
                >
                    {move || texts().delete}
                </button>
            </div>
            <Show when=move || n_unsaved.get() != 0>
                <p class="hint" data-testid="studio-unsaved">{unsaved_text}</p>
            </Show>
            <Show when=move || busy.get()>
                <p class="hint" data-testid="studio-busy">{busy_text.clone()}</p>
            </Show>
            <Show when=move || sure.get()>
                <div class="sure" role="alert">
                    <span>{sure_text.clone()}</span>
                    <button
                        type="button"
                        class="main"
                        data-testid="studio-delete-yes"
                        on:click=delete.clone()
                    >
                        {move || texts().delete_yes}
                    </button>
                    <button type="button" on:click=move |_| sure.set(false)>
                        {move || texts().keep}
                    </button>
                </div>
            </Show>
        </li>
    }
}
