//! What lies beside the data of an export: configurations, the job, the card.

use super::toll::Written;
use crate::{
    data::{
        Format,
        handover::{
            Axolotl, Card, Contents, Handover, LlamaFactory, WrittenFile, card, job_json,
            train_command,
        },
    },
    project::{Project, ProjectError},
    protocol::{
        TrainJob,
        studio::{Export, ExportKind, TextOptions},
    },
};

const DATASET_INFO: &str = "dataset_info.json";
const LLAMA_FACTORY: &str = "llama_factory.yaml";
const AXOLOTL: &str = "axolotl.yaml";
const JOB: &str = "job.json";
const CARD: &str = "README.md";

pub(super) struct Beside<'a> {
    pub(super) project: &'a Project,
    pub(super) export: &'a Export,
    pub(super) name: &'a str,
    pub(super) format: Format,
    pub(super) contents: &'a Contents,
    pub(super) files: &'a [WrittenFile],
}

impl Beside<'_> {
    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names = match self.export.kind {
            ExportKind::LlamaFactory => vec![DATASET_INFO, LLAMA_FACTORY],
            ExportKind::Axolotl => vec![AXOLOTL],
            ExportKind::TrainJob => vec![JOB],
            _ => Vec::new(),
        };
        if self.export.card {
            names.push(CARD);
        }
        names
    }

    /// What to run in the folder of the files; empty where there is nothing.
    pub(super) fn command(&self) -> Result<String, ProjectError> {
        Ok(match self.export.kind {
            ExportKind::LlamaFactory => format!("llamafactory-cli train {LLAMA_FACTORY}"),
            ExportKind::Axolotl => format!("axolotl train {AXOLOTL}"),
            ExportKind::TrainJob => {
                let text = self.project.text_options()?;
                train_command(&self.handover(&text, &job(&text)), JOB)
            }
            _ => String::new(),
        })
    }

    /// Names and texts of the files, in the order of [`Self::names`].
    pub(super) fn texts(
        &self,
        written: &Written,
        losses: &[(String, u64)],
        languages: &[(String, u64)],
        today: &str,
    ) -> Result<Vec<(&'static str, String)>, ProjectError> {
        let text = self.project.text_options()?;
        let job = job(&text);
        let handover = self.handover(&text, &job);
        let mut texts = Vec::new();
        for name in self.names() {
            let text = match name {
                DATASET_INFO => LlamaFactory(handover).dataset_info(),
                LLAMA_FACTORY => LlamaFactory(handover).train_yaml(),
                AXOLOTL => Axolotl(handover).yaml(),
                JOB => job_json(&job),
                _ => self.card(written, losses, languages, today)?,
            };
            texts.push((name, text));
        }
        Ok(texts)
    }

    fn handover<'b>(&'b self, text: &'b TextOptions, job: &'b TrainJob) -> Handover<'b> {
        Handover {
            name: self.name,
            files: self.files,
            format: self.format,
            contents: self.contents,
            model: &self.export.model,
            text,
            job,
        }
    }

    fn card(
        &self,
        written: &Written,
        losses: &[(String, u64)],
        languages: &[(String, u64)],
        today: &str,
    ) -> Result<String, ProjectError> {
        let view = self.project.view()?;
        let mut actions = self.project.history(u64::MAX)?;
        actions.retain(|action| !action.undone);
        actions.reverse();
        let split = self.project.split()?;
        let is_split = self.files.iter().any(|file| file.side.is_some());
        let columns: Vec<(String, u64)> = written
            .columns
            .iter()
            .map(|(name, n)| (name.clone(), *n))
            .collect();
        let command = self.command()?;
        let commands: Vec<String> = Some(command)
            .filter(|c| !c.is_empty())
            .into_iter()
            .collect();
        Ok(card(&Card {
            title: self.name,
            licence: &self.export.licence,
            today,
            format: self.format,
            files: self.files,
            contents: &written.contents,
            languages,
            sources: &view.sources,
            actions: &actions,
            split: is_split.then_some(&split),
            columns: &columns,
            losses,
            commands: &commands,
        }))
    }
}

/// The settings that the project decides; the others as they usually are.
fn job(text: &TextOptions) -> TrainJob {
    TrainJob {
        max_length: text.max_length as usize,
        ..TrainJob::default()
    }
}
