//! What each request of the page does.

use veneer_core::{
    documents::Part,
    project::{Project, ProjectError},
    protocol::{
        studio::{Reading, RecordReading, StudioOutcome, StudioRequest, StudioStage},
        tab::{Fault, FaultKind},
    },
};
use web_sys::File;

use super::{
    copying,
    desk::Desk,
    input::UserFile,
    inspected::reading_key,
    lifecycle,
    store::Store,
    text_files,
    voice::{Answer, Voice},
};
use crate::browser::{self, storage};

/// Carries a request out.
///
/// # Errors
/// What is wrong, for people.
pub(super) async fn answer(
    desk: &Desk,
    request: StudioRequest,
    files: Vec<File>,
    voice: &Voice,
) -> Result<Answer, Fault> {
    use StudioOutcome as O;
    use StudioRequest as R;
    let outcome = match request {
        R::Start => {
            desk.set_store(Store::open().await);
            lifecycle::projects(desk).await
        }
        R::ListProjects => lifecycle::projects(desk).await,
        R::CreateProject { name } => O::Project(lifecycle::create(desk, &name).await?),
        R::CreateSample { sample } => {
            O::Project(lifecycle::create_sample(desk, sample, voice).await?)
        }
        R::OpenProject { id, take_over } => {
            O::Project(lifecycle::open(desk, &id, take_over).await?)
        }
        R::OpenProjectFile { name } => {
            let file = first(&files, &name)?;
            O::Project(lifecycle::open_file(desk, &name, file, voice).await?)
        }
        R::RenameProject { name } => O::Project(lifecycle::rename(desk, &name).await?),
        R::CloseProject => {
            if !desk.is_lost().await {
                lifecycle::close(desk, desk.opened.swap(None)).await;
            }
            lifecycle::projects(desk).await
        }
        R::DeleteProject { id } => {
            lifecycle::delete(desk, &id).await?;
            lifecycle::projects(desk).await
        }
        R::DownloadProject => return copying::download(desk, voice).await,
        R::Inspect { names, language } => inspect(desk, names, &language, files, voice).await?,
        R::ForgetInspected => {
            desk.inspected.borrow_mut().forget();
            O::Nothing
        }
        R::UseTextModel { names } => {
            let name = text_files::title(&names);
            let files = text_files::of_user(&names, files)?;
            use_text_model(desk, &name, files)?
        }
        R::UseTextModelAt { name, files } => {
            let files = text_files::at(&files, voice).await?;
            use_text_model(desk, &name, files)?
        }
        R::Export { export } => {
            let today = today();
            let work = desk.begin(|project| project.export(export, &today))?;
            let file = desk.drive(work, voice).await?;
            return copying::handed_over(file.name, &file.bytes);
        }
        request => return with_project(desk, request, voice).await.map(Answer::from),
    };
    Ok(outcome.into())
}

/// Works with the open project.
async fn with_project(
    desk: &Desk,
    request: StudioRequest,
    voice: &Voice,
) -> Result<StudioOutcome, Fault> {
    use StudioOutcome as O;
    use StudioRequest as R;
    let now = desk.now_ms();
    Ok(match request {
        R::Import { parts } => {
            let parts = desk.inspected.borrow().parts(parts)?;
            has_room(&parts).await?;
            let readings = readings(&parts);
            let work = desk.begin(|project| project.import(parts, now))?;
            let summary = desk.drive(work, voice).await?;
            desk.opened.with(|project| remember(project, readings))?;
            let work = desk.begin(Project::prepare_lists)?;
            // The records are in; a list that is not prepared only takes longer.
            desk.drive(work, voice).await.ok();
            O::Imported(summary)
        }
        R::Query { query } => {
            let since = browser::now_ms();
            let work = desk.begin(|project| project.query(query))?;
            let mut list = desk.drive(work, voice).await?;
            list.took_ms = browser::now_ms() - since;
            O::Listed(list)
        }
        R::Change { target, change } => {
            let work = desk.begin(|project| project.change(target, change, now))?;
            O::Changed(desk.drive(work, voice).await?)
        }
        R::PreviewReplace { target, replace } => {
            let work = desk.begin(|project| project.preview_replace(target, replace))?;
            O::Replacements(desk.drive(work, voice).await?)
        }
        R::EmptyTrash => {
            let work = desk.begin(Project::empty_trash)?;
            O::Changed(desk.drive(work, voice).await?)
        }
        R::PlanExport { export } => {
            let work = desk.begin(|project| project.plan_export(export))?;
            O::ExportPlan(desk.drive(work, voice).await?)
        }
        R::Check => {
            let work = desk.begin(Project::check)?;
            O::Findings(desk.drive(work, voice).await?)
        }
        R::Fix {
            finding,
            target,
            fix,
        } => {
            let work = desk.begin(|project| project.fix(finding, target, fix, now))?;
            O::Changed(desk.drive(work, voice).await?)
        }
        R::Preview {
            part,
            reading,
            before,
        } => {
            let part = desk.inspected.borrow().part(part)?;
            let text = desk.opened.with(|project| project.model_text())?;
            let reading = part.reread(&before, reading);
            let mut preview = part.preview(&reading, text.as_ref());
            preview.reading = Some(reading);
            O::Previewed(preview)
        }
        request => desk.opened.with(|project| at_once(project, request, now))?,
    })
}

/// What a project does in one go.
fn at_once(
    project: &mut Project,
    request: StudioRequest,
    now: i64,
) -> Result<StudioOutcome, ProjectError> {
    use StudioOutcome as O;
    use StudioRequest as R;
    Ok(match request {
        R::SaveRecord {
            record,
            content,
            before: None,
        } => O::Record(project.save(record, content, now)?),
        R::SaveRecord {
            record,
            content,
            before: Some(before),
        } => O::Record(project.save_from(record, before, content, now)?),
        R::AddRecord { after, content } => O::Record(project.add(after, content, now)?),
        R::Undo => O::Changed(project.undo()?),
        R::UndoAction { action } => O::Changed(project.undo_action(action)?),
        R::Redo => O::Changed(project.redo()?),
        R::TakeSnapshot { name } => {
            project.take_snapshot(&name, now)?;
            O::Snapshots(project.snapshots()?)
        }
        R::DeleteSnapshot { snapshot } => {
            project.delete_snapshot(snapshot)?;
            O::Snapshots(project.snapshots()?)
        }
        R::RestoreSnapshot { snapshot } => O::Changed(project.restore(snapshot, now)?),
        R::SetTextOptions { options } => {
            project.set_text_options(options)?;
            O::TextModel(project.text_model()?)
        }
        R::ApplySplit { options } => O::Split(project.apply_split(&options, now)?),
        R::DescribeSource { source, terms } => {
            O::Changed(project.describe_source(source, &terms, now)?)
        }
        R::FreezeSplit { frozen } => O::Split(project.freeze_split(frozen, now)?),
        R::Remember { key, value } => {
            project.remember(&key, &value)?;
            O::Nothing
        }
        request => glance(project, request)?,
    })
}

/// What only looks.
fn glance(project: &Project, request: StudioRequest) -> Result<StudioOutcome, ProjectError> {
    use StudioOutcome as O;
    use StudioRequest as R;
    Ok(match request {
        R::Window { from, n } => O::Window(project.window(from, n)?),
        R::Facets => O::Facets(project.facets()?),
        R::TrashFacets => O::Facets(project.trash_facets()?),
        R::Record { record } => O::Record(project.record(record)?),
        R::History { n } => O::History(project.history(n)?),
        R::ListSnapshots => O::Snapshots(project.snapshots()?),
        R::CompareSnapshots { before, after } => O::Difference(project.compare(before, after)?),
        R::TextModel => O::TextModel(project.text_model()?),
        R::Tokens { record, draft } => O::Tokens(project.tokens(record, draft)?),
        R::Findings => O::Findings(project.findings()?),
        R::Groups { check, from, n } => O::Groups(project.groups(&check, from, n)?),
        R::PreviewSplit { options } => O::Split(project.preview_split(&options)?),
        R::Split => O::Split(project.split()?),
        other => {
            let reason = format!("nothing carries out {other:?}");
            return Err(ProjectError::CannotDo { reason });
        }
    })
}

fn use_text_model(
    desk: &Desk,
    name: &str,
    files: text_files::TextFiles,
) -> Result<StudioOutcome, Fault> {
    let view = desk
        .opened
        .with(|project| project.use_text_model(name, files))?;
    Ok(StudioOutcome::TextModel(Some(view)))
}

/// Looks into files, one after the other.
async fn inspect(
    desk: &Desk,
    names: Vec<String>,
    language: &str,
    files: Vec<File>,
    voice: &Voice,
) -> Result<StudioOutcome, Fault> {
    if names.len() != files.len() {
        let detail = format!("{} names came for {} files", names.len(), files.len());
        return Err(Fault::new(FaultKind::Internal, detail));
    }
    let n_bytes = files.iter().map(|file| file.size() as u64).sum();
    let (mut read, mut views) = (0, Vec::new());
    for (name, file) in names.into_iter().zip(files) {
        voice.going(StudioStage::Reading, &name, read, n_bytes);
        read += file.size() as u64;
        let file = UserFile::new(name, file.into());
        let found = {
            let mut inspected = desk.inspected.borrow_mut();
            inspected.look_into(file, language, |part| remembered(desk, part))
        };
        views.extend(found);
        desk.breathe().await;
        voice.go_on()?;
    }
    desk.inspected.borrow_mut().mark_companions(&mut views);
    Ok(StudioOutcome::Inspected(views))
}

/// What is larger than the room that is left is not begun. What is not may still not fit: it is taken
/// back whole then.
async fn has_room(parts: &[(Part, Reading)]) -> Result<(), Fault> {
    let n_bytes: u64 = parts.iter().map(|(part, _)| part.view.bytes).sum();
    match storage::room().await {
        Some(room) if room < n_bytes => {
            let detail = format!("the files have {n_bytes} bytes, the browser has room for {room}");
            Err(Fault::new(FaultKind::StorageFull, detail))
        }
        _ => Ok(()),
    }
}

/// How parts with columns are being read: what was guessed of them, and what was chosen.
fn readings(parts: &[(Part, Reading)]) -> Vec<(String, String)> {
    let reading = |(part, reading): &(Part, Reading)| {
        let key = reading_key(&part.view)?;
        let Reading::Records(chosen) = reading else {
            return None;
        };
        let text = serde_json::to_string(&(part.basis(chosen)?, chosen));
        Some((key, text.ok()?))
    };
    parts.iter().filter_map(reading).collect()
}

fn remember(project: &mut Project, readings: Vec<(String, String)>) -> Result<(), ProjectError> {
    for (key, reading) in readings {
        project.remember(&key, &reading)?;
    }
    Ok(())
}

/// What was changed by hand at the last part with these columns, where it fits this one.
fn remembered(desk: &Desk, part: &Part) -> Option<Reading> {
    let key = reading_key(&part.view)?;
    // Without a project nothing is remembered.
    let reading = desk
        .opened
        .with(|project| project.remembered(&key))
        .ok()??;
    let (basis, chosen): (RecordReading, RecordReading) = serde_json::from_str(&reading).ok()?;
    part.changed_as(&basis, &chosen).map(Reading::Records)
}

fn first<'f>(files: &'f [File], name: &str) -> Result<&'f File, Fault> {
    files.first().ok_or_else(|| {
        let detail = format!("no file came beside `{name}`");
        Fault::new(FaultKind::Internal, detail)
    })
}

/// As ISO 8601 has it, in universal time.
fn today() -> String {
    let now = String::from(js_sys::Date::new_0().to_iso_string());
    now.split('T').next().unwrap_or_default().to_owned()
}
