//! A dialog above the page: the focus stays inside and returns to where it was.

use leptos::{html, prelude::*};

#[component]
pub(super) fn Sheet(
    name: &'static str,
    #[prop(into)] title: Signal<String>,
    #[prop(into)] shown: Signal<bool>,
    /// Called when the user closes it, also with Escape.
    #[prop(into)]
    on_close: Callback<()>,
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        match shown.get() {
            // A dialog that is in the document can always be shown.
            true if !dialog.open() => drop(dialog.show_modal()),
            false if dialog.open() => dialog.close(),
            _ => {}
        }
    });
    let children = StoredValue::new(children);
    view! {
        <dialog
            class="sheet"
            data-testid=name
            node_ref=dialog
            aria-labelledby=format!("{name}-title")
            on:close=move |_| {
                if shown.get_untracked() {
                    on_close.run(());
                }
            }
        >
            <Show when=move || shown.get()>
                <h2 id=format!("{name}-title")>{title}</h2>
                {children.with_value(|children| children())}
            </Show>
        </dialog>
    }
}
