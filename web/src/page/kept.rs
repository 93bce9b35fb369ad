//! What the page remembers between visits: colours, language, settings.

use leptos::prelude::*;
use veneer_core::protocol::tab::DeviceChoice;

use crate::{
    state::{
        place::Place,
        settings::{SettingsForm, device_named, name_of_device},
    },
    texts::Language,
};

const THEME: &str = "veneer-theme";
const LANGUAGE: &str = "veneer-language";
const DEVICE: &str = "veneer-device";
const SETTINGS: &str = "veneer-settings";
const PLACE: &str = "veneer-place";
const SHORTCUTS: &str = "veneer-shortcuts";
const DIVIDE: &str = "veneer-divide";

/// Colours that the user can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    Light,
    Dark,
}

impl Theme {
    fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Light => Self::Dark,
            Self::Dark => Self::Light,
        }
    }

    /// What was chosen, else what the system prefers.
    pub(super) fn now() -> Self {
        match get(THEME).as_deref() {
            Some("light") => return Self::Light,
            Some("dark") => return Self::Dark,
            _ => {}
        }
        let query = window().match_media("(prefers-color-scheme: dark)");
        match query.ok().flatten().is_some_and(|query| query.matches()) {
            true => Self::Dark,
            false => Self::Light,
        }
    }

    pub(super) fn keep(self) {
        set(THEME, self.name());
        if let Some(root) = document().document_element() {
            // An attribute with a valid name can always be set.
            root.set_attribute("data-theme", self.name()).ok();
        }
    }
}

/// What was chosen, else the first language of the browser that is known.
pub(super) fn language() -> Language {
    let kept = get(LANGUAGE);
    let browser = window().navigator().languages();
    let browser: Vec<String> = browser.iter().filter_map(|tag| tag.as_string()).collect();
    let tags = kept.iter().chain(&browser).map(String::as_str);
    Language::of_tags(tags)
}

pub(super) fn keep_language(language: Language) {
    set(LANGUAGE, language.tag());
}

/// What the address asks for (`?device=webgpu`), else what was chosen.
pub(super) fn device() -> DeviceChoice {
    let query = window().location().search().unwrap_or_default();
    let query = query.trim_start_matches('?');
    let asked = query
        .split('&')
        .find_map(|part| part.strip_prefix("device="));
    match asked.and_then(device_named) {
        Some(choice) => {
            keep_device(choice);
            choice
        }
        None => get(DEVICE)
            .as_deref()
            .and_then(device_named)
            .unwrap_or(DeviceChoice::Auto),
    }
}

pub(super) fn keep_device(choice: DeviceChoice) {
    set(DEVICE, name_of_device(choice));
}

/// What answers were drawn with last.
pub(super) fn settings() -> SettingsForm {
    SettingsForm::of_kept(get(SETTINGS).as_deref())
}

pub(super) fn keep_settings(form: &SettingsForm) {
    set(SETTINGS, &form.to_kept());
}

fn get(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

fn set(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // A private window keeps nothing, and that is what its user wants.
        storage.set_item(key, value).ok();
    }
}

/// The part of the app that was looked at last, as the address has it.
pub(super) fn place() -> Option<String> {
    get(PLACE)
}

pub(super) fn keep_place(place: Place) {
    set(PLACE, place.hash());
}

/// Keys that the user gave to commands of the studio.
pub(super) fn shortcuts() -> Option<String> {
    get(SHORTCUTS)
}

pub(super) fn keep_shortcuts(text: &str) {
    set(SHORTCUTS, text);
}

/// How list and editor share the width.
pub(super) fn divide() -> Option<String> {
    get(DIVIDE)
}

pub(super) fn keep_divide(text: &str) {
    set(DIVIDE, text);
}

/// What the address has behind and with its `#`.
pub(super) fn hash() -> String {
    window().location().hash().unwrap_or_default()
}

/// Hears whenever that changes, as links and the browser's back do.
pub(super) fn on_hash_change(heard: impl Fn(&str) + 'static) {
    // It lives as long as the page.
    let _ = window_event_listener(leptos::ev::hashchange, move |_| heard(&hash()));
}
