//! What went wrong, until it is dismissed, and what the user should know about the device.

use leptos::prelude::*;
use veneer_core::protocol::tab::{DeviceChoice, Fault, WhyNotGpu};

use super::{focus, handle::App};
use crate::{
    state::message::{UserMessage, sentence},
    texts::{faults::said, fill},
};

#[component]
pub(super) fn Errors() -> impl IntoView {
    let app = App::get();
    let texts = move || app.texts();
    let any = move || app.notices.with(|n| !n.is_empty()) || app.lost.with(Option::is_some);
    view! {
        <Show when=any>
            <div class="errors" data-testid="error" role="alert">
                {move || app.lost.get().map(|fault| view! {
                    <Message fault=fault>
                        <button
                            type="button"
                            class="main"
                            data-testid="reload"
                            on:click=move |_| app.reload()
                        >
                            {move || texts().reload_model}
                        </button>
                    </Message>
                })}
                <For each=move || app.notices.get() key=|notice| notice.id let:notice>
                    <Message fault=notice.fault>
                        <button
                            type="button"
                            data-testid="dismiss"
                            on:click=move |_| {
                                app.dismiss(notice.id);
                                focus::keep(&["[data-testid=dismiss]", "#prompt", ".places a[aria-current]"]);
                            }
                        >
                            {move || texts().dismiss}
                        </button>
                    </Message>
                </For>
            </div>
        </Show>
    }
}

/// Why the processor computes, where it does.
#[component]
pub(super) fn DeviceNote() -> impl IntoView {
    let app = App::get();
    let on_processor = move || app.device.get()?.why_not_gpu;
    view! { {move || on_processor().map(|why| view! { <OnProcessor why=why /> })} }
}

/// Why the processor computes, and the way to WebGPU where there is one.
#[component]
fn OnProcessor(why: WhyNotGpu) -> impl IntoView {
    let app = App::get();
    let offers_webgpu = matches!(why, WhyNotGpu::Software(_));
    let title = move || match offers_webgpu {
        true => app.texts().software_gpu_title,
        false => app.texts().slow_title,
    };
    let text = move || match &why {
        WhyNotGpu::Missing(why) => {
            let why = sentence(&said(why, app.language.get()));
            fill(app.texts().slow_why, &[("why", &why)])
        }
        WhyNotGpu::Software(name) => fill(app.texts().software_gpu_why, &[("name", name)]),
    };
    view! {
        <div class="note" data-testid="slow" role="region" aria-label=title>
            <strong>{title}</strong>" "<span>{text}</span>
            {offers_webgpu.then(|| view! {
                " "
                <button
                    type="button"
                    class="link"
                    data-testid="use-webgpu"
                    on:click=move |_| app.compute_on(DeviceChoice::WebGpu)
                >
                    {move || app.texts().use_webgpu}
                </button>
            })}
        </div>
    }
}

/// Title, what happened, what to do.
#[component]
pub(super) fn Message(
    fault: Fault,
    /// What the user can do at once.
    children: Children,
) -> impl IntoView {
    let app = App::get();
    let message = Memo::new(move |_| UserMessage::of(&fault, app.language.get()));
    view! {
        <div class="message">
            <strong class="message-title">{move || message.get().title}</strong>
            <p class="message-detail">{move || message.get().detail}</p>
            <p class="message-hint">{move || message.get().hint}</p>
            <div class="actions">{children()}</div>
        </div>
    }
}
