//! Formulas of a DOCX, on one line (ECMA-376, part 1, 22.1).
//!
//! A formula is a tree of objects (`m:f`, `m:sSup`, `m:nary`) whose parts (`m:num`, `m:sup`, `m:e`) hold
//! text and more objects. Each is written when it ends, into the part that it stands in.

use quick_xml::events::BytesStart;

use super::{
    docx::{Seen, attribute},
    formulas::{above, below, fraction, index, power, root, with_limits},
};

/// Elements that are written in their own way, or are parts of those.
const KNOWN: [&str; 27] = [
    "f", "num", "den", "sSup", "sSub", "sSubSup", "sPre", "nary", "rad", "deg", "d", "func",
    "fName", "limLow", "limUpp", "lim", "acc", "bar", "eqArr", "m", "mr", "e", "sub", "sup",
    "groupChr", "box", "oMath",
];

/// Objects inside each other, beyond which they are text.
const MAX_DEPTH: usize = 64;

/// The formula at hand.
#[derive(Debug, Default)]
pub(super) struct Formula {
    nodes: Vec<Node>,
    /// Open elements that are deeper than is read.
    n_deeper: usize,
    in_text: bool,
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    /// What stands in it, each by the name of its part.
    parts: Vec<(String, String)>,
    /// Its own properties with a value: `chr`, `begChr`.
    properties: Vec<(String, String)>,
}

impl Formula {
    pub(super) fn is_open(&self) -> bool {
        !self.nodes.is_empty()
    }

    pub(super) fn begin(&mut self) {
        self.in_text = false;
        self.n_deeper = 0;
        self.nodes.push(Node::named("oMath"));
    }

    /// The whole formula, once it ends.
    pub(super) fn see(&mut self, seen: &Seen<'_>) -> Option<String> {
        match seen {
            Seen::Text(text) if self.in_text => self.add("", text),
            Seen::Open("t", _) => self.in_text = true,
            Seen::Close("t") => self.in_text = false,
            Seen::Open(name, tag) => self.open(name, tag),
            Seen::Close(name) if KNOWN.contains(name) => return self.close(),
            Seen::Text(_) | Seen::Close(_) => {}
        }
        None
    }

    fn open(&mut self, name: &str, tag: &BytesStart<'_>) {
        if !KNOWN.contains(&name) {
            if let (Some(node), Some(value)) = (self.nodes.last_mut(), attribute(tag, "val")) {
                node.properties.push((name.to_owned(), value));
            }
        } else if self.nodes.len() < MAX_DEPTH {
            self.nodes.push(Node::named(name));
        } else {
            self.n_deeper += 1;
        }
    }

    fn close(&mut self) -> Option<String> {
        if self.n_deeper > 0 {
            self.n_deeper -= 1;
            return None;
        }
        let node = self.nodes.pop()?;
        let text = node.text();
        if self.nodes.is_empty() {
            return Some(text);
        }
        self.add(&node.name, &text);
        None
    }

    fn add(&mut self, part: &str, text: &str) {
        if let Some(node) = self.nodes.last_mut() {
            node.parts.push((part.to_owned(), text.to_owned()));
        }
    }
}

impl Node {
    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The object as it is written.
    fn text(&self) -> String {
        let part = |name: &str| self.each(name).concat();
        let base = || part("e");
        match self.name.as_str() {
            "f" if self.property("type") == Some("noBar") => {
                format!("({} {})", part("num"), part("den"))
            }
            "f" => fraction(&part("num"), &part("den")),
            "sSup" => power(&base(), &part("sup")),
            "sSub" => index(&base(), &part("sub")),
            "sSubSup" => with_limits(&base(), &part("sub"), &part("sup")),
            "sPre" => with_limits("", &part("sub"), &part("sup")) + &base(),
            "nary" => self.sum(),
            "rad" => root(&base(), &part("deg")),
            "d" => self.in_brackets(),
            "func" => function(&part("fName"), &base()),
            "limLow" => base() + &below(&part("lim")),
            "limUpp" => base() + &above(&part("lim")),
            "acc" => base() + self.property("chr").unwrap_or("\u{302}"),
            "bar" => {
                base()
                    + if self.property("pos") == Some("top") {
                        "\u{305}"
                    } else {
                        "\u{332}"
                    }
            }
            "eqArr" => self.each("e").join("; "),
            "m" => self.each("mr").join("; "),
            "mr" => self.each("e").join(", "),
            _ => self.parts.iter().map(|(_, text)| text.as_str()).collect(),
        }
    }

    fn each(&self, name: &str) -> Vec<&str> {
        let found = self.parts.iter().filter(|(part, _)| part == name);
        found.map(|(_, text)| text.as_str()).collect()
    }

    fn property(&self, name: &str) -> Option<&str> {
        let found = self
            .properties
            .iter()
            .find(|(property, _)| property == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A sum, product or integral with its limits; without a sign it is an integral (22.1.2.70).
    fn sum(&self) -> String {
        let sign = self.property("chr").unwrap_or("∫");
        let (from, to) = (self.each("sub").concat(), self.each("sup").concat());
        let sign = with_limits(sign, &from, &to);
        format!("{sign} {}", self.each("e").concat())
    }

    /// Round ones, where nothing else is said (22.1.2.24).
    fn in_brackets(&self) -> String {
        let (open, close) = (self.property("begChr"), self.property("endChr"));
        let between = self.property("sepChr").unwrap_or("|");
        let inner = self.each("e").join(between);
        format!("{}{inner}{}", open.unwrap_or("("), close.unwrap_or(")"))
    }
}

/// `ln(x)`, `ln x`
fn function(name: &str, of: &str) -> String {
    match of.starts_with(['(', '[', '{']) {
        true => format!("{name}{of}"),
        false => format!("{name} {of}"),
    }
}
