//! Which records an export has, and in which file.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::{
    data::handover::side_name,
    project::{Project, ProjectError, trust::not_whole},
    protocol::studio::{Export, ExportKind, Side},
};

/// A record of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) record: u64,
    /// Id of its text.
    pub(super) body: i64,
    /// Where it stood in its source.
    pub(super) line: u64,
    /// Among [`Selection::languages`].
    pub(super) language: usize,
    pub(super) side: Option<Side>,
}

/// Records that become one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) side: Option<Side>,
    /// In the order of the export.
    pub(super) members: Vec<Member>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) pieces: Vec<Piece>,
    /// Records on no side, of an export by sides.
    pub(super) n_left_out: u64,
    /// Codes of languages; empty where none was told.
    pub(super) languages: Vec<String>,
    /// Records with tags or a reviewer.
    pub(super) n_noted: u64,
}

impl Selection {
    pub(super) fn n(&self) -> u64 {
        let n: usize = self.pieces.iter().map(|piece| piece.members.len()).sum();
        n as u64
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.pieces.iter().flat_map(|piece| &piece.members)
    }

    /// Settings to train with name the file of the train side, and there is none.
    pub(super) fn lacks_training(&self, kind: &ExportKind) -> bool {
        names_trained(kind) && self.by_side() && !self.has(Side::Train)
    }

    pub(super) fn by_side(&self) -> bool {
        self.pieces.iter().any(|piece| piece.side.is_some())
    }

    /// Records on a side, where one file has records of several sides, or also of none.
    pub(super) fn n_mixed(&self) -> u64 {
        let members = || self.members().map(|member| member.side);
        let n_kinds = members().collect::<BTreeSet<_>>().len();
        match self.by_side() || n_kinds < 2 {
            true => 0,
            false => members().flatten().count() as u64,
        }
    }

    /// Records of validation and test in a file for all sides.
    pub(super) fn n_held_out(&self) -> u64 {
        if self.by_side() {
            return 0;
        }
        let sides = self.members().map(|member| member.side);
        let held_out = sides.filter(|side| matches!(side, Some(Side::Validation | Side::Test)));
        held_out.count() as u64
    }

    pub(super) fn has(&self, side: Side) -> bool {
        self.pieces.iter().any(|piece| piece.side == Some(side))
    }

    pub(super) fn read(project: &Project, export: &Export) -> Result<Self, ProjectError> {
        let records = in_order(project, export)?;
        let mut selection = Self::default();
        let mut languages = BTreeMap::<String, usize>::new();
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
            selection.n_noted += u64::from(record.is_noted);
            let next = languages.len();
            let language = match languages.get(&record.language) {
                Some(known) => *known,
                None => *languages.entry(record.language).or_insert(next),
            };
            pieces[place].members.push(Member {
                record: record.record,
                body: record.body,
                line: record.line,
                language,
                side: record.side,
            });
        }
        pieces.retain(|piece| !piece.members.is_empty());
        selection.pieces = pieces;
        let mut names: Vec<(String, usize)> = languages.into_iter().collect();
        names.sort_by_key(|(_, place)| *place);
        selection.languages = names.into_iter().map(|(name, _)| name).collect();
        Ok(selection)
    }
}

/// Whether what lies beside the data names the file that is trained on.
pub(super) fn names_trained(kind: &ExportKind) -> bool {
    matches!(
        kind,
        ExportKind::LlamaFactory | ExportKind::Axolotl | ExportKind::TrainJob
    )
}

fn piece(side: Option<Side>) -> Piece {
    Piece {
        side,
        members: Vec::new(),
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
    record: u64,
    body: i64,
    line: u64,
    side: Option<Side>,
    language: String,
    is_noted: bool,
}

/// Records outside the trash in the order of the dataset, or of the current list.
fn in_order(project: &Project, export: &Export) -> Result<Vec<Listed>, ProjectError> {
    let mut statement = project.store.settled()?.prepare_cached(
        "SELECT record.id, record.body, line, side, language, tags <> 0 OR reviewer <> '',
            state IS 0 AND body.id IS NOT NULL
         FROM record LEFT JOIN body ON body.id = record.body
         WHERE state IS NOT 1 AND state IS NOT 2 ORDER BY position, record.id",
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
        if !row.get::<_, bool>(6)? {
            return Err(not_whole(id));
        }
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&id)) {
            continue;
        }
        let side: Option<usize> = row.get(3)?;
        let listed = Listed {
            record: id,
            body: row.get(1)?,
            line: row.get(2)?,
            side: side.and_then(|side| Side::ALL.get(side).copied()),
            language: row.get(4)?,
            is_noted: row.get(5)?,
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
