//! The page's end of the wire to the worker.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use js_sys::Array;
use veneer_core::protocol::tab::{
    Fault, FaultKind, FromWorker, Reply, Request, RequestId, ToWorker,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{ErrorEvent, File, MessageEvent, Worker, WorkerOptions, WorkerType};

/// Beside `index.html`.
const SCRIPT: &str = "./worker.js";

/// What the worker says when it listens.
const AWAKE: &str = "awake";

type OnReply = Box<dyn FnMut(RequestId, &Reply)>;

/// A connection. Clones are the same one.
#[derive(Clone)]
pub(super) struct Client(Rc<Inner>);

struct Inner {
    worker: Worker,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    last_id: u64,
    handlers: BTreeMap<RequestId, OnReply>,
    /// What was said before the worker listened.
    early: Option<Vec<JsValue>>,
}

impl Client {
    /// Starts the worker. `unasked` hears what belongs to no request, also that the worker broke.
    pub(super) fn start(unasked: impl Fn(&Reply) + 'static) -> Result<Self, Fault> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(SCRIPT, &options);
        let worker = worker.map_err(|error| broken(&format!("{error:?}")))?;
        let client = Self(Rc::new(Inner {
            worker,
            state: RefCell::new(State {
                early: Some(Vec::new()),
                ..State::default()
            }),
        }));
        client.listen(Rc::new(unasked));
        Ok(client)
    }

    fn listen(&self, unasked: Rc<dyn Fn(&Reply)>) {
        let (client, told) = (self.clone(), unasked.clone());
        let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let Some(text) = event.data().as_string() else {
                return;
            };
            if text == AWAKE {
                client.wake();
            } else if let Ok(message) = serde_json::from_str::<FromWorker>(&text) {
                client.deliver(&message, &*told);
            }
        });
        let client = self.clone();
        let fail = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            client.break_down(&event.message(), &*unasked);
        });
        let worker = &self.0.worker;
        worker.set_onmessage(Some(hear.as_ref().unchecked_ref()));
        worker.set_onerror(Some(fail.as_ref().unchecked_ref()));
        // Both live as long as the page.
        hear.forget();
        fail.forget();
    }

    /// Sends a request; `on_reply` hears every reply to it.
    pub(super) fn send(
        &self,
        request: Request,
        files: &[File],
        on_reply: impl FnMut(RequestId, &Reply) + 'static,
    ) -> RequestId {
        let mut state = self.0.state.borrow_mut();
        state.last_id += 1;
        let id = RequestId(state.last_id);
        state.handlers.insert(id, Box::new(on_reply));
        drop(state);
        self.post(&ToWorker { id, request }, files);
        id
    }

    /// Nobody wants the answer any more; what it replies is still heard.
    pub(super) fn cancel(&self, request: RequestId) {
        let mut state = self.0.state.borrow_mut();
        state.last_id += 1;
        let id = RequestId(state.last_id);
        drop(state);
        let request = Request::Cancel { request };
        self.post(&ToWorker { id, request }, &[]);
    }

    /// Ends the worker with everything that it holds; nothing is heard of it any more.
    pub(super) fn end(&self) {
        self.0.worker.terminate();
        self.0.state.borrow_mut().handlers.clear();
    }

    fn post(&self, message: &ToWorker, files: &[File]) {
        // Every request is plain data, which JSON can hold.
        let Ok(text) = serde_json::to_string(message) else {
            return;
        };
        let list = Array::of1(&JsValue::from(text));
        for file in files {
            list.push(file);
        }
        let mut state = self.0.state.borrow_mut();
        match &mut state.early {
            Some(early) => early.push(list.into()),
            // Texts and files can always be posted.
            None => drop(self.0.worker.post_message(&list)),
        }
    }

    fn wake(&self) {
        let early = self.0.state.borrow_mut().early.take();
        for message in early.into_iter().flatten() {
            self.0.worker.post_message(&message).ok();
        }
    }

    fn deliver(&self, message: &FromWorker, unasked: &dyn Fn(&Reply)) {
        let handler = self.0.state.borrow_mut().handlers.remove(&message.id);
        // A handler may send requests itself, so nothing is borrowed while it runs.
        let Some(mut handler) = handler else {
            unasked(&message.reply);
            return;
        };
        handler(message.id, &message.reply);
        if !message.reply.ends() {
            self.0
                .state
                .borrow_mut()
                .handlers
                .insert(message.id, handler);
        }
    }

    /// The worker stopped: every request fails, and the page says so.
    fn break_down(&self, why: &str, unasked: &dyn Fn(&Reply)) {
        let fault = broken(why);
        let handlers = std::mem::take(&mut self.0.state.borrow_mut().handlers);
        for (id, mut handler) in handlers {
            handler(id, &Reply::Failed(fault.clone()));
        }
        unasked(&Reply::DeviceLost(fault));
    }
}

fn broken(why: &str) -> Fault {
    let why = match why {
        "" => "no reason was given",
        why => why,
    };
    let mut fault = Fault::new(FaultKind::Internal, format!("the worker stopped: {why}"));
    fault.hint = "reload the page to go on".to_owned();
    fault
}
