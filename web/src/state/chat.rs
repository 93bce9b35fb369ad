//! A conversation with one to three speakers, each answering every prompt.
//!
//! What a speaker said before is what it sees; where it had no column yet, it sees the answer of the
//! first one that had.

use std::collections::BTreeMap;

use veneer_core::protocol::tab::{
    AnswerSummary, AnswerToken, ChatMessage, ChatRole, Fault, FaultKind, Finish, Outcome, Piece,
    Reply, RequestId, Variant,
};

use super::columns::Speaker;

/// Turns in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chat {
    pub system: String,
    pub turns: Vec<Turn>,
    next_turn: u64,
    /// Where the replies of running requests go.
    running: BTreeMap<RequestId, (u64, usize)>,
}

/// A prompt with its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Never used again, so that a list of turns knows which is which.
    pub id: u64,
    pub prompt: String,
    /// How often it was answered; changes the seed of the next answers.
    pub attempt: u64,
    pub answers: Vec<Answer>,
}

/// What one speaker says to one prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub speaker: Speaker,
    pub text: String,
    pub tokens: Vec<AnswerToken>,
    pub state: AnswerState,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AnswerState {
    /// Asked for; an earlier answer is still being written.
    Waiting,
    Writing,
    Done(AnswerSummary),
    Failed(Fault),
}

/// A request that the chat wants to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    pub turn: u64,
    pub column: usize,
    pub by: Variant,
    pub messages: Vec<ChatMessage>,
    /// To be added to the seed of the settings, the same in every column.
    pub attempt: u64,
}

impl Answer {
    fn new(speaker: Speaker) -> Self {
        Self {
            speaker,
            text: String::new(),
            tokens: Vec::new(),
            state: AnswerState::Waiting,
        }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, AnswerState::Done(_) | AnswerState::Failed(_))
    }
}

impl Chat {
    /// A new prompt at the end.
    pub fn ask(&mut self, prompt: &str, speakers: &[Speaker]) -> Vec<Ask> {
        self.next_turn += 1;
        self.turns.push(Turn {
            id: self.next_turn,
            prompt: prompt.to_owned(),
            attempt: 0,
            answers: speakers.iter().cloned().map(Answer::new).collect(),
        });
        self.asks(self.turns.len() - 1)
    }

    /// Another prompt in the place of an earlier one; what came after it is gone.
    pub fn edit(&mut self, turn: u64, prompt: &str, speakers: &[Speaker]) -> Vec<Ask> {
        let Some(index) = self.index(turn) else {
            return Vec::new();
        };
        self.cut(index);
        self.ask(prompt, speakers)
    }

    /// The same prompt again with the next seed; what came after it is gone.
    pub fn regenerate(&mut self, turn: u64, speakers: &[Speaker]) -> Vec<Ask> {
        let Some(index) = self.index(turn) else {
            return Vec::new();
        };
        self.cut(index + 1);
        let id = self.turns[index].id;
        self.running.retain(|_, (of, _)| *of != id);
        let turn = &mut self.turns[index];
        turn.attempt += 1;
        turn.answers = speakers.iter().cloned().map(Answer::new).collect();
        self.asks(index)
    }

    /// The request of an [`Ask`] was sent under this id.
    pub fn sent(&mut self, ask: &Ask, id: RequestId) {
        self.running.insert(id, (ask.turn, ask.column));
    }

    /// Takes a reply in; `false` where it belongs to nothing here.
    pub fn hear(&mut self, id: RequestId, reply: &Reply) -> bool {
        let Some(&(turn, column)) = self.running.get(&id) else {
            return false;
        };
        if reply.ends() {
            self.running.remove(&id);
        }
        let turn = self.turns.iter_mut().find(|other| other.id == turn);
        let Some(answer) = turn.and_then(|turn| turn.answers.get_mut(column)) else {
            return true;
        };
        match reply {
            Reply::Progress(_) => answer.state = AnswerState::Writing,
            Reply::Piece(Piece { text, tokens }) => {
                answer.state = AnswerState::Writing;
                answer.text.push_str(text);
                answer.tokens.extend(tokens.iter().cloned());
            }
            Reply::Done(Outcome::Answered(summary)) => {
                answer.state = AnswerState::Done(summary.clone());
            }
            Reply::Done(_) => {
                let fault = Fault::new(FaultKind::Internal, "the worker answered something else");
                answer.state = AnswerState::Failed(fault);
            }
            // What was written stays, as with an answer that was stopped.
            Reply::Failed(fault) if fault.kind == FaultKind::Cancelled => {
                answer.state = AnswerState::Done(stopped(answer));
            }
            Reply::Failed(fault) | Reply::DeviceLost(fault) => {
                answer.state = AnswerState::Failed(fault.clone());
            }
        }
        true
    }

    /// Requests under way.
    pub fn running(&self) -> Vec<RequestId> {
        self.running.keys().copied().collect()
    }

    pub fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// The device is gone: no reply will come.
    pub fn interrupt(&mut self, fault: &Fault) {
        self.running.clear();
        for answer in self.turns.iter_mut().flat_map(|turn| &mut turn.answers) {
            if !answer.is_over() {
                answer.state = AnswerState::Failed(fault.clone());
            }
        }
    }

    /// Forgets everything but the system prompt.
    pub fn clear(&mut self) {
        self.turns.clear();
        self.running.clear();
    }

    /// What a speaker sees when it answers a turn.
    fn messages(&self, index: usize, speaker: &Speaker) -> Vec<ChatMessage> {
        let message = |role, text: &str| ChatMessage {
            role,
            text: text.to_owned(),
        };
        let mut messages = Vec::new();
        if !self.system.trim().is_empty() {
            messages.push(message(ChatRole::System, &self.system));
        }
        for turn in &self.turns[..index] {
            // A turn that nobody answered would leave two prompts in a row, which templates refuse.
            if let Some(text) = turn.heard_by(speaker) {
                messages.push(message(ChatRole::User, &turn.prompt));
                messages.push(message(ChatRole::Assistant, text));
            }
        }
        messages.push(message(ChatRole::User, &self.turns[index].prompt));
        messages
    }

    fn asks(&self, index: usize) -> Vec<Ask> {
        let turn = &self.turns[index];
        let ask = |(column, answer): (usize, &Answer)| Ask {
            turn: turn.id,
            column,
            by: answer.speaker.by,
            messages: self.messages(index, &answer.speaker),
            attempt: turn.attempt,
        };
        turn.answers.iter().enumerate().map(ask).collect()
    }

    fn index(&self, turn: u64) -> Option<usize> {
        self.turns.iter().position(|other| other.id == turn)
    }

    fn cut(&mut self, n_kept: usize) {
        self.turns.truncate(n_kept);
        let kept: Vec<u64> = self.turns.iter().map(|turn| turn.id).collect();
        self.running.retain(|_, (turn, _)| kept.contains(turn));
    }
}

impl Turn {
    /// The answer that a speaker remembers.
    fn heard_by(&self, speaker: &Speaker) -> Option<&str> {
        let usable = |answer: &&Answer| matches!(answer.state, AnswerState::Done(_));
        let own = self
            .answers
            .iter()
            .filter(usable)
            .find(|answer| answer.speaker.slug == speaker.slug);
        own.or_else(|| self.answers.iter().find(usable))
            .map(|answer| answer.text.as_str())
    }
}

fn stopped(answer: &Answer) -> AnswerSummary {
    AnswerSummary {
        ids: answer.tokens.iter().map(|token| token.id).collect(),
        finish: Finish::Cancelled,
        n_prompt_tokens: 0,
        n_reused_tokens: 0,
        time_to_first_token_ms: f64::NAN,
        decode_tokens_per_second: 0.0,
        memory_bytes: 0,
    }
}

#[cfg(test)]
mod tests;
