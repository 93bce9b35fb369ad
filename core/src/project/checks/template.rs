//! Every text under the chosen tokenizer and template: its length, and what training would refuse.
//!
//! A text is looked at once. `checked` says up to which, and under which model and options; with
//! others it begins again.

use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{live::LiveRecords, table};
use crate::{
    cores,
    data::ProblemKind,
    project::{Pace, Project, ProjectError, content::read_stored},
    protocol::studio::{StudioProgress, StudioStage},
    text::{
        EncodeOptions, ModelText, Record, Refusal, RefusalKind, check_record, encode_record,
        trains_end,
    },
};

/// Raised when the same text could be judged otherwise than before.
const VERSION: u32 = 2;

/// Stored text that one step looks at: a few milliseconds of work where others wait.
fn step_bytes(pace: Pace) -> usize {
    match pace {
        Pace::Answering => 24 << 10,
        Pace::Alone => 2 << 20,
    }
}

/// Texts whose results are written in one transaction.
const FLUSHED: usize = 2_000;

/// Name of the finding that a refusal becomes; unique over all checks.
pub(in crate::project) fn refusal_name(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::NotEncodable => "not_encodable",
        RefusalKind::TemplateRejects => "template_rejects",
        RefusalKind::MessageLeftOut => "message_left_out",
        RefusalKind::NothingTrained => "no_trained_tokens",
        RefusalKind::CutAway => "cut_away",
        RefusalKind::EndNeverTrained => table::END_NEVER_TRAINED,
        RefusalKind::ControlTokens => "control_tokens",
        RefusalKind::EndMaskedAsPad => "end_masked_as_pad",
    }
}

/// What was found at one text.
struct Judged {
    body: i64,
    /// Tokens, trained ones, and whether the end token is among them; `None` where it has none.
    counted: Option<(usize, usize, bool)>,
    refusal: Option<Refusal>,
    /// Length where the limit cuts it.
    cut: Option<usize>,
}

fn judge(body: i64, record: &Record, model: &ModelText, options: &EncodeOptions) -> Judged {
    let outcome = encode_record(record, model, options);
    let refusal = check_record(record, &outcome, model);
    let prepared = outcome.as_ref().ok();
    Judged {
        body,
        counted: prepared.map(|prepared| {
            let ends = model.end_token_ids.is_empty() || trains_end(&prepared.encoded, model);
            (prepared.spans.len(), prepared.encoded.n_targets(), ends)
        }),
        refusal,
        cut: prepared
            .filter(|prepared| prepared.truncated)
            .map(|prepared| prepared.spans.len()),
    }
}

/// The check under way.
pub(in crate::project) struct TemplateCheck {
    settings: String,
    model: Rc<ModelText>,
    options: EncodeOptions,
    /// The last text that was looked at.
    at: i64,
    judged: Vec<Judged>,
    n_done: u64,
    n_total: u64,
}

impl TemplateCheck {
    /// `None` where no model is chosen, or nothing is left to look at.
    pub(in crate::project) fn new(project: &mut Project) -> Result<Option<Self>, ProjectError> {
        let (Some(settings), Some(model)) = (settings(project)?, project.model_text()?) else {
            return Ok(None);
        };
        if !is_behind(project)? {
            return Ok(None);
        }
        let options = project.encode_options()?;
        let at = match up_to(project)? {
            Some((known, at)) if known == settings => at,
            _ => {
                forget(project, &settings)?;
                0
            }
        };
        let n_total = project
            .store
            .raw()
            .prepare_cached("SELECT count(*) FROM body WHERE id > ?1")?
            .query_row([at], |row| row.get(0))?;
        Ok(Some(Self {
            settings,
            model,
            options,
            at,
            judged: Vec::new(),
            n_done: 0,
            n_total,
        }))
    }

    pub(in crate::project) fn told(&self) -> StudioProgress {
        StudioProgress {
            stage: StudioStage::Tokenizing,
            what: table::TEMPLATE.into(),
            done: self.n_done,
            total: self.n_total,
        }
    }

    /// A few texts more; true once none is left.
    pub(in crate::project) fn step(&mut self, project: &mut Project) -> Result<bool, ProjectError> {
        if settings(project)?.as_ref() != Some(&self.settings) {
            // Another model was chosen meanwhile: what is under way is of no use.
            return match Self::new(project)? {
                Some(again) => {
                    *self = again;
                    Ok(false)
                }
                None => Ok(true),
            };
        }
        let is_last = self.judge_some(project)?;
        if is_last || self.judged.len() >= FLUSHED {
            self.flush(project)?;
        }
        Ok(is_last)
    }

    fn judge_some(&mut self, project: &Project) -> Result<bool, ProjectError> {
        let mut statement = project
            .store
            .raw()
            .prepare_cached("SELECT body, json FROM content WHERE body > ?1 ORDER BY body")?;
        let mut rows = statement.query([self.at])?;
        let (mut texts, mut n_bytes, mut is_last) = (Vec::new(), 0, false);
        while !is_last && n_bytes < step_bytes(project.pace) {
            let Some(row) = rows.next()? else {
                is_last = true;
                continue;
            };
            let json: String = row.get(1)?;
            n_bytes += json.len();
            self.at = row.get(0)?;
            texts.push((self.at, json));
        }
        self.n_done += texts.len() as u64;
        let (model, options) = (&*self.model, &self.options);
        let judged = cores::map(texts, |(body, json)| -> Result<_, ProjectError> {
            let (record, _) = read_stored(&json)?;
            Ok(judge(body, &record, model, options))
        });
        for judged in judged {
            self.judged.push(judged?);
        }
        Ok(is_last)
    }

    fn flush(&mut self, project: &mut Project) -> Result<(), ProjectError> {
        let tx = project.store.raw_mut().transaction()?;
        let mut count = tx.prepare_cached(
            "INSERT OR REPLACE INTO token_count (body, n_tokens, n_trained, ends)
             VALUES (?1, ?2, ?3, ?4)",
        )?;
        let mut find = tx.prepare_cached(
            "INSERT INTO finding (body, \"check\", kind, is_error, field, found, expected, advice)
             VALUES (?1, ?2, ?3, ?4, '', ?5, ?6, ?7)",
        )?;
        for judged in self.judged.drain(..) {
            if let Some((n_tokens, n_trained, ends)) = judged.counted {
                count.execute(params![
                    judged.body,
                    n_tokens as u64,
                    n_trained as u64,
                    ends
                ])?;
            }
            if let Some(refusal) = judged.refusal {
                let (name, check) = (refusal_name(refusal.kind), table::TEMPLATE);
                let Refusal { message, hint, .. } = refusal;
                find.execute(params![judged.body, check, name, true, message, "", hint])?;
            }
            if let Some(n_tokens) = judged.cut {
                let limit = self.options.max_length.unwrap_or(usize::MAX);
                find.execute(params![
                    judged.body,
                    table::TEMPLATE,
                    ProblemKind::TooLong.name(),
                    false,
                    format!("{n_tokens} tokens"),
                    format!("at most {limit}"),
                    ""
                ])?;
            }
        }
        tx.prepare_cached("INSERT OR REPLACE INTO checked VALUES (?1, ?2, ?3)")?
            .execute(params![table::TEMPLATE, self.settings, self.at])?;
        drop((count, find));
        tx.commit()?;
        Ok(())
    }
}

/// What the results depend on besides the text; `None` where no model is chosen.
fn settings(project: &Project) -> Result<Option<String>, ProjectError> {
    let settings = project.text_settings()?;
    Ok(settings.map(|settings| format!("{VERSION} {settings}")))
}

fn up_to(project: &Project) -> Result<Option<(String, i64)>, ProjectError> {
    let mut statement = project
        .store
        .raw()
        .prepare_cached("SELECT settings, up_to FROM checked WHERE \"check\" = ?1")?;
    let row = statement.query_row([table::TEMPLATE], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(row.optional()?)
}

/// Whether there are texts that were not looked at under the chosen model.
pub(in crate::project) fn is_behind(project: &Project) -> Result<bool, ProjectError> {
    let Some(settings) = settings(project)? else {
        return Ok(false);
    };
    let newest: i64 = project
        .store
        .raw()
        .prepare_cached("SELECT coalesce(max(id), 0) FROM body")?
        .query_row([], |row| row.get(0))?;
    Ok(match up_to(project)? {
        Some((known, at)) => known != settings || at < newest,
        None => newest > 0,
    })
}

/// Results under another model than the chosen one go, and there are none yet under this.
pub(in crate::project) fn begin_again(project: &mut Project) -> Result<(), ProjectError> {
    match settings(project)? {
        Some(settings) if up_to(project)?.is_none_or(|(known, _)| known != settings) => {
            forget(project, &settings)
        }
        _ => Ok(()),
    }
}

/// Takes away what was found under another model; from now on there are results under this one.
fn forget(project: &mut Project, settings: &str) -> Result<(), ProjectError> {
    let tx = project.store.raw_mut().transaction()?;
    tx.execute("DELETE FROM token_count", [])?;
    tx.execute(
        "DELETE FROM finding WHERE \"check\" = ?1",
        [table::TEMPLATE],
    )?;
    tx.execute(
        "INSERT OR REPLACE INTO checked VALUES (?1, ?2, 0)",
        params![table::TEMPLATE, settings],
    )?;
    tx.commit()?;
    Ok(())
}

/// Texts of records that are trained on, if no record of all teaches the end token.
pub(in crate::project) fn without_end(
    db: &Connection,
    live: &LiveRecords,
) -> Result<Vec<i64>, ProjectError> {
    if is_end_trained(db, live)? {
        return Ok(Vec::new());
    }
    let mut statement =
        db.prepare_cached("SELECT body FROM token_count WHERE n_trained > 0 ORDER BY body")?;
    let bodies = statement.query_map([], |row| row.get(0))?;
    let mut bodies: Vec<i64> = bodies.collect::<Result<_, _>>()?;
    bodies.retain(|body| !live.of_body(*body).1.is_empty());
    Ok(bodies)
}

/// Whether a record teaches the end token.
pub(in crate::project) fn is_end_trained(
    db: &Connection,
    live: &LiveRecords,
) -> Result<bool, ProjectError> {
    let mut statement = db.prepare_cached("SELECT body FROM token_count WHERE ends = 1")?;
    let mut rows = statement.query([])?;
    // A project in order has one near its beginning.
    while let Some(row) = rows.next()? {
        if !live.of_body(row.get(0)?).1.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
