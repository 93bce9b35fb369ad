//! What is known about a loaded model.

use leptos::prelude::*;
use veneer_core::protocol::tab::ModelView;

use crate::{page::handle::App, state::numbers};

#[component]
pub(super) fn ModelFacts(model: ModelView) -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let key = model.key;
    let (memory, file_bytes) = (model.memory_bytes, model.file_bytes);
    let (n_parameters, context) = (model.n_parameters, model.context);
    let (is_stored, has_template) = (model.entry.is_some(), model.has_template);
    let kept = move || match is_stored {
        true => texts().in_store,
        false => texts().not_in_store,
    };
    let close_label = {
        let name = model.name.clone();
        move || format!("{} ({name})", texts().close_model)
    };
    view! {
        <div class="loaded" data-testid="model">
            <div class="loaded-head">
                <h3>{model.name.clone()}</h3>
                <button
                    type="button"
                    class="quiet"
                    data-testid="close-model"
                    aria-label=close_label.clone()
                    title=close_label
                    on:click=move |_| app.close_model(key)
                >
                    <span aria-hidden="true">"×"</span>
                </button>
            </div>
            <dl class="facts">
                <dt>{move || texts().fact_memory}</dt>
                <dd>{move || numbers::bytes(memory, app.language.get())}</dd>
                <dt>{move || texts().fact_parameters}</dt>
                <dd>{move || numbers::count(n_parameters, app.language.get())}</dd>
                <dt>{move || texts().fact_format}</dt>
                <dd>{format!("{}, {}", model.format, model.family)}</dd>
                <dt>{move || texts().fact_context}</dt>
                <dd>{context.to_string()}</dd>
                <dt>{move || texts().fact_files}</dt>
                <dd>
                    {move || numbers::bytes(file_bytes, app.language.get())}
                    ", "
                    {kept}
                </dd>
                <dt>{move || texts().fact_source}</dt>
                <dd class="source">{model.source.clone()}</dd>
            </dl>
            <Show when=move || !has_template>
                <p class="hint">{move || texts().no_template}</p>
            </Show>
        </div>
    }
}
