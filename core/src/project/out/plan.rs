//! What an export would be, before anything is written.

use super::{
    beside,
    selection::{Selection, names_trained},
    survey::{Survey, Walk, container},
    toll::Toll,
};
use crate::{
    data::{
        Format,
        handover::{
            Axolotl, Contents, Fit, LlamaFactory, WrittenFile, service_losses, slug, train_losses,
        },
    },
    project::{Project, ProjectError, Step, Work, checks::template::TemplateCheck},
    protocol::studio::{
        DataFile, Export, ExportKind, ExportPlan, Phrase, Said, Side, StudioProgress, StudioStage,
        TextOptions,
    },
};

/// Faults that are named.
const SHOWN_OBSTACLES: usize = 20;

/// Looks at every record twice: what there is, and then, in the format chosen for it, what is lost.
/// Before that, what is trained with at once is looked at under the model of the project.
pub(super) struct Planning {
    export: Export,
    template: Option<TemplateCheck>,
    is_checked: bool,
    selection: Option<Selection>,
    walk: Walk,
    survey: Survey,
    toll: Option<Toll>,
    /// Records that cannot be trained on, once that was counted.
    n_with_errors: Option<u64>,
}

impl Planning {
    pub(super) fn new(export: Export) -> Self {
        Self {
            survey: Survey::new(&export.kind),
            is_checked: !is_trained_with(&export.kind),
            export,
            template: None,
            selection: None,
            walk: Walk::default(),
            toll: None,
            n_with_errors: None,
        }
    }

    /// Brings up to date what the model makes of the records; `None` once it is.
    fn check(&mut self, project: &mut Project) -> Result<Option<StudioProgress>, ProjectError> {
        if self.is_checked {
            return Ok(None);
        }
        if self.template.is_none() {
            self.template = TemplateCheck::new(project)?;
        }
        self.is_checked = match &mut self.template {
            Some(check) => check.step(project)?,
            None => true,
        };
        let check = self.template.as_ref().filter(|_| !self.is_checked);
        Ok(check.map(TemplateCheck::told))
    }

    fn more(&self) -> Step<ExportPlan> {
        let n = self.selection.as_ref().map_or(0, Selection::n);
        let is_second = self.toll.is_some();
        Step::More(self.walk.progress(StudioStage::Checking, is_second, n))
    }
}

impl Work for Planning {
    type Output = ExportPlan;

    fn step(&mut self, project: &mut Project) -> Result<Step<ExportPlan>, ProjectError> {
        if let Some(progress) = self.check(project)? {
            return Ok(Step::More(progress));
        }
        let Some(selection) = &self.selection else {
            self.selection = Some(Selection::read(project, &self.export)?);
            return Ok(self.more());
        };
        let outgoing = self.walk.next(project, selection)?;
        if !outgoing.is_empty() {
            match &mut self.toll {
                None => outgoing.iter().for_each(|record| self.survey.add(record)),
                Some(toll) => {
                    for record in &outgoing {
                        toll.fields(record);
                    }
                }
            }
            return Ok(self.more());
        }
        if self.toll.is_some() && self.n_with_errors.is_none() {
            self.n_with_errors = Some(n_with_errors(project, &self.export.kind, selection)?);
            return Ok(self.more());
        }
        if let Some(toll) = self.toll.take() {
            let format = self.survey.format(&self.export.kind)?;
            return self.plan(project, format, toll).map(Step::Done);
        }
        match self.survey.format(&self.export.kind) {
            Ok(format) => {
                let text = project.text_options()?;
                let fit = fit_of(&self.export, &self.survey.contents, &text);
                self.toll = Some(Toll::new(format, fit, &self.export));
            }
            Err(error) => {
                let obstacles = vec![Said::read(&error.to_string())];
                return Ok(Step::Done(ExportPlan {
                    obstacles,
                    impossible: true,
                    ..ExportPlan::default()
                }));
            }
        }
        self.walk = Walk::default();
        Ok(self.more())
    }
}

impl Planning {
    fn plan(
        &self,
        project: &Project,
        format: Format,
        toll: Toll,
    ) -> Result<ExportPlan, ProjectError> {
        let (export, survey) = (&self.export, &self.survey);
        let default = Selection::default();
        let selection = self.selection.as_ref().unwrap_or(&default);
        let name = title(project, export)?;
        let written = written_files(export, selection, &toll, &slug(&name));
        let beside = beside::Beside {
            project,
            export,
            name: &name,
            format,
            contents: &survey.contents,
            files: &written,
        };
        let mut files: Vec<(String, u64)> = written
            .iter()
            .map(|file| (file.path.clone(), file.n_records))
            .collect();
        let others = beside.names().into_iter();
        files.extend(others.map(|name| (name.to_owned(), 0)));
        let mut losses = toll.losses();
        let text = project.text_options()?;
        losses.extend(losses_of_tool(export, &survey.contents, &text));
        let mut notes = toll.changes();
        notes.extend(notes_of_tool(export, &survey.contents, &text));
        notes.extend(stays_behind(export, selection));
        let n_with_errors = self.n_with_errors.unwrap_or_default();
        let mut obstacles = obstacles(project, n_with_errors, selection, export)?;
        let fits_nothing = selection.n() > 0 && toll.written().n() == 0;
        let trains_nothing = !fits_nothing && toll.written().lacks_training(selection);
        if trains_nothing {
            obstacles.push(Said::new(NOTHING_TO_TRAIN, []));
        }
        if fits_nothing {
            obstacles.push(nothing_fits(format));
        } else if toll.is_lossy() && !export.lossy {
            obstacles.push(lossy(format));
        }
        let command = beside.command()?;
        obstacles.extend(beyond_limits(toll, export, selection));
        obstacles.truncate(SHOWN_OBSTACLES);
        Ok(ExportPlan {
            files,
            losses,
            notes,
            obstacles,
            impossible: fits_nothing
                || selection.n() == 0
                || selection.lacks_training(&export.kind)
                || (trains_nothing && names_trained(&export.kind)),
            command,
        })
    }
}

/// The files that records go into; one that would have none is not written.
fn written_files(
    export: &Export,
    selection: &Selection,
    toll: &Toll,
    otherwise: &str,
) -> Vec<WrittenFile> {
    let pieces = selection.pieces.iter().enumerate();
    let files = pieces.map(|(place, piece)| WrittenFile {
        path: file_name(&piece.stem(otherwise), export),
        side: piece.side,
        n_records: toll.written().n_of(place),
        n_bytes: 0,
        sha256: String::new(),
    });
    files.filter(|file| file.n_records > 0).collect()
}

/// What a service refuses; where there are several files, with the file.
fn beyond_limits(toll: Toll, export: &Export, selection: &Selection) -> Vec<Said> {
    let reports = toll.limits(selection);
    let is_one = reports.len() == 1;
    let mut said = Vec::new();
    for (place, report) in reports {
        let piece = selection.pieces.get(place);
        let path = piece.map_or_else(String::new, |piece| file_name(&piece.stem(""), export));
        let errors = report.findings.iter().filter(|finding| finding.is_error);
        said.extend(errors.map(|finding| match is_one {
            true => finding.said(),
            false => finding.said_of(&path),
        }));
    }
    said
}

/// Working notes and sides, which a person may look for in files that they take elsewhere.
pub(super) fn stays_behind(export: &Export, selection: &Selection) -> Vec<(Said, u64)> {
    let (n_noted, n_mixed) = match export.kind {
        ExportKind::Data { .. } => (selection.n_noted, selection.n_mixed()),
        // A sheet has a column of sides.
        ExportKind::Spreadsheet { .. } => (selection.n_noted, 0),
        _ => (0, 0),
    };
    let counts = [(Phrase::TagsStay, n_noted), (Phrase::SidesStay, n_mixed)].into_iter();
    let counts = counts.filter(|(_, n)| *n > 0);
    counts
        .map(|(phrase, n)| (Said::new(phrase, []), n))
        .collect()
}

pub(super) fn title(project: &Project, export: &Export) -> Result<String, ProjectError> {
    let title = export.title.trim();
    if !title.is_empty() {
        return Ok(title.to_owned());
    }
    Ok(project.meta("name")?.unwrap_or_default())
}

pub(super) fn file_name(stem: &str, export: &Export) -> String {
    format!("{stem}.{}", container(&export.kind).extension())
}

pub(super) fn lossy(format: Format) -> Said {
    Said::new(Phrase::FormatLoses, [format.to_string()])
}

pub(super) fn nothing_fits(format: Format) -> Said {
    Said::new(Phrase::NothingFits, [format.to_string()])
}

pub(super) fn losses_of_tool(
    export: &Export,
    contents: &Contents,
    text: &TextOptions,
) -> Vec<(Said, u64)> {
    match export.kind {
        ExportKind::LlamaFactory => LlamaFactory::losses(contents, text, &export.model),
        ExportKind::Axolotl => Axolotl::losses(contents, text),
        ExportKind::TrainJob => train_losses(contents),
        ExportKind::OpenAiFineTuning => service_losses(contents),
        ExportKind::Data { .. } | ExportKind::Spreadsheet { .. } => Vec::new(),
    }
}

/// What is another thing there, but not lost.
fn notes_of_tool(export: &Export, contents: &Contents, text: &TextOptions) -> Vec<(Said, u64)> {
    match export.kind {
        ExportKind::LlamaFactory => LlamaFactory::notes(contents, text),
        ExportKind::Axolotl => Axolotl::notes(contents, text),
        _ if container(&export.kind) == DataFile::Parquet && contents.n_with_tools > 0 => {
            vec![(Said::new(Phrase::ParquetTools, []), contents.n_with_tools)]
        }
        _ => Vec::new(),
    }
}

/// How rows are made to fit what reads them.
pub(super) fn fit_of(export: &Export, contents: &Contents, text: &TextOptions) -> Fit {
    match export.kind {
        ExportKind::LlamaFactory => LlamaFactory::fit(contents, text, &export.model),
        ExportKind::Axolotl => Axolotl::fit(contents),
        ExportKind::OpenAiFineTuning => Fit::without_bad(),
        // `veneer train` leaves bad answers out itself.
        ExportKind::TrainJob | ExportKind::Data { .. } | ExportKind::Spreadsheet { .. } => {
            Fit::default()
        }
    }
}

/// A table or a dataset may go out to be put right elsewhere; what is trained with at once may not.
fn is_trained_with(kind: &ExportKind) -> bool {
    !matches!(
        kind,
        ExportKind::Data { .. } | ExportKind::Spreadsheet { .. }
    )
}

fn n_with_errors(
    project: &Project,
    kind: &ExportKind,
    selection: &Selection,
) -> Result<u64, ProjectError> {
    if !is_trained_with(kind) {
        return Ok(0);
    }
    let erroneous = project.records_with_errors()?;
    let members = selection.members();
    let n = members.filter(|member| erroneous.contains(&member.record));
    Ok(n.count() as u64)
}

fn obstacles(
    project: &Project,
    n_with_errors: u64,
    selection: &Selection,
    export: &Export,
) -> Result<Vec<Said>, ProjectError> {
    let mut obstacles = Vec::new();
    let mut add = |n: u64, phrase: Phrase| {
        if n > 0 {
            let values = phrase.english().contains("{0}").then(|| n.to_string());
            obstacles.push(Said::Phrase(phrase, values.into_iter().collect()));
        }
    };
    add(u64::from(selection.n() == 0), NOTHING);
    let by_side = selection.by_side();
    if let Some(lacking) = lacks_train(selection, export) {
        add(1, lacking);
    }
    add(
        n_held_out_trained(selection, export),
        Phrase::HeldOutTrained,
    );
    add(selection.n_left_out, Phrase::OnNoSide);
    add(n_with_errors, Phrase::WithErrors);
    let split = project.split()?;
    let n_leaking = if by_side { split.n_leaking } else { 0 };
    add(n_leaking, Phrase::Leaking);
    let n_apart = if by_side { split.n_groups_apart } else { 0 };
    add(n_apart, Phrase::GroupsApart);
    let is_changed = split.frozen.is_some() && !split.frozen_holds;
    add(u64::from(is_changed), Phrase::FrozenSplitChanged);
    Ok(obstacles)
}

/// Records of validation and test in the one file that is trained on. A service trains on what it is
/// told to: held-out sides that were asked for alone are for its other file.
fn n_held_out_trained(selection: &Selection, export: &Export) -> u64 {
    let is_asked_for = !export.sides.is_empty() && !export.sides.contains(&Side::Train);
    let is_for_validation = export.kind == ExportKind::OpenAiFineTuning && is_asked_for;
    match is_trained_with(&export.kind) && !is_for_validation {
        true => selection.n_held_out(),
        false => 0,
    }
}

/// Files of sides, among which is none to train with although there should be one.
pub(super) fn lacks_train(selection: &Selection, export: &Export) -> Option<Phrase> {
    if !selection.by_side() || selection.has(Side::Train) {
        return None;
    }
    match export.sides.is_empty() || export.sides.contains(&Side::Train) {
        true => Some(Phrase::NoTrainSide),
        false => selection
            .lacks_training(&export.kind)
            .then_some(Phrase::TrainSideNotChosen),
    }
}

pub(super) const NOTHING: Phrase = Phrase::NoRecordToWrite;

pub(super) const NOTHING_TO_TRAIN: Phrase = Phrase::NoTrainRecordFits;
