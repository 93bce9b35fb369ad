//! Hears the page, keeps the order of requests, and tells it unasked when the device is gone.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use veneer_core::protocol::tab::{
    Fault, FaultKind, FromWorker, Reply, Request, RequestId, ToWorker,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, MessageEvent};

use super::{engine::Models, requests, store::Store, voice};
use crate::{
    browser,
    state::lanes::{Cancelled, Lane, Lanes},
};

/// How often an idle worker looks whether the device is still there.
const WATCH_EVERY_MS: i32 = 2000;

/// Requests and what they work on.
pub(super) struct Desk {
    lanes: RefCell<Lanes<Vec<File>>>,
    voices: RefCell<BTreeMap<RequestId, voice::Voice>>,
    /// Taken out while a request works with it.
    models: Cell<Option<Models>>,
    pub(super) store: RefCell<Store>,
}

/// Listens from now on.
pub(crate) fn start() {
    let desk = Rc::new(Desk {
        lanes: RefCell::default(),
        voices: RefCell::default(),
        models: Cell::new(Some(Models::default())),
        store: RefCell::default(),
    });
    let watched = desk.clone();
    let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        desk.hear(&event.data());
    });
    let scope = browser::scope();
    scope.set_onmessage(Some(hear.as_ref().unchecked_ref()));
    hear.forget();
    let watch = Closure::<dyn FnMut()>::new(move || watched.watch());
    // Without the timer a lost device is noticed by the next request.
    scope
        .set_interval_with_callback_and_timeout_and_arguments_0(
            watch.as_ref().unchecked_ref(),
            WATCH_EVERY_MS,
        )
        .ok();
    watch.forget();
    scope.post_message(&JsValue::from_str(browser::AWAKE)).ok();
}

impl Desk {
    fn hear(self: &Rc<Self>, data: &JsValue) {
        match browser::heard::<ToWorker>(data) {
            Ok((message, files)) => self.take(message, files),
            Err(fault) => voice::Voice::new(RequestId::UNASKED).reply(Reply::Failed(fault)),
        }
    }

    fn take(self: &Rc<Self>, message: ToWorker, files: Vec<File>) {
        if let Request::Cancel { request } = message.request {
            self.cancel(request);
            return;
        }
        let Some(lane) = Lane::of(&message.request) else {
            return;
        };
        let voice = voice::Voice::new(message.id);
        self.voices.borrow_mut().insert(message.id, voice);
        self.lanes.borrow_mut().push(lane, message, files);
        self.run_next(lane);
    }

    fn cancel(&self, id: RequestId) {
        let found = self.lanes.borrow_mut().cancel(id);
        match found {
            Cancelled::Waiting => {
                if let Some(voice) = self.voices.borrow_mut().remove(&id) {
                    voice.reply(Reply::Failed(Fault::new(FaultKind::Cancelled, "cancelled")));
                }
            }
            Cancelled::Running => {
                if let Some(voice) = self.voices.borrow().get(&id) {
                    voice.give_up();
                }
            }
            Cancelled::Unknown => {}
        }
    }

    fn run_next(self: &Rc<Self>, lane: Lane) {
        let next = self.lanes.borrow_mut().start_next(lane);
        let Some((message, files)) = next else {
            return;
        };
        let voice = self.voices.borrow().get(&message.id).cloned();
        let voice = voice.unwrap_or_else(|| voice::Voice::new(message.id));
        let desk = self.clone();
        spawn_local(async move {
            let result = match lane {
                Lane::Device => {
                    // The lane has one request at a time, so the models are always there.
                    let mut models = desk.models.take().unwrap_or_default();
                    let result =
                        requests::on_device(&desk, &mut models, message.request, files, &voice)
                            .await;
                    desk.models.set(Some(models));
                    result
                }
                Lane::Store => requests::on_store(&desk, message.request, &voice).await,
            };
            desk.voices.borrow_mut().remove(&message.id);
            desk.lanes.borrow_mut().finish(lane);
            let lost = match &result {
                Err(fault) if fault.kind == FaultKind::DeviceLost => Some(fault.clone()),
                _ => None,
            };
            voice.reply(match result {
                Ok(outcome) => Reply::Done(outcome),
                Err(fault) => Reply::Failed(fault),
            });
            if let Some(fault) = lost {
                desk.lose(fault);
            }
            desk.run_next(lane);
        });
    }

    /// Looks whether the device was lost while nobody used it.
    fn watch(&self) {
        let Some(models) = self.models.take() else {
            return;
        };
        let lost = models.lost();
        self.models.set(Some(models));
        if let Some(fault) = lost {
            self.lose(fault);
        }
    }

    /// Everything on the device is gone with it.
    fn lose(&self, fault: Fault) {
        self.models.set(Some(Models::default()));
        voice::say(&FromWorker {
            id: RequestId::UNASKED,
            reply: Reply::DeviceLost(fault),
        });
    }
}
