//! Columns of the list: which, in which order, how wide. Remembered with the project.

use serde::{Deserialize, Serialize};
use veneer_core::protocol::studio::{Row, SortBy};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    Prompt,
    Answer,
    System,
    Findings,
    Tags,
    Side,
    Characters,
    Tokens,
    Trained,
    Turns,
    Language,
    Reviewer,
    Source,
    Page,
    Changed,
}

impl Column {
    pub const ALL: [Self; 15] = [
        Self::Prompt,
        Self::Answer,
        Self::System,
        Self::Findings,
        Self::Tags,
        Self::Side,
        Self::Characters,
        Self::Tokens,
        Self::Trained,
        Self::Turns,
        Self::Language,
        Self::Reviewer,
        Self::Source,
        Self::Page,
        Self::Changed,
    ];

    /// What the list is sorted by at a click on its head; `None` where it cannot be.
    pub fn sort(self) -> Option<SortBy> {
        match self {
            Self::Prompt => Some(SortBy::Prompt),
            Self::Answer => Some(SortBy::Answer),
            Self::Findings => Some(SortBy::Findings),
            Self::Side => Some(SortBy::Side),
            Self::Characters => Some(SortBy::Characters),
            Self::Tokens => Some(SortBy::Tokens),
            Self::Turns => Some(SortBy::Turns),
            Self::Language => Some(SortBy::Language),
            Self::Source => Some(SortBy::Source),
            Self::Changed => Some(SortBy::Changed),
            Self::System | Self::Tags | Self::Trained | Self::Reviewer | Self::Page => None,
        }
    }

    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::Characters | Self::Tokens | Self::Trained | Self::Turns | Self::Page
        )
    }

    /// Whether it takes what the others leave of the width.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Answer | Self::System)
    }

    fn standard_px(self) -> u32 {
        match self {
            // With the other columns of the standard, what fits beside the editor in a window of 1280.
            Self::Prompt | Self::Answer | Self::System => 146,
            Self::Tags => 104,
            Self::Source => 150,
            Self::Reviewer => 110,
            Self::Side => 104,
            Self::Findings | Self::Characters => 96,
            Self::Tokens | Self::Trained => 84,
            Self::Language | Self::Turns | Self::Page | Self::Changed => 74,
        }
    }

    /// What a row has there, as plain text for other programs.
    pub fn plain(self, row: &Row) -> String {
        let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        match self {
            Self::Prompt => row.prompt.clone(),
            Self::Answer => row.answer.clone(),
            Self::System => row.system.clone(),
            Self::Findings => (row.n_errors + row.n_warnings).to_string(),
            Self::Tags => row.tags.join(", "),
            Self::Side => row.side.map(side_name).unwrap_or_default().to_owned(),
            Self::Characters => row.n_chars.to_string(),
            Self::Tokens => number(row.n_tokens),
            Self::Trained => number(row.n_trained),
            Self::Turns => row.n_turns.to_string(),
            Self::Language => row.language.clone(),
            Self::Reviewer => row.reviewer.clone(),
            Self::Source => row.source.to_string(),
            Self::Page => number(row.page.map(u64::from)),
            Self::Changed => u8::from(row.changed).to_string(),
        }
    }
}

/// Names as files have them.
pub fn side_name(side: veneer_core::protocol::studio::Side) -> &'static str {
    use veneer_core::protocol::studio::Side;
    match side {
        Side::Train => "train",
        Side::Validation => "validation",
        Side::Test => "test",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub column: Column,
    pub shown: bool,
    pub px: u32,
}

/// All columns in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Layout {
    places: Vec<Place>,
}

/// Under which the layout is remembered.
pub const REMEMBERED: &str = "grid.columns";

pub const NARROWEST_PX: u32 = 48;
const WIDEST_PX: u32 = 1200;

/// Room for the box that selects.
pub const BOX_PX: u32 = 34;

impl Default for Layout {
    fn default() -> Self {
        let shown = [
            Column::Prompt,
            Column::Answer,
            Column::Findings,
            Column::Tags,
            Column::Side,
            Column::Characters,
        ];
        let places = Column::ALL.iter().map(|column| Place {
            column: *column,
            shown: shown.contains(column),
            px: column.standard_px(),
        });
        Self {
            places: places.collect(),
        }
    }
}

impl Layout {
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    pub fn shown(&self) -> Vec<Column> {
        let shown = self.places.iter().filter(|place| place.shown);
        shown.map(|place| place.column).collect()
    }

    /// Shows or hides; the last one stays.
    pub fn show(&mut self, column: Column, shown: bool) {
        let n_shown = self.places.iter().filter(|place| place.shown).count();
        if let Some(place) = self.place(column) {
            place.shown = shown || (place.shown && n_shown == 1);
        }
    }

    pub fn resize(&mut self, column: Column, px: f64) {
        if let Some(place) = self.place(column) {
            place.px = (px.round() as u32).clamp(NARROWEST_PX, WIDEST_PX);
        }
    }

    pub fn px(&self, column: Column) -> u32 {
        let place = self.places.iter().find(|place| place.column == column);
        place.map_or(NARROWEST_PX, |place| place.px)
    }

    /// One place forward or back, over columns that are not shown too.
    pub fn shift(&mut self, column: Column, back: bool) {
        let Some(at) = self.places.iter().position(|place| place.column == column) else {
            return;
        };
        match back {
            true if at > 0 => self.places.swap(at, at - 1),
            false if at + 1 < self.places.len() => self.places.swap(at, at + 1),
            _ => {}
        }
    }

    /// Puts a column where another one is.
    pub fn put_at(&mut self, column: Column, target: Column) {
        let at = |column| self.places.iter().position(|place| place.column == column);
        if let (Some(from), Some(to)) = (at(column), at(target)) {
            let place = self.places.remove(from);
            self.places.insert(to, place);
        }
    }

    fn place(&mut self, column: Column) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| place.column == column)
    }

    /// Value for `grid-template-columns`: texts share what is left.
    pub fn template(&self) -> String {
        let shown = self.places.iter().filter(|place| place.shown);
        let tracks = shown.map(|place| match place.column.is_text() {
            true => format!(" minmax({0}px, {0}fr)", place.px),
            false => format!(" {}px", place.px),
        });
        format!("{BOX_PX}px{}", tracks.collect::<String>())
    }

    /// Width below which the list scrolls sideways.
    pub fn least_px(&self) -> u32 {
        let shown = self.places.iter().filter(|place| place.shown);
        shown.map(|place| place.px).sum::<u32>() + BOX_PX
    }

    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What was remembered; columns that came since stand hidden at the end.
    pub fn of_text(text: &str) -> Self {
        let kept: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
        let mut places: Vec<Place> = Vec::new();
        for place in kept {
            let Ok(mut place) = serde_json::from_value::<Place>(place) else {
                continue;
            };
            place.px = place.px.clamp(NARROWEST_PX, WIDEST_PX);
            if places.iter().all(|other| other.column != place.column) {
                places.push(place);
            }
        }
        if !places.iter().any(|place| place.shown) {
            return Self::default();
        }
        for column in Column::ALL {
            if places.iter().all(|place| place.column != column) {
                places.push(Place {
                    column,
                    shown: false,
                    px: column.standard_px(),
                });
            }
        }
        Self { places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::studio::divide::Divide;

    #[test]
    fn what_was_chosen_comes_back() {
        let mut layout = Layout::default();
        layout.show(Column::Answer, false);
        layout.resize(Column::Prompt, 333.4);
        layout.shift(Column::Side, true);
        assert_eq!(Layout::of_text(&layout.to_text()), layout);
        assert_eq!(layout.px(Column::Prompt), 333);
    }

    #[test]
    fn columns_of_other_versions_do_no_harm() {
        let text = r#"[{"column":"smell","shown":true,"px":90},
            {"column":"tags","shown":true,"px":1},{"column":"tags","shown":true,"px":90}]"#;
        let layout = Layout::of_text(text);
        assert_eq!(layout.shown(), [Column::Tags]);
        assert_eq!(layout.px(Column::Tags), NARROWEST_PX);
        assert_eq!(layout.places().len(), Column::ALL.len());
        for text in [
            "",
            "{}",
            "[]",
            r#"[{"column":"tags","shown":false,"px":90}]"#,
        ] {
            assert_eq!(Layout::of_text(text), Layout::default(), "{text}");
        }
    }

    #[test]
    fn one_column_always_stays() {
        let mut layout = Layout::default();
        for column in Column::ALL {
            layout.show(column, false);
        }
        assert_eq!(layout.shown().len(), 1);
    }

    #[test]
    fn columns_change_places() {
        let mut layout = Layout::default();
        layout.put_at(Column::Side, Column::Prompt);
        assert_eq!(layout.places()[0].column, Column::Side);
        layout.put_at(Column::Side, Column::Answer);
        let order: Vec<Column> = layout.places().iter().map(|place| place.column).collect();
        assert_eq!(order[..3], [Column::Prompt, Column::Answer, Column::Side]);
        layout.shift(Column::Prompt, true);
        assert_eq!(layout.places()[0].column, Column::Prompt, "already first");
    }

    #[test]
    fn texts_share_the_width() {
        let mut layout = Layout::default();
        for column in layout.shown() {
            layout.show(column, matches!(column, Column::Prompt | Column::Side));
        }
        assert_eq!(layout.template(), "34px minmax(146px, 146fr) 104px");
        assert_eq!(layout.least_px(), 34 + 146 + 104);
    }

    #[test]
    fn at_first_all_columns_stand_beside_the_editor() {
        let scrollbar_px = 15.0;
        let list_px = 1280.0 * Divide::default().percent() / 100.0 - scrollbar_px;
        assert!(f64::from(Layout::default().least_px()) <= list_px);
    }
}
