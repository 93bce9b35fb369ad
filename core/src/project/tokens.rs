//! One record as a model sees it, with the refusals of training and what settles them.

use super::{
    Project, ProjectError,
    checks::{
        table::{self, TRASH},
        template::{refusal_name, without_end},
    },
    content::{read_body, record_of},
};
use crate::{
    data::Repair,
    protocol::studio::{
        Content, FindingKind, FixName, Phrase, RecordKey, RecordTokens, RefusalView, TokenView,
        TokensView,
    },
    text::{
        Body, EncodeOptions, ModelText, Record, Refusal, RefusalKind, check_record, encode_record,
        end_never_trained, token_table,
    },
};

impl Project {
    /// A record, or what it would be with other content.
    ///
    /// # Errors
    /// If there is no such record, or no model was chosen.
    pub fn tokens(
        &self,
        record: RecordKey,
        draft: Option<Content>,
    ) -> Result<TokensView, ProjectError> {
        let model = self.model_text()?.ok_or_else(|| ProjectError::CannotDo {
            reason: Phrase::NoTokenizerChosen.with([]),
        })?;
        let row = self.row(record)?;
        let mut record = match draft {
            Some(content) => record_of(content),
            None => read_body(self.store.raw(), row.body)?.0,
        };
        record.line = row.line;
        let options = self.encode_options()?;
        let limit = options.max_length.unwrap_or(usize::MAX) as u64;
        let mut view = tokens_of(&record, &model, &options, limit);
        if view.refusals.is_empty()
            && self.never_trains_end(&view)?
            && let Ok(prepared) = encode_record(&record, &model, &options)
        {
            let refusal = end_never_trained(row.line, &prepared, &model);
            let refusal = refusal_view(refusal, &record, &model, &options);
            view.refusals.push(refusal);
        }
        Ok(view)
    }

    /// Whether neither this record nor any other teaches the token that ends generation.
    fn never_trains_end(&self, view: &TokensView) -> Result<bool, ProjectError> {
        let teaches = |token: &TokenView| token.trained && token.ends_generation && !token.cut;
        let may_teach = view.n_trained == 0 || view.tokens.iter().any(teaches);
        Ok(!may_teach && !without_end(self.store.raw(), &self.live()?)?.is_empty())
    }

    /// Lengths of a record and of its messages; `None` where no model is chosen, or the record
    /// cannot become tokens.
    pub(super) fn record_tokens(
        &self,
        record: &Record,
    ) -> Result<Option<RecordTokens>, ProjectError> {
        let Some(model) = self.model_text()? else {
            return Ok(None);
        };
        let options = self.encode_options()?;
        let Ok(prepared) = encode_record(record, &model, &options) else {
            return Ok(None);
        };
        let of_turns = match &record.body {
            Body::Chat(chat) => chat.messages.iter().map(|message| message.text()).collect(),
            Body::Text { prompt, completion } if prompt.is_empty() => vec![completion.as_str()],
            Body::Text { prompt, completion } => vec![prompt.as_str(), completion],
            Body::Tokens(_) => Vec::new(),
        };
        let count = |text: &str| {
            let tokens = model.tokenizer().and_then(|t| t.encode(text, false));
            tokens.map_or(0, |tokens| tokens.len() as u64)
        };
        Ok(Some(RecordTokens {
            of_turns: of_turns.into_iter().map(count).collect(),
            whole: prepared.spans.len() as u64,
            trained: prepared.encoded.n_targets() as u64,
            limit: options.max_length.unwrap_or(usize::MAX) as u64,
        }))
    }
}

fn tokens_of(
    record: &Record,
    model: &ModelText,
    options: &EncodeOptions,
    limit: u64,
) -> TokensView {
    let outcome = encode_record(record, model, options);
    let refusal = check_record(record, &outcome, model);
    let refusals = refusal.map(|refusal| refusal_view(refusal, record, model, options));
    let mut view = TokensView {
        limit,
        refusals: refusals.into_iter().collect(),
        ..TokensView::default()
    };
    let Ok(prepared) = outcome else {
        return view;
    };
    let rows = token_table(&prepared, model.tokenizer.as_ref(), &model.end_token_ids);
    let is_special = |id| model.tokenizer.as_ref().is_some_and(|t| t.is_special(id));
    view.tokens = rows
        .into_iter()
        .map(|row| TokenView {
            id: row.id,
            text: row.text,
            trained: row.trained,
            cut: row.cut,
            ends_generation: row.ends_generation,
            special: is_special(row.id),
        })
        .collect();
    view.n_kept = prepared.encoded.len() as u64;
    view.n_trained = prepared.encoded.n_targets() as u64;
    view.text = prepared.text;
    view
}

/// Offered are the repairs after which the record is no longer refused for this, and the trash.
fn refusal_view(
    refusal: Refusal,
    record: &Record,
    model: &ModelText,
    options: &EncodeOptions,
) -> RefusalView {
    let name = refusal_name(refusal.kind);
    let settles = |fix: &&&str| {
        **fix == TRASH
            || repaired(record, fix, refusal.kind, model).is_some_and(|repaired| {
                let outcome = encode_record(&repaired, model, options);
                let again = check_record(&repaired, &outcome, model);
                again.is_none_or(|again| again.kind != refusal.kind)
            })
    };
    let fixes = table::kind(name).map_or(&[][..], |kind| kind.fixes);
    let fixes = fixes.iter().filter(settles);
    RefusalView {
        kind: FindingKind(name.into()),
        fixes: fixes.map(|fix| FixName((*fix).to_owned())).collect(),
        message: refusal.message,
        hint: refusal.hint,
    }
}

fn repaired(record: &Record, fix: &str, kind: RefusalKind, model: &ModelText) -> Option<Record> {
    let model = (kind == RefusalKind::ControlTokens).then_some(model);
    Repair::from_name(fix)?.of(record, model)
}

#[cfg(test)]
mod tests;
