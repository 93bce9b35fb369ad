//! The page: components that render what [`crate::state`] decides and forward what the user does.

mod answer;
mod app;
mod bridge;
mod chat_focus;
mod chat_frame;
mod chat_view;
mod client;
mod columns_bar;
mod composer;
mod errors;
mod focus;
mod handle;
mod kept;
mod model_panel;
mod picked;
mod saving;
mod settings_panel;
mod storage_panel;
mod studio;
mod tokens_view;
mod top_bar;

use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Puts the app in the place of the shell.
pub(crate) fn start() {
    let Some(place) = document().get_element_by_id("app") else {
        return;
    };
    place.set_inner_html("");
    let place: web_sys::HtmlElement = place.unchecked_into();
    leptos::mount::mount_to(place, app::App).forget();
}
