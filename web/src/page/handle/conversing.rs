//! The chat: asking, stopping, editing, asking again.

use leptos::prelude::*;
use veneer_core::protocol::tab::{AnswerSettings, Reply, Request};

use super::App;
use crate::{
    page::settings_panel,
    state::{
        chat::{AnswerState, Ask, Chat},
        columns::Speaker,
        settings::SettingsForm,
    },
};

impl App {
    /// Sends a prompt to every column; false where that cannot be.
    pub(in crate::page) fn ask(self, prompt: &str) -> bool {
        let speakers = self.speakers();
        if prompt.trim().is_empty() || speakers.is_empty() || self.is_busy() {
            return false;
        }
        self.converse(|chat| chat.ask(prompt, &speakers))
    }

    /// Puts another prompt in the place of an earlier one.
    pub(in crate::page) fn edit(self, turn: u64, prompt: &str) {
        let speakers = self.speakers();
        if prompt.trim().is_empty() || speakers.is_empty() {
            return;
        }
        self.converse(|chat| chat.edit(turn, prompt, &speakers));
    }

    /// Answers a prompt again, with the next seed.
    pub(in crate::page) fn regenerate(self, turn: u64) {
        let speakers = self.speakers();
        if speakers.is_empty() {
            return;
        }
        self.converse(|chat| chat.regenerate(turn, &speakers));
    }

    /// Ends every answer that is being written.
    pub(in crate::page) fn stop(self) {
        for id in self.chat.with_untracked(Chat::running) {
            self.cancel(id);
        }
    }

    pub(in crate::page) fn new_chat(self) {
        self.stop();
        self.chat.update(Chat::clear);
    }

    /// Who has a column.
    pub(in crate::page) fn speakers(self) -> Vec<Speaker> {
        let loaded = self.loaded.get_untracked();
        self.columns
            .with_untracked(|columns| columns.speakers(&loaded))
    }

    pub(in crate::page) fn is_busy(self) -> bool {
        self.chat.with_untracked(Chat::is_busy)
    }

    /// Ends what is being written and asks anew. Where a setting is none, it is shown and nothing is
    /// asked.
    fn converse(self, how: impl FnOnce(&mut Chat) -> Vec<Ask>) -> bool {
        let settings = match self.settings.with_untracked(SettingsForm::settings) {
            Ok(settings) => settings,
            Err(wrong) => {
                settings_panel::show(self, wrong);
                return false;
            }
        };
        self.stop();
        let mut asks = Vec::new();
        self.chat.update(|chat| asks = how(chat));
        for ask in asks {
            self.send_ask(&ask, &settings);
        }
        true
    }

    fn send_ask(self, ask: &Ask, settings: &AnswerSettings) {
        let request = Request::Answer {
            by: ask.by,
            messages: ask.messages.clone(),
            settings: AnswerSettings {
                seed: settings.seed.wrapping_add(ask.attempt),
                ..settings.clone()
            },
        };
        let (turn, column) = (ask.turn, ask.column);
        let sent = self.send(request, &[], move |id, reply| {
            self.chat.update(|chat| {
                chat.hear(id, reply);
            });
            if reply.ends() {
                self.tell_end(turn, column, reply);
            }
        });
        if let Some(id) = sent {
            self.chat.update(|chat| chat.sent(ask, id));
        }
    }

    /// A screen reader hears whole answers, not every token of them.
    fn tell_end(self, turn: u64, column: usize, reply: &Reply) {
        let language = self.language.get_untracked();
        let text = self.chat.with_untracked(|chat| {
            let turn = chat.turns.iter().find(|other| other.id == turn)?;
            let answer = turn.answers.get(column)?;
            let base = language.texts().base;
            let name = answer.speaker.title.as_deref().unwrap_or(base);
            matches!(answer.state, AnswerState::Done(_)).then(|| format!("{name}: {}", answer.text))
        });
        match (text, reply) {
            (Some(text), _) => self.say(text),
            (None, Reply::Failed(fault)) => self.say(language.fault(fault.kind).0),
            (None, _) => {}
        }
    }
}
