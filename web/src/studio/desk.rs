//! Hears the page, keeps the order of requests, and steps what takes long.
//!
//! Between two slices of steps the worker hears the page: requests that only look are answered
//! there, others wait. When nobody waits, the search index is brought up to date.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    rc::Rc,
};

use veneer_core::{
    project::{Project, Step, Task},
    protocol::{
        studio::{StudioReply, StudioRequest, ToStudio},
        tab::{Fault, FaultKind, RequestId},
    },
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, MessageEvent};

use super::{
    answers, inspected::Inspected, lifecycle, opened::Opened, store::Store, tidings::Tidings,
    voice::Voice,
};
use crate::{
    browser,
    state::{
        lanes::Cancelled,
        studio::order::{Entry, Manner, Order},
    },
};

/// Steps are done for so long before the page is heard; a glance waits no longer than this.
const SLICE_MS: f64 = 12.0;

/// How often it is looked whether the files of the open project are still there.
const LOOK_EVERY_MS: f64 = 3000.0;

/// Requests and what they work on.
pub(super) struct Desk {
    order: RefCell<Order<Vec<File>>>,
    voices: RefCell<BTreeMap<RequestId, Voice>>,
    /// Somebody carries out requests, one after the other.
    is_busy: Cell<bool>,
    /// What is done while nobody waits.
    rest: RefCell<Option<Task<()>>>,
    last_look_ms: Cell<f64>,
    store: RefCell<Rc<Store>>,
    pub(super) opened: Opened,
    pub(super) inspected: RefCell<Inspected>,
    pub(super) tidings: Tidings,
}

/// Listens from now on.
pub(crate) fn start() {
    let desk = Rc::new_cyclic(|desk: &std::rc::Weak<Desk>| {
        let desk = desk.clone();
        Desk {
            order: RefCell::default(),
            voices: RefCell::default(),
            is_busy: Cell::default(),
            rest: RefCell::default(),
            last_look_ms: Cell::default(),
            store: RefCell::default(),
            opened: Opened::default(),
            inspected: RefCell::default(),
            tidings: Tidings::listen(move |id| {
                if let Some(desk) = desk.upgrade() {
                    desk.hand_over_soon(id);
                }
            }),
        }
    });
    let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        desk.hear(&event.data());
    });
    let scope = browser::scope();
    scope.set_onmessage(Some(hear.as_ref().unchecked_ref()));
    // As long as the worker.
    hear.forget();
    scope.post_message(&JsValue::from_str(browser::AWAKE)).ok();
}

impl Desk {
    pub(super) fn store(&self) -> Rc<Store> {
        self.store.borrow().clone()
    }

    pub(super) fn set_store(&self, store: Store) {
        self.store.replace(Rc::new(store));
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        js_sys::Date::now() as i64
    }

    /// Has the open project begin a work.
    ///
    /// # Errors
    /// Where no project is open.
    pub(super) fn begin<T>(
        &self,
        begin: impl FnOnce(&Project) -> Task<T>,
    ) -> Result<Task<T>, Fault> {
        self.opened.with(|project| Ok(begin(project)))
    }

    /// Steps a work to its end, or until it is given up.
    ///
    /// # Errors
    /// Those of the work.
    pub(super) async fn drive<T>(&self, mut work: Task<T>, voice: &Voice) -> Result<T, Fault> {
        loop {
            let since = browser::now_ms();
            while browser::now_ms() - since < SLICE_MS {
                voice.go_on()?;
                match self.opened.with(|project| work.step(project))? {
                    Step::Done(value) => return Ok(value),
                    Step::More(progress) => voice.progress(progress),
                }
            }
            self.breathe().await;
        }
    }

    /// Hears the page and answers what does not have to wait.
    pub(super) async fn breathe(&self) {
        browser::breathe().await;
        self.carry_out_waiting().await;
    }

    fn hear(self: &Rc<Self>, data: &JsValue) {
        match browser::heard::<ToStudio>(data) {
            Ok((message, files)) => self.take(message, files),
            Err(fault) => Voice::unasked().end(Err(fault)),
        }
    }

    fn take(self: &Rc<Self>, message: ToStudio, files: Vec<File>) {
        if let StudioRequest::Cancel { request } = message.request {
            self.cancel(request);
            return;
        }
        let Some(manner) = Manner::of(&message.request) else {
            return;
        };
        let voice = Voice::new(message.id);
        self.voices.borrow_mut().insert(message.id, voice);
        self.order.borrow_mut().push(message, manner, files);
        let apart = self.order.borrow_mut().begin_apart();
        if let Some(entry) = apart {
            let desk = self.clone();
            spawn_local(async move { desk.carry_out(entry).await });
        }
        self.wake();
    }

    fn cancel(&self, id: RequestId) {
        let found = self.order.borrow_mut().cancel(id);
        match found {
            Cancelled::Waiting => {
                if let Some(voice) = self.voices.borrow_mut().remove(&id) {
                    voice.end(Err(Fault::new(FaultKind::Cancelled, "cancelled")));
                }
            }
            Cancelled::Running => {
                if let Some(voice) = self.voices.borrow().get(&id) {
                    voice.patience().give_up();
                }
            }
            Cancelled::Unknown => {}
        }
    }

    /// Another tab wants a project: if it is this one, what is being done with it ends here.
    fn hand_over_soon(self: &Rc<Self>, id: &str) {
        if self.opened.want(id) {
            for voice in self.voices.borrow().values() {
                voice.patience().give_up();
            }
            self.wake();
        }
    }

    /// Sees to it that somebody carries out requests.
    fn wake(self: &Rc<Self>) {
        if self.is_busy.replace(true) {
            return;
        }
        let desk = self.clone();
        spawn_local(async move {
            loop {
                desk.carry_out_waiting().await;
                desk.hand_over().await;
                if !desk.order.borrow().is_idle() {
                    continue;
                }
                if !desk.use_rest() {
                    break;
                }
                browser::breathe().await;
            }
            desk.is_busy.set(false);
        });
    }

    /// Everything that may begin beside what runs. Boxed, because what runs waits in here.
    fn carry_out_waiting(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async move {
            loop {
                let next = self.order.borrow_mut().begin_next();
                let Some(entry) = next else { break };
                self.carry_out(entry).await;
            }
        })
    }

    async fn carry_out(&self, entry: Entry<Vec<File>>) {
        let ToStudio { id, request } = entry.message;
        let voice = self.voices.borrow().get(&id).cloned();
        let voice = voice.unwrap_or_else(|| Voice::new(id));
        let result = match voice.go_on() {
            Ok(()) => answers::answer(self, request, entry.beside, &voice).await,
            Err(fault) => Err(fault),
        };
        self.order.borrow_mut().finish(id);
        self.voices.borrow_mut().remove(&id);
        if entry.manner.may_change() {
            let rest = self.begin(Project::index);
            self.rest.replace(rest.ok());
        }
        voice.end(result.map(|mut answer| {
            self.opened.stamp(&mut answer.outcome);
            answer
        }));
        if entry.manner.may_change() {
            self.look_after_files().await;
        }
    }

    /// Tells where the files of the open project were deleted. The browser lets this worker write to
    /// them until it ends, as if nothing had been.
    async fn look_after_files(&self) {
        let now = browser::now_ms();
        if now - self.last_look_ms.get() < LOOK_EVERY_MS {
            return;
        }
        self.last_look_ms.set(now);
        if self.is_lost().await {
            let projects = lifecycle::projects(self).await;
            Voice::unasked().end(Ok(projects.into()));
        }
    }

    /// Whether the files of the open project are not there any more.
    pub(super) async fn is_lost(&self) -> bool {
        match self.opened.id() {
            Some(id) => !self.store().has(&id).await,
            None => false,
        }
    }

    /// A slice of what can wait. Whether anything is left of it.
    fn use_rest(&self) -> bool {
        let Some(mut work) = self.rest.take() else {
            return false;
        };
        let since = browser::now_ms();
        while browser::now_ms() - since < SLICE_MS {
            match self.opened.with(|project| work.step(project)) {
                Ok(Step::More(_)) => {}
                // What keeps it from going on is told to whoever needs it next.
                Ok(Step::Done(())) | Err(_) => return false,
            }
        }
        self.rest.replace(Some(work));
        true
    }

    /// Closes a project that another tab asked for.
    async fn hand_over(&self) {
        if self.opened.is_wanted() {
            self.rest.take();
            lifecycle::close(self, self.opened.swap(None)).await;
            Voice::unasked().say(StudioReply::TakenOver, None);
        }
    }
}
