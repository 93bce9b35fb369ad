//! `window.veneer`: the contract with tools that drive the page.

use js_sys::{Array, Function, Object, Promise, Reflect};
use leptos::prelude::*;
use veneer_core::protocol::tab::{AnswerSettings, AnswerSummary, Outcome, Reply, Request};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::handle::App;
use crate::state::columns::{BASE, Speaker};

/// What `generate` is asked for.
struct Wanted {
    ids: Vec<u32>,
    adapter: Option<String>,
    settings: AnswerSettings,
}

/// Puts `window.veneer.generate` into the page.
pub(super) fn expose(app: App) {
    let generate = Closure::<dyn Fn(JsValue) -> Promise>::new(move |options: JsValue| {
        Promise::new(&mut |resolve: Function, reject: Function| {
            if let Err(why) = generate(app, &options, resolve, reject.clone()) {
                settle(&reject, &js_sys::Error::new(&why));
            }
        })
    });
    let veneer = Object::new();
    // A new object takes every property.
    Reflect::set(&veneer, &"generate".into(), generate.as_ref()).ok();
    Reflect::set(&window(), &"veneer".into(), &veneer).ok();
    // It lives as long as the page.
    generate.forget();
}

fn generate(
    app: App,
    options: &JsValue,
    resolve: Function,
    reject: Function,
) -> Result<(), String> {
    let wanted = Wanted::read(options)?;
    let speaker = speaker(app, wanted.adapter.as_deref())?;
    let request = Request::Continue {
        by: speaker.by,
        ids: wanted.ids,
        settings: wanted.settings,
    };
    let sent = app.send(request, &[], move |_, reply| match reply {
        Reply::Done(Outcome::Answered(summary)) => settle(&resolve, &answer(summary)),
        Reply::Done(_) => settle(
            &reject,
            &js_sys::Error::new("the worker answered something else"),
        ),
        Reply::Failed(fault) => settle(&reject, &js_sys::Error::new(&fault.detail)),
        Reply::Progress(_) | Reply::Piece(_) | Reply::DeviceLost(_) => {}
    });
    sent.map(drop)
        .ok_or_else(|| "the worker did not start".to_owned())
}

fn speaker(app: App, adapter: Option<&str>) -> Result<Speaker, String> {
    let loaded = app.loaded.get_untracked();
    let name = adapter.unwrap_or(BASE);
    loaded.speaker(name).ok_or_else(|| {
        let names: Vec<String> = loaded.speakers().into_iter().map(|s| s.slug).collect();
        match names.is_empty() {
            true => "no model is loaded".to_owned(),
            false => format!(
                "there is no adapter `{name}`, expected one of {}",
                names.join(", ")
            ),
        }
    })
}

impl Wanted {
    /// Reads `{ids, maxNewTokens, temperature, adapter, seed}`.
    fn read(options: &JsValue) -> Result<Self, String> {
        let field = |name: &str| Reflect::get(options, &name.into()).unwrap_or(JsValue::UNDEFINED);
        let ids = field("ids");
        if !js_sys::Array::is_array(&ids) {
            return Err("`ids` is missing, expected an array of token ids".to_owned());
        }
        let ids = Array::from(&ids).to_vec().into_iter().map(|id| {
            let number = id
                .as_f64()
                .filter(|x| x.fract() == 0.0 && (0.0..4e9).contains(x));
            number
                .map(|x| x as u32)
                .ok_or_else(|| format!("`ids` holds {id:?}, expected token ids"))
        });
        let mut settings = AnswerSettings {
            n_alternatives: 0,
            ..AnswerSettings::default()
        };
        if let Some(n) = field("maxNewTokens").as_f64() {
            settings.max_new_tokens = n.max(0.0) as usize;
        }
        if let Some(temperature) = field("temperature").as_f64() {
            settings.temperature = temperature as f32;
        }
        if let Some(seed) = field("seed").as_f64() {
            settings.seed = seed.max(0.0) as u64;
        }
        Ok(Self {
            ids: ids.collect::<Result<_, _>>()?,
            adapter: field("adapter").as_string().filter(|name| !name.is_empty()),
            settings,
        })
    }
}

fn answer(summary: &AnswerSummary) -> JsValue {
    let ids: Array = summary.ids.iter().map(|id| JsValue::from(*id)).collect();
    let object = Object::new();
    let fields: [(&str, JsValue); 3] = [
        ("ids", ids.into()),
        ("timeToFirstTokenMs", summary.time_to_first_token_ms.into()),
        (
            "decodeTokensPerSecond",
            summary.decode_tokens_per_second.into(),
        ),
    ];
    for (name, value) in fields {
        // A new object takes every property.
        Reflect::set(&object, &name.into(), &value).ok();
    }
    object.into()
}

fn settle(with: &Function, value: &JsValue) {
    // Settling a promise cannot fail.
    with.call1(&JsValue::UNDEFINED, value.unchecked_ref()).ok();
}
