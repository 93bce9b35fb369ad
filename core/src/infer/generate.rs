//! Prompts in, tokens out: prefill of what is new, then one token after another.
//!
//! Where the device works beside us, the greedy way submits a token's successor before the token
//! was read back: the device takes its own choice as its next input. Everything else reads what
//! sampling needs, chooses here, and feeds the choice.

use std::{cell::Cell, ops::ControlFlow, rc::Rc};

use super::{AdapterId, Engine, InferError, Session};
use crate::sampling::{Need, Sampler, Sampling, TopTokens};

/// Stops a request from outside, while it waits for the device or pauses.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Rc<Cell<bool>>);

/// What to answer, and how.
#[derive(Debug, Clone)]
pub struct GenerateRequest {
    /// The whole conversation so far; what the session already holds of it is not run again.
    pub prompt_ids: Vec<u32>,
    pub adapter: Option<AdapterId>,
    pub sampling: Sampling,
    pub max_new_tokens: usize,
    /// Ids after which the answer ends.
    pub end_token_ids: Vec<u32>,
    /// How many of the likeliest tokens are reported beside each chosen one.
    pub n_alternatives: usize,
    pub cancel: Cancel,
}

/// A chosen token. Probabilities are the model's own, before penalties and temperature.
#[derive(Debug, Clone, PartialEq)]
pub struct NewToken {
    pub id: u32,
    /// Natural logarithm of its probability.
    pub logprob: f32,
    /// The likeliest tokens and their log-probabilities, likeliest first.
    pub alternatives: Vec<(u32, f32)>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// One of `end_token_ids` came.
    EndToken,
    /// `max_new_tokens` were written.
    Length,
    /// The session holds no further token.
    ContextFull,
    /// `on_token` broke off, or [`Cancel`] was used.
    Cancelled,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// New tokens, the end token included where one came.
    pub ids: Vec<u32>,
    /// Log-probability of each.
    pub logprobs: Vec<f32>,
    pub stop: StopReason,
    /// Prompt tokens that were in the session already.
    pub n_reused: usize,
}

impl Cancel {
    pub fn cancel(&self) {
        self.0.set(true);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.get()
    }
}

impl GenerateRequest {
    /// The most likely continuation of the base.
    pub fn new(prompt_ids: Vec<u32>, max_new_tokens: usize) -> Self {
        Self {
            prompt_ids,
            adapter: None,
            sampling: Sampling::default(),
            max_new_tokens,
            end_token_ids: Vec::new(),
            n_alternatives: 0,
            cancel: Cancel::default(),
        }
    }
}

impl Engine {
    /// Answers; `on_token` hears of every token and may break off.
    ///
    /// # Errors
    /// Before anything runs: [`InferError::ContextFull`] and every other unusable request.
    pub async fn generate(
        &self,
        session: &mut Session,
        request: &GenerateRequest,
        on_token: &mut dyn FnMut(&NewToken) -> ControlFlow<()>,
    ) -> Result<Generated, InferError> {
        request.sampling.check()?;
        self.check(session, &request.prompt_ids, request.adapter)?;
        let n_reused = session.n_reusable(&request.prompt_ids, request.adapter);
        let mut goes_on = |_| match request.cancel.is_cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let prefilled = self
            .prefill(session, &request.prompt_ids, request.adapter, &mut goes_on)
            .await?;
        let mut answer = Answer::new(request, on_token, self.runner.max_top());
        let stop = if prefilled.is_break() {
            StopReason::Cancelled
        } else if request.max_new_tokens == 0 {
            StopReason::Length
        } else {
            match answer.reads {
                Reads::Top(n_top) if request.sampling.is_greedy() && self.ahead => {
                    self.answer_ahead(session, &mut answer, n_top).await?
                }
                _ => self.answer_in_steps(session, &mut answer).await?,
            }
        };
        Ok(Generated {
            ids: answer.ids,
            logprobs: answer.logprobs,
            stop,
            n_reused,
        })
    }

    /// Brings a prompt into the session, so that [`Self::generate`] with the same prompt starts at
    /// once. `on_chunk` hears how many of its tokens are there and may break off.
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub async fn prefill(
        &self,
        session: &mut Session,
        prompt_ids: &[u32],
        adapter: Option<AdapterId>,
        on_chunk: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, InferError> {
        self.check(session, prompt_ids, adapter)?;
        let n_reused = session.n_reusable(prompt_ids, adapter);
        self.forget(session, n_reused)?;
        session.adapter = adapter;
        self.rotate_for(session, prompt_ids.len()).await?;
        for chunk in prompt_ids[n_reused..].chunks(self.prefill_chunk()) {
            self.extend(session, chunk).await?;
            if on_chunk(session.ids.len()).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The logits after every one of `ids`, as a text of its own; the session is begun anew.
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub async fn score(
        &self,
        session: &mut Session,
        ids: &[u32],
        adapter: Option<AdapterId>,
        on_logits: &mut dyn FnMut(&[f32]),
    ) -> Result<(), InferError> {
        self.check(session, ids, adapter)?;
        self.forget(session, 0)?;
        session.adapter = adapter;
        self.rotate_for(session, ids.len()).await?;
        for chunk in ids.chunks(self.prefill_chunk()) {
            session.has_logits = false;
            self.runner
                .extend_scored(&mut session.context, chunk, adapter, on_logits)
                .await?;
            session.ids.extend_from_slice(chunk);
            session.has_logits = true;
        }
        Ok(())
    }

    /// [`Self::score`], collected: `[ids.len(), v]`.
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub async fn logits_of(
        &self,
        session: &mut Session,
        ids: &[u32],
        adapter: Option<AdapterId>,
    ) -> Result<Vec<Vec<f32>>, InferError> {
        let mut rows = Vec::with_capacity(ids.len());
        let mut collect = |logits: &[f32]| rows.push(logits.to_vec());
        self.score(session, ids, adapter, &mut collect).await?;
        Ok(rows)
    }

    /// The device chooses, and goes on with its choice before we have read it.
    async fn answer_ahead(
        &self,
        session: &mut Session,
        answer: &mut Answer<'_>,
        n_top: usize,
    ) -> Result<StopReason, InferError> {
        let mut ticket = self.runner.submit_sample(&mut session.context, n_top)?;
        loop {
            let n_next = session.ids.len() + 1;
            let fits = n_next <= self.capacity();
            let is_rotated = self.arch().rotates_alike(n_next, session.n_rotated_for);
            let next = if fits && is_rotated && answer.n_left() > 1 {
                session.has_logits = false;
                self.runner
                    .submit_step(&mut session.context, session.adapter)?;
                Some(self.runner.submit_sample(&mut session.context, n_top)?)
            } else {
                None
            };
            let top = self.runner.take(ticket).await?;
            let id = checked(&top, session)?;
            if next.is_some() {
                session.ids.push(id);
                session.has_logits = true;
            }
            if let Some(stop) = answer.add(observed(id, &top, answer.n_alternatives())) {
                return Ok(stop);
            }
            ticket = match next {
                Some(next) => next,
                None if fits && answer.n_left() > 0 => {
                    // The text becomes so long that it is rotated otherwise, this token included.
                    self.append(session, id).await?;
                    self.runner.submit_sample(&mut session.context, n_top)?
                }
                None => return Ok(answer.ended()),
            };
        }
    }

    /// We choose, and feed the choice.
    async fn answer_in_steps(
        &self,
        session: &mut Session,
        answer: &mut Answer<'_>,
    ) -> Result<StopReason, InferError> {
        loop {
            if answer.request.cancel.is_cancelled() {
                return Ok(StopReason::Cancelled);
            }
            let token = self.choose(session, answer).await?;
            let id = token.id;
            if let Some(stop) = answer.add(token) {
                return Ok(stop);
            }
            if answer.n_left() == 0 || session.ids.len() == self.capacity() {
                return Ok(answer.ended());
            }
            self.append(session, id).await?;
        }
    }

    async fn choose(
        &self,
        session: &mut Session,
        answer: &mut Answer<'_>,
    ) -> Result<NewToken, InferError> {
        if let Reads::Top(n_top) = answer.reads {
            let ticket = self.runner.submit_sample(&mut session.context, n_top)?;
            let top = self.runner.take(ticket).await?;
            checked(&top, session)?;
            if let Some(id) = answer.sampler.choose_from_top(&top) {
                return Ok(observed(id, &top, answer.n_alternatives()));
            }
        }
        let logits = self.runner.logits(&mut session.context).await?;
        let top = TopTokens::of(&logits, answer.n_alternatives().max(1));
        checked(&top, session)?;
        let id = answer.sampler.choose(&logits);
        let mut token = observed(id, &top, answer.n_alternatives());
        token.logprob = logits[id as usize] - top.log_sum_exp;
        Ok(token)
    }

    /// Runs a chosen token.
    async fn append(&self, session: &mut Session, id: u32) -> Result<(), InferError> {
        self.rotate_for(session, session.ids.len() + 1).await?;
        self.extend(session, &[id]).await
    }

    /// Some scalings change all frequencies once a text is long enough. Where one of `n_positions`
    /// is rotated otherwise than what the session holds, that is run again.
    async fn rotate_for(
        &self,
        session: &mut Session,
        n_positions: usize,
    ) -> Result<(), InferError> {
        if self
            .arch()
            .rotates_alike(n_positions, session.n_rotated_for)
        {
            return Ok(());
        }
        let ids = session.ids.clone();
        self.forget(session, 0)?;
        self.runner.rotate_for(&mut session.context, n_positions)?;
        session.n_rotated_for = n_positions;
        for chunk in ids.chunks(self.prefill_chunk()) {
            self.extend(session, chunk).await?;
        }
        Ok(())
    }

    /// Runs a chunk and keeps count of it.
    async fn extend(&self, session: &mut Session, ids: &[u32]) -> Result<(), InferError> {
        session.has_logits = false;
        self.runner
            .extend(&mut session.context, ids, session.adapter)
            .await?;
        session.ids.extend_from_slice(ids);
        session.has_logits = true;
        Ok(())
    }

    fn forget(&self, session: &mut Session, n_kept: usize) -> Result<(), InferError> {
        // Also where the count agrees: a call that was dropped may have left tokens behind.
        session.has_logits &= n_kept == session.ids.len();
        session.ids.truncate(n_kept);
        self.runner.truncate(&mut session.context, n_kept)
    }
}

/// How a position's logits are read.
#[derive(Debug, Clone, Copy)]
enum Reads {
    Top(usize),
    All,
}

/// An answer while it grows.
struct Answer<'a> {
    request: &'a GenerateRequest,
    on_token: &'a mut dyn FnMut(&NewToken) -> ControlFlow<()>,
    sampler: Sampler,
    reads: Reads,
    ids: Vec<u32>,
    logprobs: Vec<f32>,
}

impl<'a> Answer<'a> {
    fn new(
        request: &'a GenerateRequest,
        on_token: &'a mut dyn FnMut(&NewToken) -> ControlFlow<()>,
        max_top: usize,
    ) -> Self {
        let mut sampler = Sampler::new(request.sampling.clone(), 0);
        sampler.see_prompt(&request.prompt_ids);
        let n_top = match sampler.need() {
            Need::Best => Some(1),
            Need::Top(n) => Some(n),
            Need::All => None,
        };
        let n_top = n_top.map(|n| n.max(request.n_alternatives));
        let reads = match n_top {
            Some(n) if n <= max_top => Reads::Top(n),
            _ => Reads::All,
        };
        Self {
            request,
            on_token,
            sampler,
            reads,
            ids: Vec::new(),
            logprobs: Vec::new(),
        }
    }

    fn n_alternatives(&self) -> usize {
        self.request.n_alternatives
    }

    fn n_left(&self) -> usize {
        self.request.max_new_tokens - self.ids.len()
    }

    /// Records a token; the reason to stop, where there is one.
    fn add(&mut self, token: NewToken) -> Option<StopReason> {
        self.ids.push(token.id);
        self.logprobs.push(token.logprob);
        let broken_off = (self.on_token)(&token).is_break();
        if self.request.end_token_ids.contains(&token.id) {
            Some(StopReason::EndToken)
        } else if broken_off || self.request.cancel.is_cancelled() {
            Some(StopReason::Cancelled)
        } else {
            None
        }
    }

    /// Why no further token can come.
    fn ended(&self) -> StopReason {
        match self.n_left() {
            0 => StopReason::Length,
            _ => StopReason::ContextFull,
        }
    }
}

/// The likeliest token of logits that are numbers.
fn checked(top: &TopTokens, session: &Session) -> Result<u32, InferError> {
    match (top.ids.first(), top.logits.first()) {
        (Some(id), Some(logit)) if logit.is_finite() && top.log_sum_exp.is_finite() => Ok(*id),
        _ => Err(InferError::NotFinite {
            position: session.ids.len().saturating_sub(1),
        }),
    }
}

fn observed(id: u32, top: &TopTokens, n_alternatives: usize) -> NewToken {
    let ranked = || top.ids.iter().copied().zip(top.logits.iter());
    let logprob = |logit: &f32| logit - top.log_sum_exp;
    let chosen = ranked().find(|(other, _)| *other == id);
    NewToken {
        id,
        logprob: chosen.map_or(f32::NEG_INFINITY, |(_, logit)| logprob(logit)),
        alternatives: ranked()
            .take(n_alternatives)
            .map(|(id, logit)| (id, logprob(logit)))
            .collect(),
    }
}
