//! PDF: the text of each page with where it stands, from which [`super::pdf_layout`] makes lines,
//! paragraphs and tables.

use std::sync::Arc;

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, RenderContent, SoftMask, TransformExt as _,
    font::{Glyph, GlyphRun, StandardFont},
    hayro_cmap::{self, BfString},
    hayro_syntax::{self, DecryptionError, LoadPdfError, Pdf},
    interpret_page,
    kurbo::{Affine, BezPath, Point, Rect},
};

use unicode_normalization::UnicodeNormalization as _;

use super::{
    MAX_BYTES, Page, Paper, Unread,
    pdf_budget::{Budget, Excess},
    pdf_forms::undrawn_values,
    pdf_layout::{Placed, blocks},
    pdf_letters::Letter,
    pdf_pages::repeat_headers,
};
use crate::{documents::DocumentError, protocol::studio::Phrase};

/// Letters of one page beyond which it is not read on: a page of small print has some 10 000.
pub(super) const MAX_LETTERS: usize = 400_000;

/// So many letters that the file does not name are more than signs of a list.
const MIN_UNKNOWN: usize = 20;

/// So many shapes on a page without letters may be letters.
const MIN_OUTLINES: usize = 50;

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
    let (mut pages, unread) = read_pages(name, &pdf)?;
    repeat_headers(&mut pages);
    let pages = (1..).zip(pages).filter(|(_, blocks)| !blocks.is_empty());
    let pages: Vec<Page> = pages.map(|(number, blocks)| page(number, blocks)).collect();
    match unread.too_large(name) {
        Some(error) if pages.is_empty() => Err(error),
        _ => Ok(Paper { pages, unread }),
    }
}

fn read_pages(name: &str, pdf: &Pdf) -> Result<(Vec<Vec<Placed>>, Unread), DocumentError> {
    let cache = InterpreterCache::new();
    let settings = settings();
    let (mut pages, mut unread) = (Vec::new(), Unread::default());
    let mut budget = Budget::default();
    for (number, page) in (1..).zip(pdf.pages().iter()) {
        match budget.take(page) {
            Ok(()) => {}
            Err(Excess::OfPage(size)) => {
                unread.large.add(number, size);
                pages.push(Vec::new());
                continue;
            }
            Err(Excess::OfAll(size)) => {
                return Err(size.refused(format!("{name}, p. {number}")));
            }
        }
        let seen = seen(page, &cache, &settings);
        if seen.has_unknown_letters() {
            unread.letters.push(number);
        } else if seen.is_picture() {
            unread.pictures.push(number);
        }
        pages.push(blocks(seen.letters));
    }
    Ok((pages, unread))
}

fn page(number: u32, blocks: Vec<Placed>) -> Page {
    let blocks = blocks.into_iter().map(|placed| placed.block);
    Page {
        number: Some(number),
        blocks: blocks.collect(),
    }
}

fn seen<'a>(
    page: &'a hayro_syntax::page::Page<'a>,
    cache: &InterpreterCache<'a>,
    settings: &InterpreterSettings,
) -> Seen {
    let mut seen = Seen::default();
    let (width, height) = page.render_dimensions();
    let bounds = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let mut context = Context::new(
        page.initial_transform(true).to_kurbo(),
        bounds,
        cache,
        page.xref(),
        settings.clone(),
    );
    interpret_page(page, &mut context, &mut seen);
    seen.letters.extend(undrawn_values(page));
    seen
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

/// The letters of a page, and how much else there is.
#[derive(Default)]
struct Seen {
    letters: Vec<Letter>,
    /// Letters of which the file does not say which they are.
    n_unknown: usize,
    n_images: usize,
    n_paths: usize,
}

impl Seen {
    fn has_unknown_letters(&self) -> bool {
        let n_known = self.letters.len();
        let is_much = self.n_unknown >= MIN_UNKNOWN && self.n_unknown * 10 > n_known;
        is_much || (n_known == 0 && self.n_unknown > 0)
    }

    /// A picture of text, or text as outlines.
    fn is_picture(&self) -> bool {
        self.letters.is_empty() && (self.n_images > 0 || self.n_paths >= MIN_OUTLINES)
    }
}

impl<'a> Device<'a> for Seen {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        for glyph in run.glyphs() {
            if self.letters.len() >= MAX_LETTERS {
                return;
            }
            let place = props.transform * glyph.transform();
            match text(glyph) {
                Some(text) => self.letters.extend(letter(text, glyph, place)),
                None => self.n_unknown += 1,
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        self.n_paths += 1;
    }

    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {
        self.n_images += 1;
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_clip_rect(&mut self, _: &Rect) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
    fn draw_rect(&mut self, _: &Rect, _: DrawProps<'a>, _: &DrawMode) {}
}

/// What a letter says, where the file tells.
fn text(glyph: &Glyph<'_>) -> Option<String> {
    let text = match glyph.as_unicode()? {
        BfString::Char(c) => c.to_string(),
        BfString::String(text) => text,
    };
    (!text.contains('\u{fffd}')).then(|| as_written(&text))
}

fn letter(text: String, glyph: &Glyph<'_>, place: Affine) -> Option<Letter> {
    let width = match glyph {
        Glyph::Outline(glyph) => glyph.advance_width(),
        Glyph::Type3(_) => None,
    };
    let known = width.is_some();
    let width = f64::from(width.unwrap_or(1000.0));
    let start = place * Point::ZERO;
    let end = place * Point::new(width, 0.0);
    let along = place * Point::new(UNITS_PER_EM, 0.0) - start;
    let up = place * Point::new(0.0, UNITS_PER_EM);
    let size = (up - start).hypot();
    let is_real = [start.x, start.y, end.x, end.y, size]
        .iter()
        .all(|x| x.is_finite());
    (is_real && size > 0.0).then_some(Letter {
        text,
        x: start.x,
        y: start.y,
        width: (end - start).hypot(),
        width_is_known: known,
        size,
        angle: along.y.atan2(along.x).to_degrees(),
    })
}

/// Fonts name some ideographs by the radical that looks the same, and letters by their ligature or by
/// the form that they have in a word; people write neither.
fn as_written(text: &str) -> String {
    let is_form = |c: char| matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{fb00}'..='\u{fb06}' | '\u{fb1d}'..='\u{fdfb}');
    // A mark alone has a space to stand on.
    let is_arabic = |c: char| matches!(c, '\u{fe70}'..='\u{fefc}');
    if text.chars().any(is_arabic) {
        text.nfkc().filter(|c| *c != ' ').collect()
    } else if text.chars().any(is_form) {
        text.nfkc().collect()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::{
        documents::papers::{Block, PaperKind},
        protocol::studio::Said,
    };

    #[test]
    fn forms_of_letters_are_letters() {
        assert_eq!(as_written("\u{fb01}\u{2f00}"), "fi\u{4e00}");
        assert_eq!(as_written("\u{fefb}\u{fe70}"), "\u{644}\u{627}\u{64b}");
        assert_eq!(as_written("a \u{c1}"), "a \u{c1}");
    }

    /// A PDF of these pages, with a font `F` and one of which no letter is known, `U`.
    fn pdf(pages: &[&str], annotation: &str) -> Vec<u8> {
        let kids: Vec<String> = (0..pages.len())
            .map(|at| format!("{} 0 R", 5 + 2 * at))
            .collect();
        let mut objects = vec![
            "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
            format!(
                "<</Type/Pages/Count {}/MediaBox[0 0 600 800]/Resources<</Font<</F 3 0 R/U 4 0 R>>>>\
                 /Kids[{}]>>",
                pages.len(),
                kids.join(" ")
            ),
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
            "<</Type/Font/Subtype/Type1/BaseFont/ABCDEF+Foo/FirstChar 1/LastChar 2/Widths[500 500]\
             /Encoding<</Type/Encoding/Differences[1/g1/g2]>>>>"
                .to_owned(),
        ];
        for (at, content) in pages.iter().enumerate() {
            let contents = 6 + 2 * at;
            objects.push(format!(
                "<</Type/Page/Parent 2 0 R/Contents {contents} 0 R/Annots[{annotation}]>>"
            ));
            let n = content.len();
            objects.push(format!("<</Length {n}>>stream\n{content}\nendstream"));
        }
        file(objects.into_iter().map(String::into_bytes).collect())
    }

    /// A PDF of these objects, the first its catalogue.
    fn file(objects: Vec<Vec<u8>>) -> Vec<u8> {
        let (mut pdf, mut table) = (b"%PDF-1.4\n".to_vec(), String::new());
        let n = objects.len() + 1;
        for (i, object) in objects.into_iter().enumerate() {
            table += &format!("{:010} 00000 n \n", pdf.len());
            pdf.extend(format!("{} 0 obj\n", i + 1).into_bytes());
            pdf.extend(object);
            pdf.extend(b"\nendobj\n");
        }
        let start = pdf.len();
        let end = format!(
            "xref\n0 {n}\n0000000000 65535 f \n{table}trailer<</Size {n}/Root 1 0 R>>\n\
             startxref\n{start}\n%%EOF\n"
        );
        pdf.extend(end.into_bytes());
        pdf
    }

    /// A page of these contents and resources, and what both name, from object 4.
    fn page_of(page: &str, objects: Vec<Vec<u8>>) -> Vec<u8> {
        let page = format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]{page}>>");
        let first = [
            "<</Type/Catalog/Pages 2 0 R>>",
            "<</Type/Pages/Count 1/Kids[3 0 R]>>",
            page.as_str(),
        ];
        let first = first.map(|object| object.as_bytes().to_vec());
        file(first.into_iter().chain(objects).collect())
    }

    fn stream(dict: &str, data: &[u8]) -> Vec<u8> {
        let start = format!("<<{dict}/Length {}>>stream\n", data.len());
        [start.as_bytes(), data, b"\nendstream"].concat()
    }

    /// A stream of few bytes that unpacks to spaces.
    fn swelling(n_mib: usize) -> Vec<u8> {
        let packer = flate2::Compression::best();
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), packer);
        for _ in 0..n_mib {
            packed.write_all(&[b' '; 1 << 20]).unwrap();
        }
        stream("/Filter/FlateDecode", &packed.finish().unwrap())
    }

    #[track_caller]
    fn check_refused(pdf: Vec<u8>) {
        let error = read("a.pdf", pdf).unwrap_err().to_string();
        assert!(error.contains("`a.pdf, p. 1` would unpack to"), "{error}");
    }

    #[test]
    fn instructions_that_swell_are_refused() {
        let contents = |n| format!("/Contents[{}]", "4 0 R ".repeat(n));
        check_refused(page_of(&contents(33), vec![swelling(8)]));
        assert!(read("a.pdf", page_of(&contents(1), vec![swelling(8)])).is_ok());
    }

    #[test]
    fn a_page_that_swells_is_left_out_and_told() {
        let page = |contents| format!("<</Type/Page/Parent 2 0 R/Contents {contents}>>");
        let text = "BT /F 12 Tf 72 700 Td (A page that is read.) Tj ET";
        let first = [
            "<</Type/Catalog/Pages 2 0 R>>",
            "<</Type/Pages/Count 3/Kids[3 0 R 4 0 R 5 0 R]>>",
        ];
        let swollen = format!("[{}]", "7 0 R ".repeat(33));
        let first = first.map(String::from);
        let pages = [page("6 0 R"), page(&swollen), page(&swollen)];
        let objects = first.into_iter().chain(pages).map(String::into_bytes);
        let objects = objects.chain([stream("", text.as_bytes()), swelling(8)]);
        let paper = read("a.pdf", file(objects.collect())).unwrap();
        let numbers: Vec<_> = paper.pages.iter().map(|page| page.number).collect();
        assert_eq!(numbers, [Some(1)]);
        let told = paper.unread.told_with(Said::Text("PDF".into())).to_string();
        assert!(told.starts_with("PDF: `p. 2-3` would unpack to"), "{told}");
    }

    #[test]
    fn forms_that_draw_forms_without_end_are_refused() {
        let form = |next: usize, n| {
            let names = format!("<</XObject<</X {next} 0 R>>>>");
            let dict = format!("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources{names}");
            stream(&dict, "/X Do ".repeat(n).as_bytes())
        };
        let page = "/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>";
        let forms = |n| {
            let contents = std::iter::once(stream("", b"/X Do"));
            contents.chain((6..14).map(|next| form(next, n))).collect()
        };
        check_refused(page_of(page, forms(10)));
        assert!(read("a.pdf", page_of(page, forms(1))).is_ok());
        // What draws itself, or each other, is not found by its name inside of itself.
        let contents = || stream("", b"/X Do");
        for forms in [vec![form(5, 2)], vec![form(6, 2), form(5, 2)]] {
            let objects = std::iter::once(contents()).chain(forms).collect();
            assert!(read("a.pdf", page_of(page, objects)).is_ok());
        }
        let drawn = "/Annots[<</Type/Annot/Rect[0 0 9 9]/AP<</N 4 0 R>>>>]";
        check_refused(page_of(drawn, (5..13).map(|next| form(next, 10)).collect()));
    }

    /// A page of these contents and resources, of which object 5 is a stream that swells, once or
    /// so often that it is too much.
    fn swelling_page(contents: &str, resources: &str, n: usize) -> Vec<u8> {
        let page = format!("/Contents 4 0 R/Resources<<{resources}>>");
        let contents = contents.repeat(n);
        page_of(&page, vec![stream("", contents.as_bytes()), swelling(8)])
    }

    #[test]
    fn what_is_unpacked_each_time_that_it_is_named_counts_as_often() {
        let space = "[/Separation/a/DeviceRGB 5 0 R]";
        let image = format!("<</Subtype/Image/ColorSpace{space}/Width 1/Height 1/Length 0>>");
        let shading = format!("<</ShadingType 2/ColorSpace{space}/Coords[0 0 1 1]>>");
        for (contents, resources) in [
            (
                "/X gs ",
                "/ExtGState<</X<</SMask<</S/Alpha/G 5 0 R>>>>>>".into(),
            ),
            ("/X gs ", "/ExtGState<</X<</TR 5 0 R>>>>".into()),
            ("/X sh ", format!("/Shading<</X{shading}>>")),
            (
                "/Pattern cs /X scn ",
                format!("/Pattern<</X<</PatternType 2/Shading{shading}>>>>"),
            ),
        ] {
            check_refused(swelling_page(contents, &resources, 9));
            assert!(read("a.pdf", swelling_page(contents, &resources, 1)).is_ok());
        }
        let page = |n| {
            let contents = stream("", "/X Do ".repeat(n).as_bytes());
            let image = format!("{image}stream\n\nendstream").into_bytes();
            let page = "/Contents 4 0 R/Resources<</XObject<</X 6 0 R>>>>";
            page_of(page, vec![contents, swelling(8), image])
        };
        check_refused(page(9));
        assert!(read("a.pdf", page(1)).is_ok());
        // A colour profile is read once.
        let profile = "/ColorSpace<</X[/ICCBased 5 0 R]>>";
        assert!(read("a.pdf", swelling_page("/X cs ", profile, 9)).is_ok());
    }

    #[test]
    fn text_counts_more_than_its_bytes() {
        let text = format!("BT /F 1 Tf ({}) Tj ET", "a".repeat(3 << 20));
        check_refused(pdf(&[&text], ""));
        let texts = format!("BT /F 1 Tf [({}) 9 <61>] TJ ET", "a".repeat(3 << 20));
        check_refused(pdf(&[&texts], ""));
        let field = |n| {
            let value = "a".repeat(n);
            format!("<</Subtype/Widget/FT/Tx/V({value})/Rect[110 750 300 770]>>")
        };
        check_refused(pdf(&[""], &field(3 << 20)));
        let fields = format!("/Annots[{}]", "4 0 R ".repeat(3000));
        check_refused(page_of(&fields, vec![field(1 << 10).into_bytes()]));
    }

    /// A page of text in the first of `n` fonts, each with the map of letters that is object 5.
    fn page_with_fonts(contents: &str, n: usize, map: Vec<u8>) -> Vec<u8> {
        let font = |at| format!("/F{at}<</Type/Font/Subtype/Type1/A {at}/ToUnicode 5 0 R>>");
        let fonts: String = (0..n).map(font).collect();
        let page = format!("/Contents 4 0 R/Resources<</Font<<{fonts}>>>>");
        page_of(&page, vec![stream("", contents.as_bytes()), map])
    }

    #[test]
    fn fonts_that_swell_are_refused() {
        let page = |contents, map| page_with_fonts(contents, 1, map);
        check_refused(page("/F0 1 Tf", swelling(65)));
        assert!(read("a.pdf", page("/F1 1 Tf", swelling(65))).is_ok());
        assert!(read("a.pdf", page("/F0 1 Tf", swelling(1))).is_ok());
        // Those of all pages stay in memory.
        let all: String = (0..18).map(|at| format!("/F{at} 1 Tf ")).collect();
        check_refused(page_with_fonts(&all, 18, swelling(60)));
    }

    #[test]
    fn all_pages_together_have_a_limit() {
        let page = "<</Type/Page/Parent 2 0 R/Contents 3 0 R>>";
        let kids: Vec<String> = (5..45).map(|at| format!("{at} 0 R")).collect();
        let pages = format!(
            "<</Type/Pages/Count 40/Resources<</XObject<</X 4 0 R>>>>/Kids[{}]>>",
            kids.join(" ")
        );
        let first = ["<</Type/Catalog/Pages 2 0 R>>".to_owned(), pages];
        let first = first.map(String::into_bytes).into_iter();
        let form = stream("/Subtype/Form/BBox[0 0 9 9]", &[b' '; 1 << 10]);
        let drawn = [stream("", "/X Do ".repeat(40_000).as_bytes()), form];
        let pages = std::iter::repeat_n(page.as_bytes().to_vec(), 40);
        let objects = first.chain(drawn).chain(pages).collect();
        let error = read("a.pdf", file(objects)).unwrap_err().to_string();
        assert!(error.contains("`a.pdf, p. 17` would unpack to"), "{error}");
    }

    const UNKNOWN: &str = "BT /U 12 Tf 72 700 Td <0102010201> Tj ET";

    #[test]
    fn pages_of_letters_without_a_meaning_are_told() {
        let read_page = "BT /F 12 Tf 72 700 Td (A page that is read.) Tj ET";
        let paper = read("a.pdf", pdf(&[read_page, UNKNOWN, "", UNKNOWN], "")).unwrap();
        assert_eq!((paper.pages.len(), paper.unread.letters), (1, vec![2, 4]));
        let error = Paper::read(PaperKind::Pdf, "a.pdf", pdf(&[UNKNOWN], ""), None).unwrap_err();
        assert!(error.to_string().contains("which letters"), "{error}");
    }

    #[test]
    fn turned_and_doubled_letters_are_read() {
        let turned = "BT /F 10 Tf 0 1 -1 0 100 100 Tm (Santander) Tj ET \
                      BT /F 10 Tf 0 1 -1 0 130 100 Tm (Sabadell) Tj ET";
        let twice = "BT /F 10 Tf 72 700 Td (2,007) Tj 0.2 0 Td (2,007) Tj ET";
        let paper = read("a.pdf", pdf(&[turned, twice], "")).unwrap();
        let texts: Vec<String> = paper
            .pages
            .iter()
            .flat_map(|page| &page.blocks)
            .map(Block::text)
            .collect();
        assert_eq!(texts, ["Santander", "Sabadell", "2,007"]);
    }

    #[test]
    fn values_of_a_form_are_read_where_nothing_draws_them() {
        let label = "BT /F 11 Tf 72 755 Td (Name:) Tj ET";
        let field = "<</Type/Annot/Subtype/Widget/FT/Tx/T(n)/V(Jos\\351)/Rect[110 750 300 770]>>";
        let paper = read("a.pdf", pdf(&[label], field)).unwrap();
        assert_eq!(
            paper.pages[0].blocks,
            [Block::Paragraph("Name: José".into())]
        );
    }

    #[test]
    fn pages_say_what_they_lack() {
        let seen = |n_unknown, n_images, n_paths| Seen {
            n_unknown,
            n_images,
            n_paths,
            ..Seen::default()
        };
        assert!(seen(6, 0, 0).has_unknown_letters() && !seen(6, 0, 0).is_picture());
        assert!(seen(0, 1, 0).is_picture() && seen(0, 0, 500).is_picture());
        // An empty page lacks nothing.
        assert!(!seen(0, 0, 2).is_picture() && !seen(0, 0, 2).has_unknown_letters());
    }
}
