//! DOCX: the parts of the archive that have text, and those that say how it is numbered (ECMA-376,
//! part 1, chapters 11 and 17).
//!
//! The main part, mostly `word/document.xml`, becomes the paper ([`super::docx_body`]), with the texts of
//! `footnotes.xml` and `endnotes.xml`, the lists of `numbering.xml` and `styles.xml`
//! ([`super::docx_lists`]) and the headings of the latter ([`super::docx_styles`]).

use quick_xml::{Reader, events::BytesStart, events::Event};

use super::{
    Block, Paper,
    docx_body::{Body, Notes},
    docx_lists::Lists,
    docx_parts::Parts,
    docx_styles::Styles,
};
use crate::{documents::DocumentError, protocol::studio::Phrase};

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Paper, DocumentError> {
    let mut parts = Parts::open(name, bytes)?;
    let main = parts.main()?;
    let Some(xml) = parts.unpacked(&main)? else {
        return Err(broken(name, format!("`{main}` is missing")));
    };
    let known = parts.relations(&main)?;
    let part = |kind: &str| {
        let usual = || format!("word/{kind}.xml");
        known.part(kind).map_or_else(usual, str::to_owned)
    };
    let (mut lists, mut styles) = (Lists::default(), Styles::default());
    parts.see(&part("numbering"), lists.numbering())?;
    let mut listed = lists.styles();
    parts.see(&part("styles"), |seen| {
        listed(seen);
        styles.see(seen);
    })?;
    drop(listed);
    let mut notes = Notes::default();
    for kind in ["footnotes", "endnotes"] {
        parts.see(&part(kind), texts_of(&mut notes))?;
    }
    let mut body = Body::new(lists, styles, notes);
    see(name, &xml, |seen| body.see(&seen))?;
    let has_pictures = body.has_pictures();
    let paper = body.finish();
    if has_pictures && paper.n_chars() == 0 {
        return Err(DocumentError::NoText {
            name: name.to_owned(),
            reason: Phrase::PagesArePictures.english().to_owned(),
        });
    }
    Ok(paper)
}

/// What stands in XML, as it comes by. Names are without their prefix.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    Open(&'a str, &'a BytesStart<'a>),
    Close(&'a str),
    Text(&'a str),
}

/// The value of an attribute, whatever its prefix.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag
        .attributes()
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(found.value.to_string())
}

pub(super) fn see(
    name: &str,
    xml: &[u8],
    mut tell: impl FnMut(Seen<'_>),
) -> Result<(), DocumentError> {
    let mut reader = Reader::from_reader(xml);
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer) {
            Err(error) => return Err(broken(name, error.to_string())),
            Ok(Event::Eof) => return Ok(()),
            Ok(Event::Start(tag)) => tell(Seen::Open(tag.local_name().as_ref(), &tag)),
            Ok(Event::Empty(tag)) => {
                tell(Seen::Open(tag.local_name().as_ref(), &tag));
                tell(Seen::Close(tag.local_name().as_ref()));
            }
            Ok(Event::End(tag)) => tell(Seen::Close(tag.local_name().as_ref())),
            Ok(Event::Text(text)) => tell(Seen::Text(&text)),
            Ok(Event::GeneralRef(entity)) => tell(Seen::Text(&resolved(&entity))),
            Ok(_) => {}
        }
        buffer.clear();
    }
}

/// `&amp;`, `&#26085;`.
fn resolved(entity: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(c)) = entity.resolve_char_ref() {
        return c.to_string();
    }
    match entity.as_ref() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
    .to_owned()
}

/// Each note is a small document of its own; those with a type are lines between text and notes.
fn texts_of(notes: &mut Notes) -> impl FnMut(Seen<'_>) {
    let mut open: Option<(String, Body)> = None;
    move |seen| match seen {
        Seen::Open("footnote" | "endnote", tag) => {
            let kind = attribute(tag, "type");
            let is_text = kind.is_none_or(|kind| kind == "normal");
            let id = attribute(tag, "id").filter(|_| is_text);
            open = id.map(|id| (id, Body::default()));
        }
        Seen::Close(kind @ ("footnote" | "endnote")) => {
            if let Some((id, body)) = open.take() {
                notes.add(kind, id, text(&body.finish()));
            }
        }
        seen => {
            if let Some((_, body)) = &mut open {
                body.see(&seen);
            }
        }
    }
}

fn text(paper: &Paper) -> String {
    let blocks = paper.pages.iter().flat_map(|page| &page.blocks);
    let texts: Vec<String> = blocks.map(Block::text).collect();
    texts.join("\n")
}

pub(super) fn broken(name: &str, detail: String) -> DocumentError {
    DocumentError::Broken {
        name: name.to_owned(),
        kind: "DOCX",
        detail,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::super::{Page, docx_parts::BODY};
    use super::*;

    fn docx(body: &str) -> Vec<u8> {
        docx_with(body, &[])
    }

    fn docx_with(body: &str, parts: &[(&str, &str)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (part, xml) in parts.iter().chain([&(BODY, body)]) {
            zip.start_file(*part, zip::write::SimpleFileOptions::default())
                .unwrap();
            let xml = format!(
                "<?xml version=\"1.0\"?><w:part xmlns:w=\"w\"><w:body>{xml}</w:body></w:part>"
            );
            zip.write_all(xml.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// The texts of all blocks.
    fn texts(file: &[u8]) -> Vec<String> {
        let paper = read("a.docx", file).unwrap();
        let blocks = paper.pages.iter().flat_map(|page| &page.blocks);
        blocks.map(Block::text).collect()
    }

    fn p(text: &str) -> String {
        format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
    }

    #[test]
    fn headings_tables_and_pages() {
        let cell = |text: &str| format!("<w:tc>{}</w:tc>", p(text));
        let body = format!(
            "<w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Título</w:t></w:r></w:p>{}\
             <w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>\
             <w:p><w:r><w:br w:type=\"page\"/><w:t>二ページ &amp; fin</w:t></w:r></w:p>",
            p("uno<w:tab/>"),
            cell("banco"),
            cell("ROE"),
            cell("Caixa"),
            cell("8,3"),
        );
        let paper = read("a.docx", &docx(&body)).unwrap();
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(
            paper.pages[0],
            Page {
                number: Some(1),
                blocks: vec![
                    Block::Heading("Título".into()),
                    Block::Paragraph("uno".into()),
                    Block::Table(vec![row("banco", "ROE"), row("Caixa", "8,3")]),
                ]
            }
        );
        assert_eq!(
            paper.pages[1],
            Page {
                number: Some(2),
                blocks: vec![Block::Paragraph("二ページ & fin".into())]
            }
        );
    }

    #[test]
    fn cells_over_columns_and_rows_stand_in_each() {
        let cell = |property: &str, text: &str| {
            format!("<w:tc><w:tcPr>{property}</w:tcPr>{}</w:tc>", p(text))
        };
        let body = format!(
            "<w:tbl><w:tr>{}{}{}</w:tr><w:tr>{}{}{}</w:tr><w:tr>{}{}{}</w:tr><w:tr>{}{}</w:tr>\
             <w:tr>{}</w:tr></w:tbl>",
            cell("", "Bank"),
            cell("", "2022"),
            cell("", "2023"),
            cell("<w:vMerge w:val=\"restart\"/>", "BBVA"),
            cell("", "1"),
            cell("", "2"),
            cell("<w:vMerge/>", ""),
            cell("", "3"),
            cell("", "4"),
            cell("", "Caixa"),
            cell("<w:gridSpan w:val=\"2\"/>", "both"),
            cell("<w:gridSpan w:val=\"3\"/>", "all"),
        );
        assert_eq!(
            texts(&docx(&body)),
            ["Bank | 2022 | 2023\nBBVA | 1 | 2\nBBVA | 3 | 4\nCaixa | both | both\nall |  | "]
        );
    }

    #[test]
    fn rows_marked_as_header_are_one() {
        let cell = |text: &str| format!("<w:tc>{}</w:tc>", p(text));
        let body = format!(
            "<w:tbl><w:tr><w:trPr><w:tblHeader/></w:trPr>{}<w:tc><w:tcPr><w:gridSpan w:val=\"2\"/>\
             </w:tcPr>{}</w:tc></w:tr><w:tr><w:trPr><w:tblHeader/></w:trPr>{}{}{}</w:tr>\
             <w:tr>{}{}{}</w:tr></w:tbl>",
            cell("Bank"),
            p("2020"),
            cell(""),
            cell("Assets"),
            cell("Profit"),
            cell("BBVA"),
            cell("1"),
            cell("2"),
        );
        assert_eq!(
            texts(&docx(&body)),
            ["Bank | 2020 Assets | 2020 Profit\nBBVA | 1 | 2"]
        );
    }

    #[test]
    fn notes_stand_behind_their_paragraph() {
        let note =
            |id: u8, text: &str| format!("<w:footnote w:id=\"{id}\">{}</w:footnote>", p(text));
        let separator = "<w:footnote w:type=\"separator\" w:id=\"0\"><w:p/></w:footnote>";
        let notes = separator.to_owned() + &note(2, "uno") + &note(3, "nadie");
        let refers = |kind: &str, id: u8| format!("<w:r><w:{kind}Reference w:id=\"{id}\"/></w:r>");
        let body = format!(
            "<w:p><w:r><w:t>a</w:t></w:r>{}<w:r><w:t>b</w:t></w:r>{}{}</w:p>{}",
            refers("footnote", 2),
            refers("endnote", 2),
            refers("footnote", 9),
            p("c"),
        );
        let ends = note(2, "fin").replace("footnote", "endnote");
        let file = docx_with(
            &body,
            &[("word/footnotes.xml", &notes), ("word/endnotes.xml", &ends)],
        );
        assert_eq!(texts(&file), ["a[1]b[2]", "[1] uno", "[2] fin", "c"]);
    }

    #[test]
    fn hidden_text_and_readings_are_left_out() {
        let run = |property: &str, text: &str| {
            format!("<w:r><w:rPr>{property}</w:rPr><w:t>{text}</w:t></w:r>")
        };
        let body = format!(
            "<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>{}{}{}</w:p>\
             <w:p><w:r><w:ruby><w:rt>{}</w:rt><w:rubyBase>{}</w:rubyBase></w:ruby></w:r>{}{}</w:p>",
            run("", "a"),
            run("<w:vanish/>", "hidden"),
            run("<w:vanish w:val=\"0\"/>", "b"),
            run("", "とうきょう"),
            run("", "東京"),
            run("", "10"),
            run("<w:vertAlign w:val=\"superscript\"/>", "6"),
        );
        assert_eq!(texts(&docx(&body)), ["ab", "東京10⁶"]);
    }

    #[test]
    fn a_heading_on_a_new_page_is_one() {
        let heading = "<w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr>";
        let body = format!(
            "{}<w:p>{heading}<w:r><w:lastRenderedPageBreak/><w:t>b</w:t></w:r></w:p>",
            p("a")
        );
        let paper = read("a.docx", &docx(&body)).unwrap();
        assert_eq!(paper.pages[1].blocks, [Block::Heading("b".into())]);
    }

    const NUMBERING: &str = "<w:abstractNum w:abstractNumId=\"7\"><w:lvl w:ilvl=\"0\">\
        <w:start w:val=\"2\"/><w:numFmt w:val=\"decimal\"/><w:lvlText w:val=\"%1.\"/></w:lvl>\
        <w:lvl w:ilvl=\"1\"><w:numFmt w:val=\"lowerLetter\"/><w:lvlText w:val=\"%1.%2)\"/></w:lvl>\
        </w:abstractNum><w:abstractNum w:abstractNumId=\"8\"><w:lvl w:ilvl=\"0\">\
        <w:numFmt w:val=\"bullet\"/><w:lvlText w:val=\"o\"/></w:lvl></w:abstractNum>\
        <w:num w:numId=\"1\"><w:abstractNumId w:val=\"7\"/></w:num>\
        <w:num w:numId=\"2\"><w:abstractNumId w:val=\"8\"/></w:num>\
        <w:num w:numId=\"3\"><w:abstractNumId w:val=\"7\"/><w:lvlOverride w:ilvl=\"0\">\
        <w:startOverride w:val=\"9\"/></w:lvlOverride></w:num>";

    const STYLES: &str = "<w:style w:type=\"paragraph\" w:styleId=\"ListBullet\"><w:pPr><w:numPr>\
        <w:numId w:val=\"2\"/></w:numPr></w:pPr></w:style>\
        <w:style w:type=\"paragraph\" w:styleId=\"Own\"><w:basedOn w:val=\"ListBullet\"/></w:style>";

    #[test]
    fn lists_have_their_numbers() {
        let item = |property: &str, text: &str| {
            format!("<w:p><w:pPr>{property}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
        };
        let list = |list: u8, level: u8| {
            format!("<w:numPr><w:ilvl w:val=\"{level}\"/><w:numId w:val=\"{list}\"/></w:numPr>")
        };
        let style = "<w:pStyle w:val=\"Own\"/>";
        let body = [
            item(&list(1, 0), "a"),
            item(&list(1, 1), "b"),
            item(&list(1, 1), "c"),
            item(&list(1, 0), "d"),
            item(&list(1, 1), "e"),
            item(&list(3, 0), "f"),
            item(style, "g"),
            item(&(style.to_owned() + &list(0, 0)), "h"),
            item(&list(9, 0), "i"),
            item(&list(1, 200), "j"),
        ];
        let file = docx_with(
            &body.concat(),
            &[
                ("word/numbering.xml", NUMBERING),
                ("word/styles.xml", STYLES),
            ],
        );
        assert_eq!(
            texts(&file),
            [
                "2. a", "2.a) b", "2.b) c", "3. d", "3.a) e", "9. f", "- g", "h", "i", "j"
            ]
        );
    }

    #[test]
    fn deleted_text_stays_deleted() {
        let body = "<w:p><w:del><w:r><w:t>gone</w:t></w:r></w:del><w:r><w:t>here</w:t></w:r></w:p>";
        let paper = read("a.docx", &docx(body)).unwrap();
        assert_eq!(paper.pages[0].blocks, [Block::Paragraph("here".into())]);
        assert_eq!(paper.pages[0].number, None);
    }

    #[test]
    fn a_break_and_its_mark_are_one_turn() {
        let run = |inside: &str| format!("<w:p><w:r>{inside}</w:r></w:p>");
        let (asked, mark) = ("<w:br w:type=\"page\"/>", "<w:lastRenderedPageBreak/>");
        let body = [
            p("a"),
            run(asked),
            run(&format!("{mark}<w:t>b</w:t>")),
            run(&format!("{mark}<w:t>c</w:t>")),
            run(asked),
            run(&format!("{mark}{asked}")),
            run(&format!("{mark}<w:t>e</w:t>")),
            run(asked) + &p("f") + &run(&format!("{mark}<w:t>g</w:t>")),
        ];
        let paper = read("a.docx", &docx(&body.concat())).unwrap();
        let numbers: Vec<_> = paper.pages.iter().flat_map(|page| page.number).collect();
        assert_eq!(numbers, [1, 2, 3, 5, 6, 7]);
    }

    #[test]
    fn signs_and_formulas_are_written_out() {
        let number = |n: u8| format!("<m:r><m:t>{n}</m:t></m:r>");
        let body = format!(
            "<w:p><w:r><w:t>a </w:t><w:sym w:font=\"Symbol\" w:char=\"F0B3\"/></w:r><m:oMath>\
             <m:f><m:num>{}</m:num><m:den>{}</m:den></m:f></m:oMath><w:r><w:t>, </w:t></w:r>\
             <m:oMath><m:sSup><m:e>{}</m:e><m:sup>{}</m:sup></m:sSup></m:oMath></w:p>\
             <w:p><m:oMathPara><m:oMath><m:nary><m:naryPr><m:chr m:val=\"∑\"/></m:naryPr>\
             <m:sub><m:r><m:t>i=1</m:t></m:r></m:sub><m:sup><m:r><m:t>n</m:t></m:r></m:sup>\
             <m:e><m:d><m:e><m:sSub><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sub><m:r><m:t>i</m:t></m:r>\
             </m:sub></m:sSub></m:e></m:d></m:e></m:nary></m:oMath></m:oMathPara></w:p>",
            number(80),
            number(100),
            number(10),
            number(6)
        );
        assert_eq!(texts(&docx(&body)), ["a ≥80/100, 10⁶", "∑ᵢ₌₁ⁿ (xᵢ)"]);
        let deep = "<m:oMath>".to_owned() + &"<m:e>".repeat(999) + &number(7);
        let deep = deep + &"</m:e>".repeat(999) + "</m:oMath>";
        assert_eq!(
            texts(&docx(&format!("<w:p>{deep}</w:p>{}", p("b")))),
            ["7", "b"]
        );
    }

    #[test]
    fn text_boxes_stand_behind_their_paragraph() {
        let boxed = format!("<w:txbxContent>{}{}</w:txbxContent>", p("in"), p("side"));
        let shape = format!(
            "<w:r><mc:AlternateContent><mc:Choice>{boxed}</mc:Choice><mc:Fallback>{boxed}\
             </mc:Fallback></mc:AlternateContent></w:r>"
        );
        let around =
            format!("<w:p><w:r><w:t>paid</w:t></w:r>{shape}<w:r><w:t> monthly</w:t></w:r></w:p>");
        let cells = format!("<w:tc>{around}</w:tc><w:tc>{}</w:tc>", p("b"));
        let body = format!("{around}<w:tbl><w:tr>{cells}</w:tr></w:tbl>");
        assert_eq!(
            texts(&docx(&body)),
            ["paid monthly", "in", "side", "paid monthly\nin\nside | b"]
        );
    }

    #[test]
    fn headings_are_known_by_the_names_of_their_styles() {
        let style = |id: &str, inner: &str| {
            format!("<w:style w:type=\"paragraph\" w:styleId=\"{id}\">{inner}</w:style>")
        };
        let styles = [
            style("1", "<w:name w:val=\"heading 1\"/>"),
            style("a", "<w:name w:val=\"第一\"/><w:basedOn w:val=\"1\"/>"),
            style(
                "b",
                "<w:basedOn w:val=\"1\"/><w:pPr><w:outlineLvl w:val=\"9\"/></w:pPr>",
            ),
            style("c", "<w:pPr><w:outlineLvl w:val=\"2\"/></w:pPr>"),
        ];
        let styled = |id: &str| {
            format!(
                "<w:p><w:pPr><w:pStyle w:val=\"{id}\"/></w:pPr><w:r><w:t>{id}</w:t></w:r></w:p>"
            )
        };
        let body = ["1", "a", "b", "c", "Heading2", "d"].map(styled).concat();
        let file = docx_with(&body, &[("word/styles.xml", &styles.concat())]);
        let paper = read("a.docx", &file).unwrap();
        let headings: Vec<String> = paper.pages[0]
            .blocks
            .iter()
            .filter(|block| matches!(block, Block::Heading(_)))
            .map(Block::text)
            .collect();
        assert_eq!(headings, ["1", "a", "c", "Heading2"]);
    }

    #[test]
    fn parts_may_have_other_names() {
        let related = |kind: &str, target: &str| {
            format!("<Relationship Type=\"http://x/{kind}\" Target=\"{target}\"/>")
        };
        let note = format!("<w:footnote w:id=\"2\">{}</w:footnote>", p("uno"));
        let body = "<w:p><w:r><w:t>other</w:t><w:footnoteReference w:id=\"2\"/></w:r></w:p>";
        let parts = [
            (
                "_rels/.rels",
                related("officeDocument", "/word/document2.xml"),
            ),
            ("word/document2.xml", body.to_owned()),
            (
                "word/_rels/document2.xml.rels",
                related("footnotes", "notes.xml"),
            ),
            ("word/notes.xml", note),
        ];
        let parts: Vec<(&str, &str)> = parts.iter().map(|(at, xml)| (*at, xml.as_str())).collect();
        assert_eq!(
            texts(&docx_with(&p("usual"), &parts)),
            ["other[1]", "[1] uno"]
        );
    }

    #[test]
    fn pictures_alone_are_no_text_and_soft_hyphens_none_either() {
        let picture = "<w:p><w:r><w:drawing><a:blip r:embed=\"rId1\"/></w:drawing></w:r></w:p>";
        let error = read("a.docx", &docx(picture)).unwrap_err().to_string();
        assert!(error.contains("OCR"), "{error}");
        assert_eq!(texts(&docx(&p("hyphen\u{ad}ated"))), ["hyphenated"]);
    }

    #[test]
    fn damaged_files_are_named() {
        for bytes in [&b"PK\x03\x04"[..], b"", b"no zip"] {
            let error = read("a.docx", bytes).unwrap_err().to_string();
            assert!(
                error.starts_with("`a.docx` is not a readable DOCX"),
                "{error}"
            );
        }
        let whole = docx(&p("texto"));
        for end in 0..whole.len() {
            // Whatever is cut off, the answer is an error or a document, never a panic.
            if let Ok(paper) = read("a.docx", &whole[..end]) {
                assert!(paper.pages.len() <= 1);
            }
        }
    }
}
