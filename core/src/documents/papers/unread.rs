//! Pages of a document that were not read, as a person is told of them.

use crate::{
    documents::DocumentError,
    protocol::studio::{Phrase, Said},
};

/// Numbers of pages, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Unread {
    /// Pictures without text.
    pub(crate) pictures: Vec<u32>,
    /// With letters of which the document does not say which they are.
    pub(crate) letters: Vec<u32>,
    pub(crate) large: Large,
}

/// Pages that unpack to more than is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Large {
    pages: Vec<u32>,
    /// Of the largest of them.
    size: TooLarge,
}

/// Bytes that something unpacks to, and how many are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TooLarge {
    pub(crate) found: u64,
    pub(crate) limit: u64,
}

impl Unread {
    /// What a document was recognised by, with the pages that are missing from it.
    pub(crate) fn told_with(&self, reason: Said) -> Said {
        let told = [
            (Phrase::PicturesUnread, &self.pictures),
            (Phrase::LettersUnread, &self.letters),
        ];
        let told = told.into_iter().filter(|(_, pages)| !pages.is_empty());
        let reason = told.fold(reason, |reason, (phrase, pages)| {
            Said::new(phrase, [reason.to_string(), list(pages)])
        });
        match self.large.told() {
            Some(told) => Said::new(Phrase::FormatBy, [reason.to_string(), told]),
            None => reason,
        }
    }

    /// Why a document is refused of which no page is read.
    pub(crate) fn too_large(&self, name: &str) -> Option<DocumentError> {
        let pages = self.large.list()?;
        Some(self.large.size.refused(format!("{name}, {pages}")))
    }

    /// Why a document has no text at all.
    pub(crate) fn why_all(&self) -> Phrase {
        if self.letters.is_empty() {
            Phrase::PagesArePictures
        } else {
            Phrase::LettersUnknown
        }
    }
}

impl Large {
    pub(crate) fn add(&mut self, page: u32, size: TooLarge) {
        self.pages.push(page);
        if size.found > self.size.found {
            self.size = size;
        }
    }

    fn told(&self) -> Option<String> {
        let TooLarge { found, limit } = self.size;
        Some(Phrase::FileTooLarge.with([&self.list()?, &found, &limit]))
    }

    fn list(&self) -> Option<String> {
        (!self.pages.is_empty()).then(|| format!("p. {}", list(&self.pages)))
    }
}

impl TooLarge {
    pub(crate) fn refused(self, name: String) -> DocumentError {
        let Self { found, limit } = self;
        DocumentError::TooLarge { name, found, limit }
    }
}

/// `1,3-5`.
fn list(pages: &[u32]) -> String {
    let stretches = pages.chunk_by(|a, b| a.saturating_add(1) == *b);
    let stretches = stretches.filter_map(|pages| {
        let (first, last) = (pages.first()?, pages.last()?);
        Some(match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        })
    });
    stretches.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_were_not_read_are_told() {
        let unread = Unread {
            pictures: vec![2, 3, 4, 7],
            letters: vec![9],
            ..Unread::default()
        };
        let pdf = || Said::Text("PDF".into());
        assert_eq!(Unread::default().told_with(pdf()), pdf());
        let Said::Phrase(Phrase::LettersUnread, values) = unread.told_with(pdf()) else {
            panic!("{unread:?}");
        };
        assert_eq!(values[1], "9");
        let inner = Said::new(Phrase::PicturesUnread, ["PDF".into(), "2-4,7".into()]);
        assert_eq!(Said::read(&values[0]), inner);
    }

    #[test]
    fn pages_that_are_too_large_are_told() {
        let mut unread = Unread {
            pictures: vec![2],
            ..Unread::default()
        };
        assert!(unread.too_large("a.pdf").is_none());
        for (page, found) in [(3, 500), (4, 600), (6, 550)] {
            unread.large.add(page, TooLarge { found, limit: 400 });
        }
        let Said::Phrase(Phrase::FormatBy, values) = unread.told_with(Said::Text("PDF".into()))
        else {
            panic!("{unread:?}");
        };
        let said = |phrase, values: &[&str]| {
            Said::Phrase(phrase, values.iter().map(ToString::to_string).collect())
        };
        let pictures = said(Phrase::PicturesUnread, &["PDF", "2"]);
        let large = said(Phrase::FileTooLarge, &["p. 3-4,6", "600", "400"]);
        let values: Vec<Said> = values.iter().map(|value| Said::read(value)).collect();
        assert_eq!(values, [pictures, large]);
        let error = unread.too_large("a.pdf").unwrap().to_string();
        assert!(
            error.starts_with("`a.pdf, p. 3-4,6` would unpack to 600"),
            "{error}"
        );
    }
}
