//! The export as it is chosen: what for, which format, which kind of file.

use veneer_core::{
    data::Format,
    protocol::studio::{DataFile, Export, ExportKind, Side},
};

/// What the files are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    #[default]
    Data,
    Train,
    LlamaFactory,
    Axolotl,
    OpenAi,
    Spreadsheet,
}

impl Purpose {
    pub const ALL: [Self; 6] = [
        Self::Data,
        Self::Train,
        Self::LlamaFactory,
        Self::Axolotl,
        Self::OpenAi,
        Self::Spreadsheet,
    ];

    /// For values and for tools that drive the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Train => "train",
            Self::LlamaFactory => "llama-factory",
            Self::Axolotl => "axolotl",
            Self::OpenAi => "openai",
            Self::Spreadsheet => "spreadsheet",
        }
    }

    pub fn named(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|purpose| purpose.name() == name);
        known.unwrap_or_default()
    }

    /// Kinds of files to choose from; none where there is no choice.
    pub fn containers(self) -> &'static [DataFile] {
        match self {
            Self::Data => &[
                DataFile::JsonLines,
                DataFile::Json,
                DataFile::Csv,
                DataFile::Tsv,
                DataFile::Xlsx,
                DataFile::Parquet,
            ],
            Self::Spreadsheet => &[DataFile::Xlsx, DataFile::Csv, DataFile::Tsv],
            Self::Train | Self::LlamaFactory | Self::Axolotl | Self::OpenAi => &[],
        }
    }

    /// Whether configurations name the base model.
    pub fn names_a_model(self) -> bool {
        matches!(self, Self::Train | Self::LlamaFactory | Self::Axolotl)
    }
}

/// Names of the formats of `veneer data convert`.
pub fn formats() -> [&'static str; 7] {
    Format::ALL.map(Format::name)
}

/// The form, as it stands on the page.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportForm {
    pub purpose: Purpose,
    pub format: String,
    pub container: DataFile,
    pub options: Export,
}

impl Default for ExportForm {
    fn default() -> Self {
        Self {
            purpose: Purpose::default(),
            format: Format::Openai.name().to_owned(),
            container: DataFile::JsonLines,
            options: Export::default(),
        }
    }
}

impl ExportForm {
    /// Another purpose; the kind of file follows where it does not fit any more.
    pub fn choose(&mut self, purpose: Purpose) {
        self.purpose = purpose;
        let containers = purpose.containers();
        if let Some(first) = containers.first()
            && !containers.contains(&self.container)
        {
            self.container = *first;
        }
    }

    pub fn choose_container(&mut self, name: &str) {
        let known = self.purpose.containers().iter();
        if let Some(container) = known
            .copied()
            .find(|container| container.extension() == name)
        {
            self.container = container;
        }
    }

    /// Takes a side in or out. All of them is the same as none named.
    pub fn toggle_side(&mut self, side: Side) {
        let sides = &mut self.options.sides;
        if sides.is_empty() {
            sides.extend(Side::ALL);
        }
        match sides.iter().position(|other| *other == side) {
            Some(at) => drop(sides.remove(at)),
            None => sides.push(side),
        }
        sides.sort_unstable();
        if sides.len() == Side::ALL.len() {
            sides.clear();
        }
    }

    pub fn has_side(&self, side: Side) -> bool {
        let sides = &self.options.sides;
        sides.is_empty() || sides.contains(&side)
    }

    /// What the worker is asked for.
    pub fn export(&self) -> Export {
        let container = self.container;
        let kind = match self.purpose {
            Purpose::Data => ExportKind::Data {
                format: self.format.clone(),
                container,
            },
            Purpose::Train => ExportKind::TrainJob,
            Purpose::LlamaFactory => ExportKind::LlamaFactory,
            Purpose::Axolotl => ExportKind::Axolotl,
            Purpose::OpenAi => ExportKind::OpenAiFineTuning,
            Purpose::Spreadsheet => ExportKind::Spreadsheet { container },
        };
        Export {
            kind,
            ..self.options.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_file_fits_the_purpose() {
        let mut form = ExportForm::default();
        form.choose_container("parquet");
        assert_eq!(form.container, DataFile::Parquet);
        form.choose(Purpose::Spreadsheet);
        assert_eq!(form.container, DataFile::Xlsx);
        form.choose_container("parquet");
        assert_eq!(form.container, DataFile::Xlsx, "no spreadsheet");
        form.choose_container("csv");
        form.choose(Purpose::Data);
        assert_eq!(form.container, DataFile::Csv, "it fits still");
    }

    #[test]
    fn the_form_says_what_is_written() {
        let mut form = ExportForm {
            format: "alpaca".into(),
            ..ExportForm::default()
        };
        let want = ExportKind::Data {
            format: "alpaca".into(),
            container: DataFile::JsonLines,
        };
        assert_eq!(form.export().kind, want);
        form.choose(Purpose::Train);
        form.options.model = "Qwen/Qwen3-0.6B".into();
        let export = form.export();
        assert_eq!(export.kind, ExportKind::TrainJob);
        assert_eq!(export.model, "Qwen/Qwen3-0.6B");
    }

    #[test]
    fn the_first_choice_is_that_of_the_protocol() {
        assert_eq!(ExportForm::default().export(), Export::default());
    }

    #[test]
    fn sides_are_taken_in_and_out() {
        let mut form = ExportForm::default();
        assert!(Side::ALL.into_iter().all(|side| form.has_side(side)));
        form.toggle_side(Side::Test);
        assert_eq!(form.options.sides, [Side::Train, Side::Validation]);
        assert!(!form.has_side(Side::Test));
        form.toggle_side(Side::Train);
        form.toggle_side(Side::Train);
        assert_eq!(form.options.sides, [Side::Train, Side::Validation]);
        form.toggle_side(Side::Test);
        assert!(form.options.sides.is_empty());
    }

    #[test]
    fn names_lead_back() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::named(purpose.name()), purpose);
        }
        assert!(formats().contains(&"sharegpt"));
    }
}
