//! Pages of a document that were not read, as a person is told of them.

use crate::protocol::studio::{Phrase, Said};

/// Numbers of pages, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Unread {
    /// Pictures without text.
    pub(crate) pictures: Vec<u32>,
    /// With letters of which the document does not say which they are.
    pub(crate) letters: Vec<u32>,
}

impl Unread {
    /// What a document was recognised by, with the pages that are missing from it.
    pub(crate) fn told_with(&self, reason: Said) -> Said {
        let told = [
            (Phrase::PicturesUnread, &self.pictures),
            (Phrase::LettersUnread, &self.letters),
        ];
        let told = told.into_iter().filter(|(_, pages)| !pages.is_empty());
        told.fold(reason, |reason, (phrase, pages)| {
            Said::new(phrase, [reason.to_string(), list(pages)])
        })
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
}
