//! The page's end of the wire to a worker.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use js_sys::Array;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use veneer_core::protocol::{
    studio::{StudioReply, StudioRequest},
    tab::{Fault, FaultKind, Reply, Request, RequestId},
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Blob, ErrorEvent, File, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::browser::AWAKE;

/// What one worker is asked and says.
pub(super) trait Wire: 'static {
    type Request: Serialize;
    type Reply: DeserializeOwned;
    /// Beside `index.html`.
    const SCRIPT: &'static str;
    fn cancel(request: RequestId) -> Self::Request;
    fn ends(reply: &Self::Reply) -> bool;
    fn failed(fault: Fault) -> Self::Reply;
    /// Said to nobody in particular when the worker broke.
    fn broke(fault: Fault) -> Self::Reply;
}

/// The worker that answers: `core::protocol::tab`.
pub(super) struct Engine;

impl Wire for Engine {
    type Request = Request;
    type Reply = Reply;
    const SCRIPT: &'static str = "./worker.js";

    fn cancel(request: RequestId) -> Request {
        Request::Cancel { request }
    }

    fn ends(reply: &Reply) -> bool {
        reply.ends()
    }

    fn failed(fault: Fault) -> Reply {
        Reply::Failed(fault)
    }

    fn broke(fault: Fault) -> Reply {
        Reply::DeviceLost(fault)
    }
}

/// The worker that holds the project: `core::protocol::studio`.
pub(super) struct StudioWire;

impl Wire for StudioWire {
    type Request = StudioRequest;
    type Reply = StudioReply;
    const SCRIPT: &'static str = "./studio.js";

    fn cancel(request: RequestId) -> StudioRequest {
        StudioRequest::Cancel { request }
    }

    fn ends(reply: &StudioReply) -> bool {
        reply.ends()
    }

    /// Without the hint: this worker is started again by the page.
    fn failed(fault: Fault) -> StudioReply {
        let hint = String::new();
        StudioReply::Failed(Fault { hint, ..fault })
    }

    fn broke(fault: Fault) -> StudioReply {
        Self::failed(fault)
    }
}

#[derive(Serialize)]
struct Sent<'a, R> {
    id: RequestId,
    request: &'a R,
}

#[derive(Deserialize)]
struct Heard<R> {
    id: RequestId,
    reply: R,
}

/// Hears what belongs to no request.
type Unasked<W> = dyn Fn(&<W as Wire>::Reply);

/// Hears a reply, with the file beside it where there is one.
type OnReply<W> = Box<dyn FnMut(RequestId, &<W as Wire>::Reply, Option<Blob>)>;

/// A connection. Clones are the same one.
pub(super) struct Client<W: Wire>(Rc<Inner<W>>);

impl<W: Wire> Clone for Client<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Inner<W: Wire> {
    worker: Worker,
    state: RefCell<State<W>>,
}

struct State<W: Wire> {
    last_id: u64,
    handlers: BTreeMap<RequestId, OnReply<W>>,
    /// What was said before the worker listened.
    early: Option<Vec<JsValue>>,
    /// What it said before its end may still arrive.
    is_over: bool,
}

impl<W: Wire> Client<W> {
    /// Starts the worker. `unasked` hears what belongs to no request, also that the worker broke.
    pub(super) fn start(unasked: impl Fn(&W::Reply) + 'static) -> Result<Self, Fault> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(W::SCRIPT, &options);
        let worker = worker.map_err(|error| broken(&format!("{error:?}")))?;
        let client = Self(Rc::new(Inner {
            worker,
            state: RefCell::new(State {
                last_id: 0,
                handlers: BTreeMap::new(),
                early: Some(Vec::new()),
                is_over: false,
            }),
        }));
        client.listen(Rc::new(unasked));
        Ok(client)
    }

    fn listen(&self, unasked: Rc<Unasked<W>>) {
        let (client, told) = (self.clone(), unasked.clone());
        let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data();
            let list = data.dyn_ref::<Array>();
            let text = list.map_or(data.clone(), |list| list.get(0)).as_string();
            let file = list.and_then(|list| list.get(1).dyn_into().ok());
            let Some(text) = text.filter(|_| !client.is_over()) else {
                return;
            };
            if text == AWAKE {
                client.wake();
            } else if let Ok(message) = serde_json::from_str::<Heard<W::Reply>>(&text) {
                client.deliver(&message, file, &*told);
            }
        });
        let client = self.clone();
        let fail = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            if !client.is_over() {
                client.break_down(&event.message(), &*unasked);
            }
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
        request: &W::Request,
        files: &[File],
        on_reply: impl FnMut(RequestId, &W::Reply, Option<Blob>) + 'static,
    ) -> RequestId {
        let mut state = self.0.state.borrow_mut();
        state.last_id += 1;
        let id = RequestId(state.last_id);
        state.handlers.insert(id, Box::new(on_reply));
        drop(state);
        self.post(&Sent { id, request }, files);
        id
    }

    /// Nobody wants the answer any more; what it replies is still heard.
    pub(super) fn cancel(&self, request: RequestId) {
        let mut state = self.0.state.borrow_mut();
        state.last_id += 1;
        let id = RequestId(state.last_id);
        drop(state);
        let request = &W::cancel(request);
        self.post(&Sent { id, request }, &[]);
    }

    /// Ends the worker with everything that it holds; nothing is heard of it any more.
    pub(super) fn end(&self) {
        self.0.worker.terminate();
        let mut state = self.0.state.borrow_mut();
        state.is_over = true;
        state.handlers.clear();
    }

    fn is_over(&self) -> bool {
        self.0.state.borrow().is_over
    }

    fn post(&self, message: &Sent<'_, W::Request>, files: &[File]) {
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

    fn deliver(&self, message: &Heard<W::Reply>, file: Option<Blob>, unasked: &Unasked<W>) {
        let handler = self.0.state.borrow_mut().handlers.remove(&message.id);
        // A handler may send requests itself, so nothing is borrowed while it runs.
        let Some(mut handler) = handler else {
            unasked(&message.reply);
            return;
        };
        handler(message.id, &message.reply, file);
        if !W::ends(&message.reply) {
            self.0
                .state
                .borrow_mut()
                .handlers
                .insert(message.id, handler);
        }
    }

    /// The worker stopped: every request fails, and the page says so.
    fn break_down(&self, why: &str, unasked: &Unasked<W>) {
        let fault = broken(why);
        let handlers = std::mem::take(&mut self.0.state.borrow_mut().handlers);
        for (id, mut handler) in handlers {
            handler(id, &W::failed(fault.clone()), None);
        }
        unasked(&W::broke(fault));
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
