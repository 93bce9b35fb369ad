//! What an export would be, before anything is written.

use super::{
    beside,
    selection::Selection,
    survey::{Survey, Toll, Walk, container},
};
use crate::{
    data::{
        Format,
        handover::{Axolotl, LlamaFactory, OpenAiFinding, WrittenFile, slug},
    },
    project::{Project, ProjectError, Step, Work},
    protocol::studio::{Export, ExportKind, ExportPlan, Phrase, Said, StudioProgress, StudioStage},
};

/// Faults that are named.
const SHOWN_OBSTACLES: usize = 20;

/// Looks at every record twice: what there is, and then, in the format chosen for it, what is lost.
pub(super) struct Planning {
    export: Export,
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
            export,
            selection: None,
            walk: Walk::default(),
            toll: None,
            n_with_errors: None,
        }
    }

    fn more(&self) -> Step<ExportPlan> {
        let half = self.selection.as_ref().map_or(0, Selection::n);
        Step::More(StudioProgress {
            stage: StudioStage::Checking,
            what: String::new(),
            done: self.walk.n_done() + if self.toll.is_some() { half } else { 0 },
            total: 2 * half,
        })
    }
}

impl Work for Planning {
    type Output = ExportPlan;

    fn step(&mut self, project: &mut Project) -> Result<Step<ExportPlan>, ProjectError> {
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
            self.n_with_errors = Some(n_with_errors(project, &self.export.kind)?);
            return Ok(self.more());
        }
        if let Some(toll) = self.toll.take() {
            let format = self.survey.format(&self.export.kind)?;
            return self.plan(project, format, toll).map(Step::Done);
        }
        match self.survey.format(&self.export.kind) {
            Ok(format) => self.toll = Some(Toll::new(format, &self.export)),
            Err(error) => {
                let obstacles = vec![Said::read(&error.to_string())];
                return Ok(Step::Done(ExportPlan {
                    obstacles,
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
        let written: Vec<WrittenFile> = selection
            .pieces
            .iter()
            .map(|piece| WrittenFile {
                path: file_name(&piece.stem(&slug(&name)), export),
                side: piece.side,
                n_records: piece.bodies.len() as u64,
                n_bytes: 0,
                sha256: String::new(),
            })
            .collect();
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
        losses.extend(losses_of_tool(export, survey));
        let n_with_errors = self.n_with_errors.unwrap_or_default();
        let mut obstacles = obstacles(project, n_with_errors, selection, export)?;
        if toll.is_lossy() && !export.lossy {
            obstacles.push(lossy(format));
        }
        let command = beside.command()?;
        let limits = toll.limits();
        let findings = limits.findings.iter().filter(|finding| finding.is_error);
        obstacles.extend(findings.map(OpenAiFinding::said));
        obstacles.truncate(SHOWN_OBSTACLES);
        Ok(ExportPlan {
            files,
            losses,
            obstacles,
            command,
        })
    }
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

pub(super) fn losses_of_tool(export: &Export, survey: &Survey) -> Vec<(Said, u64)> {
    match export.kind {
        ExportKind::LlamaFactory => LlamaFactory::losses(&survey.contents),
        ExportKind::Axolotl => Axolotl::losses(&survey.contents),
        _ => Vec::new(),
    }
}

/// A table or a dataset may go out to be put right elsewhere; what is trained with at once may not.
fn n_with_errors(project: &Project, kind: &ExportKind) -> Result<u64, ProjectError> {
    match kind {
        ExportKind::Data { .. } | ExportKind::Spreadsheet { .. } => Ok(0),
        _ => Ok(project.findings()?.n_records_with_errors),
    }
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
    let by_side = selection.pieces.iter().any(|piece| piece.side.is_some());
    let train = Some(crate::protocol::studio::Side::Train);
    let has_train = selection.pieces.iter().any(|piece| piece.side == train);
    let lacks_train = by_side && export.sides.is_empty() && !has_train;
    add(u64::from(lacks_train), Phrase::NoTrainSide);
    add(selection.n_left_out, Phrase::OnNoSide);
    add(n_with_errors, Phrase::WithErrors);
    let split = project.split()?;
    let n_leaking = if by_side { split.n_leaking } else { 0 };
    add(n_leaking, Phrase::Leaking);
    let is_changed = split.frozen.is_some() && !split.frozen_holds;
    add(u64::from(is_changed), Phrase::FrozenSplitChanged);
    Ok(obstacles)
}

pub(super) const NOTHING: Phrase = Phrase::NoRecordToWrite;
