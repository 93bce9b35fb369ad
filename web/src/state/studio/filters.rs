//! What a query asks for, one restriction at a time: each is a chip that can be taken away.

use thiserror::Error;
use veneer_core::protocol::studio::{
    CheckName, Filter, FindingKind, LengthUnit, Query, Search, Side, TurnRole,
};

use crate::state::numbers;

/// One thing that a query asks of records.
#[derive(Debug, Clone, PartialEq)]
pub enum Restriction {
    Search(Search),
    Tag(String),
    WithoutTag(String),
    Side(Option<Side>),
    Language(String),
    Source(u32),
    Reviewer(Option<String>),
    Role(TurnRole),
    Finding(FindingKind),
    Field(String, String),
    Length {
        min: Option<u64>,
        max: Option<u64>,
        unit: LengthUnit,
    },
    Group(CheckName, u64),
}

/// Everything that a query asks for, in the order of the chips.
pub fn restrictions(query: &Query) -> Vec<Restriction> {
    let Filter {
        // A view of its own, not a restriction of the others.
        trash: _,
        tags,
        without_tags,
        sides,
        languages,
        sources,
        reviewers,
        roles,
        findings,
        field,
        min_length,
        max_length,
        length_in,
        group,
    } = query.filter.clone();
    let mut all: Vec<Restriction> = Vec::new();
    all.extend(query.search.clone().map(Restriction::Search));
    all.extend(findings.into_iter().map(Restriction::Finding));
    all.extend(group.map(|(check, group)| Restriction::Group(check, group)));
    all.extend(tags.into_iter().map(Restriction::Tag));
    all.extend(without_tags.into_iter().map(Restriction::WithoutTag));
    all.extend(sides.into_iter().map(Restriction::Side));
    all.extend(languages.into_iter().map(Restriction::Language));
    all.extend(sources.into_iter().map(Restriction::Source));
    all.extend(reviewers.into_iter().map(Restriction::Reviewer));
    all.extend(roles.into_iter().map(Restriction::Role));
    all.extend(field.map(|(name, value)| Restriction::Field(name, value)));
    if min_length.is_some() || max_length.is_some() {
        all.push(Restriction::Length {
            min: min_length,
            max: max_length,
            unit: length_in,
        });
    }
    all
}

/// Whether it goes by lengths in tokens, which records have once they were counted.
pub fn limits_tokens(query: &Query) -> bool {
    let filter = &query.filter;
    let is_limited = filter.min_length.is_some() || filter.max_length.is_some();
    is_limited && filter.length_in == LengthUnit::Tokens
}

pub fn holds(query: &Query, restriction: &Restriction) -> bool {
    restrictions(query).contains(restriction)
}

/// Adds what is not asked for yet, takes away what is.
pub fn toggle(query: &mut Query, restriction: &Restriction) {
    match holds(query, restriction) {
        true => remove(query, restriction),
        false => add(query, restriction),
    }
}

pub fn add(query: &mut Query, restriction: &Restriction) {
    let filter = &mut query.filter;
    match restriction.clone() {
        Restriction::Search(search) => query.search = Some(search),
        Restriction::Tag(tag) => {
            filter.without_tags.retain(|other| *other != tag);
            filter.tags.push(tag);
        }
        Restriction::WithoutTag(tag) => {
            filter.tags.retain(|other| *other != tag);
            filter.without_tags.push(tag);
        }
        Restriction::Side(side) => filter.sides.push(side),
        Restriction::Language(language) => filter.languages.push(language),
        Restriction::Source(source) => filter.sources.push(source),
        Restriction::Reviewer(reviewer) => filter.reviewers.push(reviewer),
        Restriction::Role(role) => filter.roles.push(role),
        Restriction::Finding(kind) => filter.findings.push(kind),
        Restriction::Field(name, value) => filter.field = Some((name, value)),
        Restriction::Length { min, max, unit } => {
            (filter.min_length, filter.max_length, filter.length_in) = (min, max, unit);
        }
        Restriction::Group(check, group) => filter.group = Some((check, group)),
    }
}

pub fn remove(query: &mut Query, restriction: &Restriction) {
    let filter = &mut query.filter;
    match restriction {
        Restriction::Search(_) => query.search = None,
        Restriction::Tag(tag) => filter.tags.retain(|other| other != tag),
        Restriction::WithoutTag(tag) => filter.without_tags.retain(|other| other != tag),
        Restriction::Side(side) => filter.sides.retain(|other| other != side),
        Restriction::Language(name) => filter.languages.retain(|other| other != name),
        Restriction::Source(source) => filter.sources.retain(|other| other != source),
        Restriction::Reviewer(name) => filter.reviewers.retain(|other| other != name),
        Restriction::Role(role) => filter.roles.retain(|other| other != role),
        Restriction::Finding(kind) => filter.findings.retain(|other| other != kind),
        Restriction::Field(..) => filter.field = None,
        Restriction::Length { .. } => (filter.min_length, filter.max_length) = (None, None),
        Restriction::Group(..) => filter.group = None,
    }
}

/// Takes every restriction away; order and view stay.
pub fn clear(query: &mut Query) {
    *query = Query {
        search: None,
        filter: Filter {
            trash: query.filter.trash,
            ..Filter::default()
        },
        sort: query.sort,
    };
}

/// A bar of the histogram of lengths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Lengths from `min` to `max`, both ends.
    pub min: u64,
    pub max: u64,
    pub n: u64,
    /// Of the tallest, by square root, so that few beside many are seen.
    pub height: f64,
}

/// Bars for bins with their upper edges.
pub fn bars(bins: &[(u64, u64)]) -> Vec<Bar> {
    let tallest = bins.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let mut min = 0;
    let mut bars = Vec::new();
    for (edge, n) in bins {
        bars.push(Bar {
            min,
            max: *edge,
            n: *n,
            height: (*n as f64 / tallest as f64).sqrt(),
        });
        min = edge.saturating_add(1);
    }
    bars
}

/// Whether a bar has lengths that the range lets through.
pub fn is_in_range(bar: &Bar, min: Option<u64>, max: Option<u64>) -> bool {
    min.is_none_or(|min| bar.max >= min) && max.is_none_or(|max| bar.min <= max)
}

/// What was typed is no whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a whole number is expected")]
pub struct NoWholeNumber;

/// A number that someone typed; nothing is no limit.
///
/// # Errors
/// If it is no number.
pub fn typed_limit(text: &str) -> Result<Option<u64>, NoWholeNumber> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let limit = numbers::typed_whole(text);
    limit.map(Some).ok_or(NoWholeNumber)
}

/// Limits of which one was typed anew; the other goes where nothing would lie between them.
pub fn with_limit(
    (min, max): (Option<u64>, Option<u64>),
    is_upper: bool,
    limit: Option<u64>,
) -> (Option<u64>, Option<u64>) {
    let (min, max) = if is_upper { (min, limit) } else { (limit, max) };
    match (min, max) {
        (Some(least), Some(most)) if least > most && is_upper => (None, max),
        (Some(least), Some(most)) if least > most => (min, None),
        both => both,
    }
}

#[cfg(test)]
mod tests {
    use veneer_core::protocol::studio::SearchMode;

    use super::*;

    fn one_of_each() -> Vec<Restriction> {
        vec![
            Restriction::Search(Search {
                text: "x".to_owned(),
                mode: SearchMode::Text,
                case_sensitive: true,
                role: Some(TurnRole::User),
            }),
            Restriction::Finding(FindingKind("empty_answer".to_owned())),
            Restriction::Group(CheckName("duplicates".to_owned()), 3),
            Restriction::Tag("a".to_owned()),
            Restriction::WithoutTag("b".to_owned()),
            Restriction::Side(None),
            Restriction::Language("ja".to_owned()),
            Restriction::Source(2),
            Restriction::Reviewer(None),
            Restriction::Role(TurnRole::System),
            Restriction::Field("bank".to_owned(), "8".to_owned()),
            Restriction::Length {
                min: Some(5),
                max: None,
                unit: LengthUnit::Tokens,
            },
        ]
    }

    #[test]
    fn every_restriction_is_added_found_and_taken_away() {
        let mut query = Query::default();
        for restriction in one_of_each() {
            toggle(&mut query, &restriction);
            assert!(holds(&query, &restriction), "{restriction:?}");
        }
        assert_eq!(restrictions(&query), one_of_each());
        for restriction in one_of_each() {
            toggle(&mut query, &restriction);
            assert!(!holds(&query, &restriction), "{restriction:?}");
        }
        assert_eq!(restrictions(&query), []);
    }

    #[test]
    fn a_tag_is_wanted_or_not_wanted() {
        let mut query = Query::default();
        add(&mut query, &Restriction::Tag("a".to_owned()));
        add(&mut query, &Restriction::WithoutTag("a".to_owned()));
        assert_eq!(
            restrictions(&query),
            [Restriction::WithoutTag("a".to_owned())]
        );
    }

    #[test]
    fn clearing_keeps_the_order_and_the_trash() {
        let mut query = Query::default();
        query.filter.trash = true;
        query.sort.descending = true;
        for restriction in one_of_each() {
            add(&mut query, &restriction);
        }
        clear(&mut query);
        assert!(query.filter.trash && query.sort.descending);
        assert_eq!(restrictions(&query), []);
    }

    #[test]
    fn bars_cover_all_lengths() {
        let bars = bars(&[(99, 4), (199, 100), (u64::MAX, 0)]);
        assert_eq!((bars[1].min, bars[1].max), (100, 199));
        assert_eq!(bars[0].height, 0.2);
        assert_eq!(bars[1].height, 1.0);
        assert_eq!(bars[2].height, 0.0);
        assert!(is_in_range(&bars[1], Some(150), None));
        assert!(!is_in_range(&bars[1], Some(200), None));
        assert!(!is_in_range(&bars[1], None, Some(99)));
        assert!(super::bars(&[]).is_empty());
    }

    #[test]
    fn limits_are_typed_as_people_write_numbers() {
        assert_eq!(typed_limit(""), Ok(None));
        assert_eq!(typed_limit(" 2 048 "), Ok(Some(2048)));
        assert_eq!(typed_limit("2.048"), Ok(Some(2048)));
        assert_eq!(typed_limit("２，０４８"), Ok(Some(2048)));
        assert!(typed_limit("-1").is_err());
        assert!(typed_limit("1.5").is_err());
        assert!(typed_limit("many").is_err());
    }

    #[test]
    fn limits_do_not_cross() {
        let both = (Some(10), Some(50));
        assert_eq!(with_limit(both, false, Some(60)), (Some(60), None));
        assert_eq!(with_limit(both, true, Some(5)), (None, Some(5)));
        assert_eq!(with_limit(both, true, Some(10)), (Some(10), Some(10)));
        assert_eq!(with_limit(both, false, None), (None, Some(50)));
    }
}
