//! HTML: what a reader sees, without scripts, styles and navigation; tables stay tables.

use scraper::{ElementRef, Html, node::Node};

use super::{
    Block, Page, Paper, collapsed, html_math, html_tables,
    html_tags::most_attributes,
    numerals::Numerals,
    paper_encoding::decoded_html,
    scripts::{lowered, raised},
};
use crate::{data::Encoding, documents::DocumentError};

/// Elements whose text is not part of what is read. `rt` is how the ideographs beside it are said,
/// which would stand in the midst of the sentence; an `annotation` is a formula over again.
const SKIPPED: [&str; 16] = [
    "script",
    "style",
    "noscript",
    "template",
    "head",
    "nav",
    "svg",
    "iframe",
    "object",
    "select",
    "button",
    "rt",
    "rp",
    "rtc",
    "annotation",
    "annotation-xml",
];

/// Elements that begin and end a paragraph.
const BLOCKS: [&str; 26] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hr",
    "html",
    "li",
    "main",
    "ol",
    "p",
    "section",
    "summary",
    "ul",
    "caption",
];

/// Stands for `<br>` while white space is collapsed; from the private use area, so no text has it.
const BREAK: char = '\u{e000}';

/// Elements inside each other beyond which their text is not read.
const MAX_DEPTH: usize = 400;

/// Open elements beyond which a page is not parsed, because the parser looks through all of them at
/// every tag.
const MAX_OPEN: usize = 3000;

/// Attributes of a tag beyond which a page is not parsed, because the parser compares each with all
/// before it.
const MAX_ATTRIBUTES: usize = 1000;

/// # Errors
/// If its elements are nested, or have attributes, as no page's do: reading them would take time
/// without end.
pub(super) fn read(
    name: &str,
    bytes: &[u8],
    encoding: Option<Encoding>,
) -> Result<Paper, DocumentError> {
    let text = decoded_html(bytes, encoding);
    let broken = |detail| DocumentError::Broken {
        name: name.to_owned(),
        kind: "HTML",
        detail,
    };
    let depth = depth(&text);
    if depth > MAX_OPEN {
        return Err(broken(format!(
            "{depth} elements stand inside each other, expected at most {MAX_OPEN}"
        )));
    }
    let n_attributes = most_attributes(&text);
    if n_attributes > MAX_ATTRIBUTES {
        return Err(broken(format!(
            "an element has {n_attributes} attributes, expected at most {MAX_ATTRIBUTES}"
        )));
    }
    let document = Html::parse_document(&text);
    let mut reader = Reader::default();
    reader.element(document.root_element(), 0);
    reader.end_paragraph();
    Ok(Paper {
        pages: vec![Page {
            number: None,
            blocks: reader.blocks,
        }],
        ..Paper::default()
    })
}

/// How many elements are open at most, by counting tags. Those that need no end tag do not count.
fn depth(text: &str) -> usize {
    const WITHOUT_END: [&str; 24] = [
        "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "option",
        "br", "hr", "img", "meta", "link", "input", "col", "area", "base", "wbr", "source", "rt",
    ];
    let (mut open, mut deepest) = (0_usize, 0);
    for (at, _) in text.match_indices('<') {
        let rest = &text[at + 1..];
        let is_end = rest.starts_with('/');
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        let name = rest[..end.unwrap_or(rest.len())].to_ascii_lowercase();
        if name.is_empty() || WITHOUT_END.contains(&name.as_str()) {
            continue;
        }
        open = if is_end {
            open.saturating_sub(1)
        } else {
            open + 1
        };
        deepest = deepest.max(open);
    }
    deepest
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    text: String,
    /// Lists inside each other; `None` for those without numbers.
    lists: Vec<Option<Count>>,
    /// The number of the item whose text begins next.
    mark: Option<String>,
}

/// How the items of a list are counted.
#[derive(Debug, Clone, Copy)]
struct Count {
    next: i64,
    step: i64,
    numerals: Numerals,
}

impl Reader {
    fn element(&mut self, element: ElementRef<'_>, depth: usize) {
        let name = element.value().name();
        if depth > MAX_DEPTH || SKIPPED.contains(&name) || is_hidden(&element) {
            return;
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading(element, depth),
            "pre" => self.code(element, depth),
            "table" if html_tables::is_data(element) => {
                self.end_paragraph();
                self.blocks.extend(html_tables::blocks(element, depth));
            }
            "br" => self.text.push(BREAK),
            "sup" => {
                let text = raised(&self.text, &text_of(element, depth));
                self.text.push_str(&text);
            }
            "sub" => self.text.push_str(&lowered(&text_of(element, depth))),
            _ if html_math::is_formula(name) => {
                self.text.push_str(&html_math::text(element, depth));
            }
            "ol" | "ul" | "menu" => {
                self.lists.push(count(element));
                self.block(element, depth);
                self.lists.pop();
            }
            "li" => {
                self.end_paragraph();
                self.mark = self.number(element);
                self.block(element, depth);
                self.mark = None;
            }
            _ if BLOCKS.contains(&name) => self.block(element, depth),
            _ => self.children(element, depth),
        }
    }

    fn block(&mut self, element: ElementRef<'_>, depth: usize) {
        self.end_paragraph();
        self.children(element, depth);
        self.end_paragraph();
    }

    fn children(&mut self, element: ElementRef<'_>, depth: usize) {
        for child in element.children() {
            match child.value() {
                Node::Text(text) => self.text.push_str(text),
                _ => {
                    if let Some(child) = ElementRef::wrap(child) {
                        self.element(child, depth + 1);
                    }
                }
            }
        }
    }

    fn heading(&mut self, element: ElementRef<'_>, depth: usize) {
        self.end_paragraph();
        let text = text_of(element, depth);
        if !text.is_empty() {
            let mark = self.mark.take().unwrap_or_default();
            self.blocks.push(Block::Heading(mark + &text));
        }
    }

    fn code(&mut self, element: ElementRef<'_>, depth: usize) {
        self.end_paragraph();
        let mut code = String::new();
        push_code(element, depth, &mut code);
        if !code.trim().is_empty() {
            self.blocks
                .push(Block::Code(code.trim_matches('\n').to_owned()));
        }
    }

    /// `3. `, where the list at hand has numbers.
    fn number(&mut self, item: ElementRef<'_>) -> Option<String> {
        let count = self.lists.last_mut()?.as_mut()?;
        count.next = integer(item, "value").unwrap_or(count.next);
        let number = count.numerals.write(count.next);
        count.next = count.next.saturating_add(count.step);
        Some(number + ". ")
    }

    fn whole(mut self) -> String {
        self.end_paragraph();
        let texts: Vec<String> = self.blocks.iter().map(Block::text).collect();
        texts.join(" ")
    }

    /// Line breaks of the source are spaces; those of `<br>` stay.
    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        let lines: Vec<String> = text.split(BREAK).map(collapsed).collect();
        let mut text = lines.join("\n").trim().to_owned();
        // Where a word may be cut, and what formulas leave unsaid.
        text.retain(|c| !matches!(c, '\u{ad}' | '\u{2061}'..='\u{2064}'));
        if !text.is_empty() {
            let mark = self.mark.take().unwrap_or_default();
            self.blocks.push(Block::Paragraph(mark + &text));
        }
    }
}

/// `None` for lists without numbers.
fn count(list: ElementRef<'_>) -> Option<Count> {
    if list.value().name() != "ol" || has_style(&list, "list-style", "none") {
        return None;
    }
    let is_reversed = list.value().attr("reversed").is_some();
    let items = || {
        let items = list.child_elements();
        items.filter(|item| item.value().name() == "li").count()
    };
    let first = integer(list, "start").unwrap_or_else(|| match is_reversed {
        true => items() as i64,
        false => 1,
    });
    Some(Count {
        next: first,
        step: if is_reversed { -1 } else { 1 },
        numerals: match list.value().attr("type") {
            Some("a") => Numerals::LowerLetter,
            Some("A") => Numerals::UpperLetter,
            Some("i") => Numerals::LowerRoman,
            Some("I") => Numerals::UpperRoman,
            _ => Numerals::Decimal,
        },
    })
}

fn integer(element: ElementRef<'_>, name: &str) -> Option<i64> {
    element.value().attr(name)?.trim().parse().ok()
}

/// Text as it stands, with a line for each element that begins one.
fn push_code(element: ElementRef<'_>, depth: usize, code: &mut String) {
    for child in element.children() {
        if let Node::Text(text) = child.value() {
            code.push_str(text);
        }
        let Some(child) = ElementRef::wrap(child) else {
            continue;
        };
        let name = child.value().name();
        if depth >= MAX_DEPTH || SKIPPED.contains(&name) || is_hidden(&child) {
            continue;
        }
        let is_block = BLOCKS.contains(&name);
        let ends_line = |code: &str| code.is_empty() || code.ends_with('\n');
        if name == "br" || (is_block && !ends_line(code)) {
            code.push('\n');
        }
        match name {
            "sup" => {
                let text = raised(code, &text_of(child, depth));
                code.push_str(&text);
            }
            "sub" => code.push_str(&lowered(&text_of(child, depth))),
            _ => push_code(child, depth + 1, code),
        }
        if is_block && !ends_line(code) {
            code.push('\n');
        }
    }
}

pub(super) fn is_hidden(element: &ElementRef<'_>) -> bool {
    let value = element.value();
    value.attr("hidden").is_some()
        || value.attr("aria-hidden") == Some("true")
        || has_style(element, "display", "none")
}

/// Whether the element's own `style` says so.
fn has_style(element: &ElementRef<'_>, property: &str, expected: &str) -> bool {
    let style = element.value().attr("style").unwrap_or_default();
    style.split(';').any(|declaration| {
        let Some((name, value)) = declaration.split_once(':') else {
            return false;
        };
        let value = value.split('!').next().unwrap_or_default().trim();
        name.trim().eq_ignore_ascii_case(property) && value.eq_ignore_ascii_case(expected)
    })
}

/// What an element holds.
pub(super) fn text_of(element: ElementRef<'_>, depth: usize) -> String {
    let mut reader = Reader::default();
    reader.children(element, depth);
    reader.whole()
}

/// What an element holds, as the element itself has it read.
pub(super) fn text_with(element: ElementRef<'_>, depth: usize) -> String {
    let mut reader = Reader::default();
    reader.element(element, depth);
    reader.whole()
}

#[cfg(test)]
mod tests {
    use super::super::Names;
    use super::*;

    fn blocks(text: &str) -> Vec<Block> {
        let mut paper = read("a.html", text.as_bytes(), None).unwrap();
        paper.pages.remove(0).blocks
    }

    #[test]
    fn what_a_reader_sees_is_kept() {
        let text = "<html><head><title>t</title><style>p{}</style></head><body>\
            <nav>menu</nav><h1>Informe <b>anual</b></h1><p>uno\n  dos<script>alert(1)</script></p>\
            <div>tres<br>y<p>cuatro</p></div><pre>a\n  b</pre>\
            <table><tr><th>banco</th><th>ROE</th></tr><tr><td>Caixa</td><td>8,3&nbsp;%</td></tr></table>\
            </body></html>";
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(
            blocks(text),
            [
                Block::Heading("Informe anual".into()),
                Block::Paragraph("uno dos".into()),
                Block::Paragraph("tres\ny".into()),
                Block::Paragraph("cuatro".into()),
                Block::Code("a\n  b".into()),
                Block::NamedTable(
                    Names::Columns,
                    vec![row("banco", "ROE"), row("Caixa", "8,3 %")]
                ),
            ]
        );
    }

    #[test]
    fn tables_for_layout_are_text() {
        let text = "<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>";
        assert!(matches!(&blocks(text)[..], [Block::Table(rows)] if rows.len() == 1));
        assert_eq!(
            blocks("<table><tr><td>only</td></tr></table>"),
            [Block::Paragraph("only".into())]
        );
    }

    fn texts(text: &str) -> Vec<String> {
        blocks(text).iter().map(Block::text).collect()
    }

    #[test]
    fn cells_over_rows_and_columns_stand_in_each() {
        let text = "<table><caption>Profit</caption>\
            <tr><th rowspan=2>Bank<th colspan=2>2020<tr><th>Assets<th>Profit\
            <tbody><tr><td rowspan=99999999>BBVA<td>1<td>2<tr><td>3<td>4\
            <tbody><tr><td>Caixa<td rowspan=0>5<td>6</table>";
        assert_eq!(
            texts(text),
            [
                "Profit",
                "Bank | 2020 Assets | 2020 Profit\nBBVA | 1 | 2\nBBVA | 3 | 4\nCaixa | 5 | 6"
            ]
        );
        let grouped = "<table><tr><th>a<th>b<tr><th colspan=2>G<tr><td>1<td>2</table>";
        assert_eq!(texts(grouped), ["a | b\nG | \n1 | 2"]);
    }

    #[test]
    fn tables_say_what_names_them() {
        let names = |text: &str| match &blocks(text)[..] {
            [Block::NamedTable(names, _)] => Some(*names),
            _ => None,
        };
        let said = "<table><tr><td><th>2022<th>2023<tr><td>A<td>1<td>2</table>";
        assert_eq!(names(said), Some(Names::Columns));
        let said = "<table><tr><th>a<td>x<tr><th>b<td>y</table>";
        assert_eq!(names(said), Some(Names::Rows));
        assert_eq!(names("<table><tr><td>a<td>x<tr><td>b<td>y</table>"), None);
        let empty = "<table><thead><tr><th><th><tbody><tr><td>a<td>x<tr><td>b<td>y</table>";
        assert_eq!(names(empty), None);
    }

    #[test]
    fn formulas_stay_what_they_are_and_soft_hyphens_go() {
        assert_eq!(
            texts(
                "LTV <math><semantics><mrow><mfrac><mn>80</mn><mn>100</mn></mfrac><mo>·</mo>\
                 <msup><mn>10</mn><mn>6</mn></msup><msqrt><mi>x</mi></msqrt>\
                 <msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup></mrow>\
                 <annotation>\\frac</annotation></semantics></math> hy&shy;phen"
            ),
            ["LTV 80/100·10⁶√(x)xᵢ² hyphen"]
        );
    }

    #[test]
    fn lines_of_code_and_raised_figures_stay() {
        assert_eq!(texts("<pre>line1<br>line2</pre>"), ["line1\nline2"]);
        assert_eq!(texts("<pre><div>a</div><div> b</div></pre>"), ["a\n b"]);
        assert_eq!(
            texts("10<sup>6</sup> m<sup>2</sup>, x<sup>max</sup>, H<sub>2</sub>O"),
            ["10⁶ m², x^(max), H₂O"]
        );
    }

    #[test]
    fn lists_keep_their_numbers() {
        let text = "<ol start=3><li>tres<li><p>cuatro</p><p>y más</p><li><ul><li>punto</ul>\
            <ol type=a><li>uno<li value=5>dos</ol></ol><ol reversed><li>x<li>y</ol>";
        assert_eq!(
            texts(text),
            [
                "3. tres",
                "4. cuatro",
                "y más",
                "punto",
                "a. uno",
                "e. dos",
                "2. x",
                "1. y"
            ]
        );
    }

    #[test]
    fn what_a_reader_does_not_see_is_left_out() {
        assert_eq!(
            texts(
                "<p hidden>a</p><p style='color:red; DISPLAY : none!important'>b</p>\
                 <table><tr><td>c<td>d<td hidden>e<tr style='display:none'><td>f<td>g</table>\
                 <p><ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>都</p>"
            ),
            ["c | d", "東京都"]
        );
    }

    #[test]
    fn endless_nesting_ends() {
        let deep = "<div>".repeat(100_000) + "x";
        let error = read("a.html", deep.as_bytes(), None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("100000 elements"), "{error}");
        assert!(blocks(&("<div>".repeat(1_000) + "x")).is_empty());
        let flat = "<p>a<li>b<tr><td>c".repeat(2_000);
        assert_eq!(depth(&flat), 0);
    }

    #[test]
    fn endless_attributes_end() {
        let attributes: String = (0..1001).map(|i| format!(" a{i}='>'")).collect();
        let page = format!("<p{attributes}>x");
        let error = read("a.html", page.as_bytes(), None).unwrap_err();
        assert!(error.to_string().contains("1001 attributes"), "{error}");
    }
}
