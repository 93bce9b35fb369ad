//! Records of a project out to files: datasets, what other tools need beside them, a card.
//!
//! selection (which records, in which file) → survey (what they have, so which format) → data files →
//! what lies beside them, zipped where there are several files. A plan goes the same way and writes
//! nothing.

mod beside;
mod data_file;
mod plan;
mod selection;
mod survey;
mod toll;

use std::io::{Cursor, Write as _};

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{ExportFile, Project, ProjectError, Step, Task, Work, hash::hex};
use crate::{
    data::{
        Format,
        handover::{SIDE_COLUMN, WrittenFile, side_name, side_named, slug},
    },
    protocol::studio::{Export, ExportKind, ExportPlan, Side, StudioProgress, StudioStage},
};
use beside::Beside;
use data_file::DataOut;
use plan::{
    NOTHING, NOTHING_TO_TRAIN, Planning, file_name, fit_of, lacks_train, losses_of_tool, lossy,
    nothing_fits, stays_behind, title,
};
use selection::{Selection, names_trained};
use survey::{Outgoing, Survey, Walk, container};
use toll::Toll;

impl Project {
    /// What an export would be; nothing is written.
    pub fn plan_export(&self, export: Export) -> Task<ExportPlan> {
        Box::new(Planning::new(export))
    }

    /// One file, or a zip of several. `today` is an ISO date for the card.
    pub fn export(&self, export: Export, today: &str) -> Task<ExportFile> {
        Box::new(Exporting {
            survey: Survey::new(&export.kind),
            export,
            today: today.to_owned(),
            selection: Selection::default(),
            walk: Walk::default(),
            stage: Stage::Start,
            files: Vec::new(),
        })
    }
}

struct Exporting {
    export: Export,
    today: String,
    selection: Selection,
    walk: Walk,
    survey: Survey,
    stage: Stage,
    files: Vec<(WrittenFile, Vec<u8>)>,
}

enum Stage {
    Start,
    /// What the records have.
    Surveying,
    Writing(Box<Writing>),
    Over,
}

struct Writing {
    format: Format,
    toll: Toll,
    out: DataOut,
    piece: usize,
}

impl Work for Exporting {
    type Output = ExportFile;

    fn step(&mut self, project: &mut Project) -> Result<Step<ExportFile>, ProjectError> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Start => {
                self.selection = Selection::read(project, &self.export)?;
                if self.selection.n() == 0 {
                    return refuse(NOTHING.english().into());
                }
                let lacking = lacks_train(&self.selection, &self.export);
                if let Some(lacking) = lacking
                    && self.selection.lacks_training(&self.export.kind)
                {
                    return refuse(lacking.english().into());
                }
                self.stage = Stage::Surveying;
            }
            Stage::Surveying => {
                let outgoing = self.walk.next(project, &self.selection)?;
                outgoing.iter().for_each(|record| self.survey.add(record));
                self.stage = match outgoing.is_empty() {
                    false => Stage::Surveying,
                    true => self.begin_writing(project)?,
                };
            }
            Stage::Writing(mut writing) => {
                let outgoing = self.walk.next(project, &self.selection)?;
                if outgoing.is_empty() {
                    return self.finish(project, *writing).map(Step::Done);
                }
                self.write(&mut writing, outgoing)?;
                self.stage = Stage::Writing(writing);
            }
            Stage::Over => return Err(ProjectError::Cancelled),
        }
        Ok(Step::More(self.progress()))
    }
}

/// A sheet has the side of each record in a column of its own. What the data has under that name goes
/// into another column where it would be taken for the side, or would stand in its place.
fn say_side(fields: &mut Map<String, Value>, side: Option<Side>) {
    let own = fields.get(SIDE_COLUMN).and_then(Value::as_str);
    let is_in_the_way = side.is_some() || own.is_some_and(|own| side_named(own).is_some());
    if is_in_the_way && let Some(own) = fields.shift_remove(SIDE_COLUMN) {
        let mut names = (2..).map(|n| format!("{SIDE_COLUMN}_{n}"));
        if let Some(free) = names.find(|name| !fields.contains_key(name)) {
            fields.insert(free, own);
        }
    }
    if let Some(side) = side {
        fields.insert(SIDE_COLUMN.into(), side_name(side).into());
    }
}

fn refuse<T>(reason: String) -> Result<T, ProjectError> {
    Err(ProjectError::CannotDo { reason })
}

impl Exporting {
    fn progress(&self) -> StudioProgress {
        let is_second = matches!(self.stage, Stage::Writing(_));
        self.walk
            .progress(StudioStage::Writing, is_second, self.selection.n())
    }

    fn begin_writing(&mut self, project: &Project) -> Result<Stage, ProjectError> {
        self.walk = Walk::default();
        let format = self.survey.format(&self.export.kind)?;
        let text = project.text_options()?;
        let fit = fit_of(&self.export, &self.survey.contents, &text);
        Ok(Stage::Writing(Box::new(Writing {
            format,
            toll: Toll::new(format, fit, &self.export),
            out: DataOut::new(container(&self.export.kind), format),
            piece: 0,
        })))
    }

    fn write(
        &mut self,
        writing: &mut Writing,
        outgoing: Vec<Outgoing>,
    ) -> Result<(), ProjectError> {
        let piece = outgoing.first().map_or(writing.piece, |first| first.piece);
        if piece != writing.piece {
            self.close(writing)?;
            writing.piece = piece;
        }
        let is_sheet = matches!(self.export.kind, ExportKind::Spreadsheet { .. });
        for record in &outgoing {
            let Some(mut fields) = writing.toll.fields(record) else {
                continue;
            };
            if is_sheet {
                say_side(&mut fields, record.side);
            }
            writing.out.add(fields)?;
        }
        if writing.toll.is_lossy() && !self.export.lossy {
            return refuse(lossy(writing.format).to_string());
        }
        Ok(())
    }

    /// The file of the piece at hand is complete.
    fn close(&mut self, writing: &mut Writing) -> Result<(), ProjectError> {
        let next = DataOut::new(container(&self.export.kind), writing.format);
        let out = std::mem::replace(&mut writing.out, next);
        let n_records = out.n();
        let Some(piece) = self.selection.pieces.get(writing.piece) else {
            return Ok(());
        };
        // Of none of its records: it would be an empty file that settings name.
        if n_records == 0 {
            return Ok(());
        }
        let bytes = out.finish()?;
        let file = WrittenFile {
            path: piece.stem(""),
            side: piece.side,
            n_records,
            n_bytes: bytes.len() as u64,
            sha256: hex(&Sha256::digest(&bytes)),
        };
        self.files.push((file, bytes));
        Ok(())
    }

    fn finish(
        &mut self,
        project: &Project,
        mut writing: Writing,
    ) -> Result<ExportFile, ProjectError> {
        if writing.toll.written().n() == 0 {
            return refuse(nothing_fits(writing.format).to_string());
        }
        let lacks_training = writing.toll.written().lacks_training(&self.selection);
        if lacks_training && names_trained(&self.export.kind) {
            return refuse(NOTHING_TO_TRAIN.english().into());
        }
        self.close(&mut writing)?;
        let name = title(project, &self.export)?;
        let stem = slug(&name);
        let mut files = Vec::new();
        let mut written = Vec::new();
        for (mut file, bytes) in self.files.drain(..) {
            let of_side = Some(file.path).filter(|side| !side.is_empty());
            file.path = file_name(of_side.as_deref().unwrap_or(&stem), &self.export);
            files.push((file.path.clone(), bytes));
            written.push(file);
        }
        let beside = Beside {
            project,
            export: &self.export,
            name: &name,
            format: writing.format,
            contents: &self.survey.contents,
            files: &written,
        };
        let mut losses = writing.toll.losses();
        let text = project.text_options()?;
        losses.extend(losses_of_tool(&self.export, &self.survey.contents, &text));
        losses.extend(stays_behind(&self.export, &self.selection));
        let losses: Vec<(String, u64)> = losses
            .into_iter()
            .map(|(what, n)| (what.to_string(), n))
            .collect();
        let records = writing.toll.written();
        let languages = records.languages(&self.selection);
        let texts = beside.texts(records, &losses, &languages, &self.today)?;
        files.extend(
            texts
                .into_iter()
                .map(|(name, text)| (name.to_owned(), text.into_bytes())),
        );
        packed(files, &stem)
    }
}

/// The only file as it is, or all of them zipped.
fn packed(mut files: Vec<(String, Vec<u8>)>, stem: &str) -> Result<ExportFile, ProjectError> {
    if files.len() == 1
        && let Some((name, bytes)) = files.pop()
    {
        return Ok(ExportFile { name, bytes });
    }
    let broken = |detail: String| ProjectError::CannotDo {
        reason: format!("the files cannot be zipped: {detail}"),
    };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        // No date of its own: the same records make the same file.
        let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
        zip.start_file(name, options)
            .map_err(|error| broken(error.to_string()))?;
        zip.write_all(&bytes)
            .map_err(|error| broken(error.to_string()))?;
    }
    let bytes = zip.finish().map_err(|error| broken(error.to_string()))?;
    Ok(ExportFile {
        name: format!("{stem}.zip"),
        bytes: bytes.into_inner(),
    })
}

#[cfg(test)]
mod tests;
