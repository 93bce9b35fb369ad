//! Which records an export has, and in which file.

use std::collections::HashSet;

use crate::{
    data::handover::side_name,
    project::{Project, ProjectError},
    protocol::studio::{Export, Side},
};

/// Records that become one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) side: Option<Side>,
    /// Ids of texts with the line that each record came from, in the order of the export.
    pub(super) bodies: Vec<(i64, u64)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) pieces: Vec<Piece>,
    /// Records on no side, of an export by sides.
    pub(super) n_left_out: u64,
    /// With their language.
    pub(super) languages: Vec<(String, u64)>,
}

impl Selection {
    pub(super) fn n(&self) -> u64 {
        let n: usize = self.pieces.iter().map(|piece| piece.bodies.len()).sum();
        n as u64
    }

    pub(super) fn read(project: &Project, export: &Export) -> Result<Self, ProjectError> {
        let records = in_order(project, export)?;
        let mut selection = Self::default();
        let mut languages = std::collections::BTreeMap::<String, u64>::new();
        let any_side = records.iter().any(|record| record.side.is_some());
        let mut pieces: Vec<Piece> = match export.by_side && any_side {
            true => Side::ALL.map(|side| piece(Some(side))).into(),
            false => vec![piece(None)],
        };
        for record in records {
            if !export.sides.is_empty() && !record.side.is_some_and(|s| export.sides.contains(&s)) {
                continue;
            }
            let place = match (pieces.len(), record.side) {
                (1, _) => 0,
                (_, Some(side)) => side as usize,
                (_, None) => {
                    selection.n_left_out += 1;
                    continue;
                }
            };
            *languages.entry(record.language).or_insert(0) += 1;
            pieces[place].bodies.push((record.body, record.line));
        }
        pieces.retain(|piece| !piece.bodies.is_empty());
        selection.pieces = pieces;
        languages.remove("");
        selection.languages = languages.into_iter().collect();
        selection
            .languages
            .sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        Ok(selection)
    }
}

fn piece(side: Option<Side>) -> Piece {
    Piece {
        side,
        bodies: Vec::new(),
    }
}

impl Piece {
    /// Its file, without what comes behind the dot.
    pub(super) fn stem(&self, otherwise: &str) -> String {
        match self.side {
            Some(side) => side_name(side).to_owned(),
            None => otherwise.to_owned(),
        }
    }
}

struct Listed {
    body: i64,
    line: u64,
    side: Option<Side>,
    language: String,
}

/// Records outside the trash in the order of the dataset, or of the current list.
fn in_order(project: &Project, export: &Export) -> Result<Vec<Listed>, ProjectError> {
    let mut statement = project.store.settled()?.prepare_cached(
        "SELECT record.id, record.body, line, side, language
         FROM record JOIN body ON body.id = record.body
         WHERE state = 0 ORDER BY position, record.id",
    )?;
    let mut rows = statement.query([])?;
    let list = if export.list_only {
        project.listed()
    } else {
        None
    };
    let wanted: Option<HashSet<u64>> = list.as_ref().map(|list| list.iter().copied().collect());
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let id: u64 = row.get(0)?;
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&id)) {
            continue;
        }
        let side: Option<usize> = row.get(3)?;
        let listed = Listed {
            body: row.get(1)?,
            line: row.get(2)?,
            side: side.and_then(|side| Side::ALL.get(side).copied()),
            language: row.get(4)?,
        };
        records.push((id, listed));
    }
    if let Some(list) = list {
        let places: std::collections::HashMap<u64, usize> = list
            .into_iter()
            .enumerate()
            .map(|(i, id)| (id, i))
            .collect();
        records.sort_by_key(|(id, _)| places.get(id).copied());
    }
    Ok(records.into_iter().map(|(_, listed)| listed).collect())
}
