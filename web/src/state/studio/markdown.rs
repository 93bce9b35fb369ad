//! Markdown as a tree that the page turns into elements, one by one.
//!
//! Invariant: nothing in a text becomes more than text: raw HTML stays as it stands, pictures are not
//! loaded, and only web addresses become links.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

/// Blocks inside blocks beyond which a text is shown flat.
const MAX_DEPTH: usize = 24;

/// Lengths beyond which only the source is shown, in bytes.
pub const MAX_BYTES: usize = 200_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Text(String),
    /// In a line of text.
    Code(String),
    CodeBlock {
        language: String,
        text: String,
    },
    Break,
    Rule,
    /// The box of a task, ticked or not.
    Task(bool),
    Element(Element, Vec<Node>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    Paragraph,
    /// 1 to 6.
    Heading(u8),
    Quote,
    Bullets,
    /// With the number of its first item.
    Numbered(u64),
    Item,
    Table,
    TableHead,
    TableRow,
    TableCell,
    Emphasis,
    Strong,
    Struck,
    /// With an address of the web.
    Link(String),
    /// Raw HTML, shown as it stands.
    Html,
    /// Whatever has no look of its own.
    Plain,
}

/// The blocks of a text.
pub fn parse(text: &str) -> Vec<Node> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut tree = Tree {
        open: vec![Open::new(Element::Plain)],
        flattened: 0,
    };
    for event in Parser::new_ext(text, options) {
        tree.take(event);
    }
    while tree.open.len() > 1 {
        tree.close();
    }
    tree.open
        .pop()
        .map(|root| root.children)
        .unwrap_or_default()
}

struct Tree {
    open: Vec<Open>,
    /// Elements that were opened too deep to be shown.
    flattened: usize,
}

struct Open {
    element: Element,
    /// Set for blocks of code: their language.
    code: Option<String>,
    children: Vec<Node>,
}

impl Open {
    fn new(element: Element) -> Self {
        Self {
            element,
            code: None,
            children: Vec::new(),
        }
    }
}

impl Tree {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(_) => self.end(),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) => self.push(Node::Code(text.to_string())),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
            Event::FootnoteReference(name) => self.text(&format!("[^{name}]")),
            // Data is shown with the lines that it has.
            Event::SoftBreak | Event::HardBreak => self.push(Node::Break),
            Event::Rule => self.push(Node::Rule),
            Event::TaskListMarker(done) => self.push(Node::Task(done)),
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        if self.open.len() >= MAX_DEPTH {
            self.flattened += 1;
            return;
        }
        let mut open = Open::new(element_of(tag));
        if let Tag::CodeBlock(kind) = tag {
            open.code = Some(language_of(kind));
        }
        if let Tag::Image { dest_url, .. } = tag {
            open.children.push(Node::Text(format!("[{dest_url}] ")));
        }
        self.open.push(open);
    }

    fn end(&mut self) {
        match self.flattened {
            0 => self.close(),
            _ => self.flattened -= 1,
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.pop() else {
            return;
        };
        let node = match open.code {
            Some(language) => Node::CodeBlock {
                language,
                text: text_of(&open.children),
            },
            None => Node::Element(open.element, open.children),
        };
        self.push(node);
    }

    fn push(&mut self, node: Node) {
        if let Some(open) = self.open.last_mut() {
            open.children.push(node);
        }
    }

    fn text(&mut self, text: &str) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        match open.children.last_mut() {
            Some(Node::Text(last)) => last.push_str(text),
            _ => open.children.push(Node::Text(text.to_owned())),
        }
    }
}

fn element_of(tag: &Tag<'_>) -> Element {
    match tag {
        Tag::Paragraph => Element::Paragraph,
        Tag::Heading { level, .. } => Element::Heading(*level as u8),
        Tag::BlockQuote(_) => Element::Quote,
        Tag::HtmlBlock => Element::Html,
        Tag::List(None) => Element::Bullets,
        Tag::List(Some(first)) => Element::Numbered(*first),
        Tag::Item => Element::Item,
        Tag::Table(_) => Element::Table,
        Tag::TableHead => Element::TableHead,
        Tag::TableRow => Element::TableRow,
        Tag::TableCell => Element::TableCell,
        Tag::Emphasis => Element::Emphasis,
        Tag::Strong => Element::Strong,
        Tag::Strikethrough => Element::Struck,
        Tag::Link { dest_url, .. } if is_web_address(dest_url) => {
            Element::Link(dest_url.to_string())
        }
        _ => Element::Plain,
    }
}

fn language_of(kind: &CodeBlockKind<'_>) -> String {
    match kind {
        CodeBlockKind::Indented => String::new(),
        CodeBlockKind::Fenced(info) => {
            let word = info.split([' ', ',', '{']).next().unwrap_or_default();
            word.to_owned()
        }
    }
}

fn is_web_address(address: &str) -> bool {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|s| s.eq_ignore_ascii_case("http") || s.eq_ignore_ascii_case("https"))
}

fn text_of(nodes: &[Node]) -> String {
    let texts = nodes.iter().map(|node| match node {
        Node::Text(text) | Node::Code(text) => text.as_str(),
        Node::Break => "\n",
        _ => "",
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes as one line, to compare with.
    fn line(nodes: &[Node]) -> String {
        let lines = nodes.iter().map(|node| match node {
            Node::Text(text) => text.clone(),
            Node::Code(text) => format!("`{text}`"),
            Node::CodeBlock { language, text } => format!("<pre {language}>{text}</pre>"),
            Node::Break => "⏎".to_owned(),
            Node::Rule => "<hr>".to_owned(),
            Node::Task(done) => format!("<task {done}>"),
            Node::Element(element, children) => format!("{element:?}({})", line(children)),
        });
        lines.collect()
    }

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(line(&parse(text)), want);
    }

    #[test]
    fn paragraphs_keep_their_lines() {
        check("a *b*\nc\n\nd", "Paragraph(a Emphasis(b)⏎c)Paragraph(d)");
    }

    #[test]
    fn headings_lists_and_quotes() {
        check("## a\n- b\n- c", "Heading(2)(a)Bullets(Item(b)Item(c))");
        check("3. a", "Numbered(3)(Item(a))");
        check("> a\n\n---", "Quote(Paragraph(a))<hr>");
        check("- [x] a", "Bullets(Item(<task true>a))");
    }

    #[test]
    fn code_keeps_every_character() {
        check(
            "```sql title\nSELECT *\n  FROM <t>;\n```",
            "<pre sql>SELECT *\n  FROM <t>;\n</pre>",
        );
        check("a `<b>` c", "Paragraph(a `<b>` c)");
        check("    x = 1\n", "<pre >x = 1\n</pre>");
    }

    #[test]
    fn tables_are_tables() {
        check(
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "Table(TableHead(TableCell(a)TableCell(b))TableRow(TableCell(1)TableCell(2)))",
        );
    }

    #[test]
    fn html_stays_text() {
        check(
            "a <img src=x onerror=alert(1)> b",
            "Paragraph(a <img src=x onerror=alert(1)> b)",
        );
        check(
            "<script>\nalert(1)\n</script>\n",
            "Html(<script>\nalert(1)\n</script>\n)",
        );
    }

    #[test]
    fn only_web_addresses_are_links() {
        check(
            "[a](https://b.example/c)",
            "Paragraph(Link(\"https://b.example/c\")(a))",
        );
        for address in [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc",
            "//b.example",
            "#x",
        ] {
            check(&format!("[a]({address})"), "Paragraph(Plain(a))");
        }
    }

    #[test]
    fn pictures_are_named_and_not_loaded() {
        check(
            "![b](https://c.example/d.png)",
            "Paragraph(Plain([https://c.example/d.png] b))",
        );
    }

    #[test]
    fn what_is_nested_too_deep_is_flat() {
        fn depth(nodes: &[Node]) -> usize {
            let depths = nodes.iter().map(|node| match node {
                Node::Element(_, children) => 1 + depth(children),
                _ => 0,
            });
            depths.max().unwrap_or(0)
        }
        let nodes = parse(&format!("{}deep", "> ".repeat(5000)));
        assert!(depth(&nodes) < MAX_DEPTH);
        let nodes = parse(&format!("{} a\n\nb", ">".repeat(500)));
        assert!(line(&nodes).ends_with("Paragraph(b)"), "{}", line(&nodes));
    }

    #[test]
    fn nothing_is_nothing() {
        check("", "");
    }
}
