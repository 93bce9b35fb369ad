//! What the styles of a DOCX say of its headings and tables (ECMA-376, part 1, 17.7).

use std::collections::BTreeMap;

use super::docx::{Seen, attribute};

/// Styles above each other.
const MAX_STYLES: usize = 16;

/// Names of the style of a document's title. Word writes the names of its own styles in English; other
/// programs may not.
const TITLES: [&str; 4] = ["title", "titre", "título", "ttulo"];

#[derive(Debug, Default)]
pub(super) struct Styles {
    /// By id.
    styles: BTreeMap<String, Style>,
    /// The id of the style at hand.
    open: Option<String>,
}

#[derive(Debug, Default)]
struct Style {
    name: String,
    based_on: Option<String>,
    outline: Option<String>,
    /// Draws the first row of tables in its own way.
    has_first_row: bool,
}

impl Styles {
    /// Takes `styles.xml`.
    pub(super) fn see(&mut self, seen: Seen<'_>) {
        match seen {
            Seen::Open("style", tag) => self.open = attribute(tag, "styleId"),
            Seen::Close("style") => self.open = None,
            Seen::Open(name @ ("name" | "basedOn" | "outlineLvl" | "tblStylePr"), tag) => {
                let Some(open) = &self.open else { return };
                let style = self.styles.entry(open.clone()).or_default();
                let value = attribute(tag, "val");
                match name {
                    "name" => style.name = value.unwrap_or_default().to_lowercase(),
                    "basedOn" => style.based_on = value,
                    "outlineLvl" => style.outline = value,
                    _ => {
                        style.has_first_row |= attribute(tag, "type").as_deref() == Some("firstRow")
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether paragraphs of a style are headings. In other languages Word names the ids otherwise
    /// (`1`, `berschrift1`) and the styles the same.
    pub(super) fn is_heading(&self, id: &str) -> bool {
        let own = self.styles.get(id).map_or("", |style| style.name.as_str());
        let own_id = id.to_lowercase();
        let is_named =
            own_id.starts_with("heading") || TITLES.iter().any(|t| own_id.starts_with(t));
        let says = self.above(id).find_map(|style| match &style.outline {
            // Level 9 is that of text.
            Some(level) => Some(level != "9"),
            None => is_numbered_heading(&style.name).then_some(true),
        });
        says.unwrap_or(is_named || TITLES.contains(&own))
    }

    /// Whether a style of tables sets the first row apart.
    pub(super) fn has_first_row(&self, id: &str) -> bool {
        self.above(id).any(|style| style.has_first_row)
    }

    /// A style and those that it is based on.
    fn above<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Style> {
        let first = self.styles.get(id);
        let next = |style: &&'a Style| self.styles.get(style.based_on.as_ref()?);
        std::iter::successors(first, next).take(MAX_STYLES)
    }
}

/// `heading 1`
fn is_numbered_heading(name: &str) -> bool {
    let level = name.strip_prefix("heading ");
    level.is_some_and(|level| level.trim().parse::<u8>().is_ok())
}
