//! PDF: the text of each page with where it stands, from which [`super::pdf_layout`] makes lines,
//! paragraphs and tables.

use std::sync::Arc;

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, RenderContent, SoftMask, TransformExt as _,
    font::{Glyph, GlyphRun, StandardFont},
    hayro_cmap::{self, BfString},
    hayro_syntax::{DecryptionError, LoadPdfError, Pdf},
    interpret_page,
    kurbo::{Affine, BezPath, Point, Rect},
};

use unicode_normalization::UnicodeNormalization as _;

use super::{
    MAX_BYTES, Page, Paper,
    pdf_layout::{Letter, blocks},
};
use crate::{documents::DocumentError, protocol::studio::Phrase};

/// Letters of one page beyond which it is not read on: a page of small print has some 10 000.
const MAX_LETTERS: usize = 400_000;

/// Widths are in thousandths of the font's size.
const UNITS_PER_EM: f64 = 1000.0;

pub(super) fn read(name: &str, bytes: Vec<u8>) -> Result<Paper, DocumentError> {
    let n_bytes = bytes.len() as u64;
    if n_bytes > MAX_BYTES {
        return Err(DocumentError::TooLarge {
            name: name.to_owned(),
            found: n_bytes,
            limit: MAX_BYTES,
        });
    }
    let pdf = Pdf::new(Arc::new(bytes)).map_err(|error| refused(name, error))?;
    let cache = InterpreterCache::new();
    let settings = settings();
    let mut paper = Paper::default();
    for (at, page) in pdf.pages().iter().enumerate() {
        let mut letters = Letters::default();
        let (width, height) = page.render_dimensions();
        let bounds = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let mut context = Context::new(
            page.initial_transform(true).to_kurbo(),
            bounds,
            &cache,
            page.xref(),
            settings.clone(),
        );
        interpret_page(page, &mut context, &mut letters);
        let blocks = blocks(letters.0);
        if !blocks.is_empty() {
            paper.pages.push(Page {
                number: Some(at as u32 + 1),
                blocks,
            });
        }
    }
    Ok(paper)
}

/// Nobody draws the letters, and the widths of the standard fonts are known without them: one font
/// stands for all that a file does not bring.
fn settings() -> InterpreterSettings {
    InterpreterSettings {
        font_resolver: Arc::new(|_| Some(StandardFont::Helvetica.get_font_data())),
        cmap_resolver: Arc::new(hayro_cmap::load_embedded),
        warning_sink: Arc::new(|_| {}),
        render_content: RenderContent::all(),
    }
}

fn refused(name: &str, error: LoadPdfError) -> DocumentError {
    let name = name.to_owned();
    match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
            DocumentError::Unsupported {
                name,
                reason: Phrase::PdfLocked.english().to_owned(),
            }
        }
        LoadPdfError::Decryption(_) => DocumentError::Unsupported {
            name,
            reason: Phrase::PdfEncrypted.english().to_owned(),
        },
        LoadPdfError::Invalid => DocumentError::Broken {
            name,
            kind: "PDF",
            detail: Phrase::PdfWithoutContents.english().to_owned(),
        },
    }
}

/// Takes the letters of a page and nothing else.
#[derive(Default)]
struct Letters(Vec<Letter>);

impl<'a> Device<'a> for Letters {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        for glyph in run.glyphs() {
            if self.0.len() >= MAX_LETTERS {
                return;
            }
            let place = props.transform * glyph.transform();
            if let Some(letter) = letter(glyph, place) {
                self.0.push(letter);
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_clip_rect(&mut self, _: &Rect) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
    fn draw_rect(&mut self, _: &Rect, _: DrawProps<'a>, _: &DrawMode) {}
}

fn letter(glyph: &Glyph<'_>, place: Affine) -> Option<Letter> {
    let text = match glyph.as_unicode()? {
        BfString::Char(c) => c.to_string(),
        BfString::String(text) => text,
    };
    let text = as_written(&text);
    let width = match glyph {
        Glyph::Outline(glyph) => glyph.advance_width(),
        Glyph::Type3(_) => None,
    };
    let known = width.is_some();
    let width = f64::from(width.unwrap_or(1000.0));
    let start = place * Point::ZERO;
    let end = place * Point::new(width, 0.0);
    let up = place * Point::new(0.0, UNITS_PER_EM);
    let size = (up - start).hypot();
    let is_real = [start.x, start.y, end.x, size]
        .iter()
        .all(|x| x.is_finite());
    (is_real && size > 0.0).then_some(Letter {
        text,
        x: start.x,
        y: start.y,
        width: (end.x - start.x).abs(),
        width_is_known: known,
        size,
    })
}

/// Fonts name some ideographs by the radical that looks the same, and letters by their ligature;
/// people write neither.
fn as_written(text: &str) -> String {
    let is_form = |c: char| matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{fb00}'..='\u{fb06}');
    if text.chars().any(is_form) {
        text.nfkc().collect()
    } else {
        text.to_owned()
    }
}
