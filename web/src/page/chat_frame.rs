//! The chat: panel, turns, composer, and where models can be dropped.

use leptos::prelude::*;
use veneer_core::protocol::tab::QuantizeTo;
use web_sys::DragEvent;

use super::{
    chat_focus, chat_view::ChatView, columns_bar::ColumnsBar, composer::Composer,
    errors::DeviceNote, handle::App as Handle, model_panel::ModelPanel, picked,
    settings_panel::SettingsPanel, storage_panel::StoragePanel,
};

/// Everything below the top bar when the chat is looked at.
#[component]
pub(super) fn ChatFrame() -> impl IntoView {
    let app = Handle::get();
    app.wake();
    chat_focus::watch();
    let texts = move || app.texts();
    // On narrow screens the panel makes room for the chat once a model is there.
    let folded = app.panel_folded;
    let has_model = Memo::new(move |_| app.loaded.with(|loaded| !loaded.models.is_empty()));
    Effect::new(move || folded.set(has_model.get()));
    let dragging = RwSignal::new(false);
    let over = move |event: DragEvent| {
        event.prevent_default();
        dragging.set(true);
    };
    let drop = move |event: DragEvent| {
        event.prevent_default();
        dragging.set(false);
        let Some(transfer) = event.data_transfer() else {
            return;
        };
        let entries = picked::entries_of(&transfer);
        leptos::task::spawn_local(async move {
            for group in picked::of_entries(entries).await {
                app.open_picked(group, QuantizeTo::AsStored);
            }
        });
    };
    view! {
        <div
            class="chat-frame"
            class:dragging=move || dragging.get()
            on:dragover=over
            on:dragleave=move |_| dragging.set(false)
            on:drop=drop
        >
            <DeviceNote />
            <div class="frame">
                <button
                    type="button"
                    class="fold"
                    data-testid="panel"
                    aria-controls="panel"
                    aria-expanded=move || (!folded.get()).to_string()
                    on:click=move |_| folded.update(|folded| *folded = !*folded)
                >
                    {move || texts().panel}
                </button>
                <aside
                    id="panel"
                    class="panel"
                    class:folded=move || folded.get()
                    aria-label=move || texts().panel
                >
                    <ModelPanel />
                    <SettingsPanel />
                    <StoragePanel />
                </aside>
                <main class="chat" aria-label=move || texts().chat>
                    <ColumnsBar />
                    <ChatView />
                    <Composer />
                </main>
            </div>
        </div>
    }
}
