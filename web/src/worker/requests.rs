//! What each request of the page does.

use veneer_core::protocol::tab::{
    DeviceChoice, Fault, FaultKind, Outcome, Request, Stage, StoreView,
};
use web_sys::File;

use super::{
    desk::Desk,
    engine::{Models, OpenModel},
    fetching::fetch,
    opening::{self, Opened},
    store::{Store, hash_of},
    voice::Voice,
};

pub(super) async fn on_device(
    desk: &Desk,
    models: &mut Models,
    request: Request,
    files: Vec<File>,
    voice: &Voice,
) -> Result<Outcome, Fault> {
    voice.go_on()?;
    let store = desk.store.borrow().clone();
    match request {
        Request::Start { device } => start(desk, models, device, voice).await,
        Request::OpenModel {
            from,
            quantize,
            context,
        } => {
            let opened = opening::open(&store, from, files, voice).await?;
            let entry = New::of(&opened);
            let result = match models.last().filter(|_| opened.chosen.is_adapter()) {
                Some(model) => models.add_adapter(model, &opened).map(Outcome::Adapter),
                None => {
                    let options = OpenModel { quantize, context };
                    let model = models.open(opened, options, voice).await;
                    model.map(Outcome::Model)
                }
            };
            entry.keep_if_useful(&store, result).await
        }
        Request::CloseModel { model } => {
            models.close(model);
            Ok(Outcome::Nothing)
        }
        Request::AddAdapter { model, from } => {
            let opened = opening::open(&store, from, files, voice).await?;
            let entry = New::of(&opened);
            let result = models.add_adapter(model, &opened).map(Outcome::Adapter);
            entry.keep_if_useful(&store, result).await
        }
        Request::RemoveAdapter { model, adapter } => {
            models.remove_adapter(model, adapter);
            Ok(Outcome::Nothing)
        }
        Request::Answer {
            by,
            messages,
            settings,
        } => {
            let ids = models.prompt_ids(by, &messages)?;
            models
                .answer(by, ids, &settings, voice)
                .await
                .map(Outcome::Answered)
        }
        Request::Continue { by, ids, settings } => models
            .answer(by, ids, &settings, voice)
            .await
            .map(Outcome::Answered),
        other => Err(not_here(&other)),
    }
}

pub(super) async fn on_store(
    desk: &Desk,
    request: Request,
    voice: &Voice,
) -> Result<Outcome, Fault> {
    voice.go_on()?;
    let store = desk.store.borrow().clone();
    match request {
        Request::ListStore => {}
        Request::VerifyStored { entry } => {
            let damaged = damaged(&store, &entry, voice).await?;
            return Ok(Outcome::Checked { entry, damaged });
        }
        Request::RepairStored { entry } => repair(&store, &entry, voice).await?,
        Request::DeleteStored { entry } => store.delete(&entry).await?,
        other => return Err(not_here(&other)),
    }
    Ok(Outcome::Store(store.view().await))
}

/// An entry of the store that came to be with this request.
struct New(Option<String>);

impl New {
    fn of(opened: &Opened) -> Self {
        Self(opened.entry.clone().filter(|_| opened.is_new))
    }

    /// Deletes files again that turned out to be nothing that can be used.
    async fn keep_if_useful(
        self,
        store: &Store,
        result: Result<Outcome, Fault>,
    ) -> Result<Outcome, Fault> {
        let useless = [
            FaultKind::NotAModel,
            FaultKind::BrokenFile,
            FaultKind::Unsupported,
        ];
        if let (Err(fault), Some(entry)) = (&result, &self.0)
            && useless.contains(&fault.kind)
        {
            // What cannot be deleted is listed under storage, where the user can try.
            store.delete(entry).await.ok();
        }
        result
    }
}

async fn start(
    desk: &Desk,
    models: &mut Models,
    device: DeviceChoice,
    voice: &Voice,
) -> Result<Outcome, Fault> {
    voice.progress(Stage::Preparing, "", 0, 0);
    let store = Store::open().await;
    let view: StoreView = store.view().await;
    desk.store.replace(store);
    let device = models.start(device).await;
    Ok(Outcome::Started {
        device,
        store: view,
    })
}

/// Names of the files whose bytes are not what they were.
async fn damaged(store: &Store, entry: &str, voice: &Voice) -> Result<Vec<String>, Fault> {
    let mut damaged = Vec::new();
    for file in &store.manifest(entry).await?.files {
        let is_whole = match store.file(file).await {
            Ok(blob) => hash_of(blob, &file.name, voice).await? == file.sha256,
            Err(_) => false,
        };
        if !is_whole {
            damaged.push(file.name.clone());
        }
    }
    Ok(damaged)
}

async fn repair(store: &Store, entry: &str, voice: &Voice) -> Result<(), Fault> {
    let names = damaged(store, entry, voice).await?;
    let manifest = store.manifest(entry).await?;
    for name in names {
        let Some(remote) = manifest.remote(&name) else {
            let detail = format!("`{name}` came from a file of yours: open that file again");
            return Err(Fault::new(FaultKind::StoreDamaged, detail));
        };
        if let Some(sha256) = &remote.sha256 {
            // It may be gone altogether, which is what the download mends.
            store.discard(sha256).await.ok();
        }
        if let Some(fault) = fetch(store, &remote, voice).await?.not_kept {
            return Err(fault);
        }
    }
    Ok(())
}

fn not_here(request: &Request) -> Fault {
    Fault::new(
        FaultKind::Internal,
        format!("nothing carries out {request:?}"),
    )
}
