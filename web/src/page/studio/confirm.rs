//! A question before something that touches much.

use leptos::{html, prelude::*};
use web_sys::KeyboardEvent;

use super::handle::Studio;
use crate::page::focus;

/// Asks, with the keyboard on the answer that does it; Escape leaves it. The keyboard goes back to where
/// it was.
#[component]
pub(super) fn Confirm(
    #[prop(into)] question: Signal<String>,
    /// What is done.
    #[prop(into)]
    yes: Signal<String>,
    /// What leaving it is called, where that is not plain.
    #[prop(optional, into)]
    no: Option<Signal<String>>,
    /// `…-do` and `…-leave` are its buttons.
    testid: &'static str,
    #[prop(into)] on_yes: Callback<()>,
    #[prop(into)] on_no: Callback<()>,
) -> impl IntoView {
    let studio = Studio::get();
    let texts = move || &studio.app.language.get().studio().checks;
    let opener = StoredValue::new_local(document().active_element());
    let answer = move |answer: Callback<()>| {
        // The question may be gone with its answer.
        let opener = opener.try_get_value().flatten();
        answer.run(());
        focus::take(opener);
    };
    let button = NodeRef::<html::Button>::new();
    Effect::new(move || {
        if let Some(button) = button.get() {
            // A button of the page can always be focused.
            button.focus().ok();
        }
    });
    let key = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            event.stop_propagation();
            answer(on_no);
        }
    };
    view! {
        <div
            class="confirm"
            role="alertdialog"
            aria-label=move || question.get()
            data-testid=testid
            on:keydown=key
        >
            <p>{move || question.get()}</p>
            <div class="actions">
                <button
                    type="button"
                    class="main"
                    node_ref=button
                    data-testid=format!("{testid}-do")
                    on:click=move |_| answer(on_yes)
                >
                    {move || yes.get()}
                </button>
                <button
                    type="button"
                    data-testid=format!("{testid}-leave")
                    on:click=move |_| answer(on_no)
                >
                    {move || no.map_or_else(|| texts().leave_it.to_owned(), |no| no.get())}
                </button>
            </div>
        </div>
    }
}
