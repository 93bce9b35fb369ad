//! Why a file or a part of it cannot be read.

use crate::{
    data::DatasetError,
    protocol::studio::{Phrase, Said},
};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    #[error("`{name}` cannot be read")]
    Read {
        name: String,
        #[source]
        source: std::io::Error,
    },

    /// What is broken and where, in words of the format.
    #[error("{}", Phrase::FileBroken.with([name, kind, detail]))]
    Broken {
        name: String,
        kind: &'static str,
        detail: String,
    },

    /// Larger inside than is safe to unpack.
    #[error("{}", Phrase::FileTooLarge.with([name, found, limit]))]
    TooLarge {
        name: String,
        found: u64,
        limit: u64,
    },

    #[error("{}", Phrase::FileWithoutText.with([name, reason]))]
    NoText { name: String, reason: String },

    #[error("{}", Phrase::FileRefused.with([name, reason]))]
    Unsupported { name: String, reason: String },

    #[error("{}", Phrase::FileLeadsOut.with([name, member]))]
    Traversal { name: String, member: String },

    #[error("{reason}")]
    Reading { reason: String },

    #[error(transparent)]
    Data(#[from] DatasetError),
}

impl DocumentError {
    /// What reading failed with: another of these errors where it passed through [`std::io`].
    pub(super) fn from_read(name: &str, error: std::io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(source) => Self::Read {
                name: name.into(),
                source,
            },
        }
    }

    pub(super) fn from_data(name: &str, error: DatasetError) -> Self {
        match error {
            DatasetError::Read(source) => Self::from_read(name, source),
            other => Self::Data(other),
        }
    }

    /// For reading through [`std::io`] and [`crate::data`], which have errors of their own.
    pub(super) fn into_data(self) -> DatasetError {
        DatasetError::Read(std::io::Error::other(self))
    }

    /// The message with its causes, for every language as far as it is known.
    pub(super) fn said(&self) -> Said {
        Said::read(&self.full())
    }

    pub(super) fn full(&self) -> String {
        let mut text = self.to_string();
        let mut error: &dyn std::error::Error = self;
        while let Some(cause) = error.source() {
            let said = cause.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            error = cause;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The phrase, and the phrases among its values.
    fn phrases(error: &DocumentError) -> Vec<Phrase> {
        let Said::Phrase(phrase, values) = error.said() else {
            panic!("no phrase: {}", error.full());
        };
        let inner = values.iter().filter_map(|value| match Said::read(value) {
            Said::Phrase(phrase, _) => Some(phrase),
            Said::Text(_) => None,
        });
        [phrase].into_iter().chain(inner).collect()
    }

    #[test]
    fn every_reason_can_be_said_in_every_language() {
        let name = || "informe (1): `final`.pdf".to_owned();
        let refused = |reason: Phrase| DocumentError::Unsupported {
            name: name(),
            reason: reason.english().into(),
        };
        let unknown_format = |hint: &str| DatasetError::UnknownFormat {
            line: 3,
            found: "`q`, `a`".into(),
            hint: hint.into(),
        };
        let hint = Phrase::DidYouMeanBoth.with([&"query", &"querry", &"text", &"txt"]);
        for (error, expected) in [
            (
                DocumentError::Read {
                    name: name(),
                    source: std::io::Error::other("no such file"),
                },
                vec![Phrase::FileUnreadable],
            ),
            (
                DocumentError::Broken {
                    name: name(),
                    kind: "PDF",
                    detail: Phrase::PdfWithoutContents.english().into(),
                },
                vec![Phrase::FileBroken, Phrase::PdfWithoutContents],
            ),
            (
                DocumentError::Broken {
                    name: name(),
                    kind: Phrase::SpreadsheetFile.english(),
                    detail: Phrase::NoSheet.with([&"Hoja 2"]),
                },
                vec![Phrase::FileBroken, Phrase::SpreadsheetFile, Phrase::NoSheet],
            ),
            (
                DocumentError::TooLarge {
                    name: name(),
                    found: 5000,
                    limit: 400,
                },
                vec![Phrase::FileTooLarge],
            ),
            (
                DocumentError::NoText {
                    name: name(),
                    reason: Phrase::PagesArePictures.english().into(),
                },
                vec![Phrase::FileWithoutText, Phrase::PagesArePictures],
            ),
            (
                refused(Phrase::OldOffice),
                vec![Phrase::FileRefused, Phrase::OldOffice],
            ),
            (
                DocumentError::Traversal {
                    name: name(),
                    member: "../x".into(),
                },
                vec![Phrase::FileLeadsOut],
            ),
            (DatasetError::Empty.into(), vec![Phrase::DatasetEmpty]),
            (
                DatasetError::OnlyHeader {
                    found: "`a`, `b`".into(),
                }
                .into(),
                vec![Phrase::OnlyHeader],
            ),
            (unknown_format("").into(), vec![Phrase::UnknownFormat]),
            (
                unknown_format(&hint).into(),
                vec![Phrase::UnknownFormatHint, Phrase::DidYouMeanBoth],
            ),
            (
                DatasetError::RowTooLarge {
                    line: 7,
                    cap_mib: 64,
                }
                .into(),
                vec![Phrase::RowTooLarge],
            ),
        ] {
            assert_eq!(phrases(&error), expected, "{}", error.full());
        }
    }
}
