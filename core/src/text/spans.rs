//! Which text of a rendered conversation the assistant wrote.
//!
//! The template decides, never a search for the answer's words. Where it has `{% generation %}`
//! blocks they are taken as they are. Otherwise, for the assistant's message `i` of the text `F`:
//!
//! - it begins where `render(messages[..i], add_generation_prompt)` ends, when that is a prefix of
//!   `F`: that is the place from which the model will write;
//! - it ends where `render(messages[..=i])` ends, cut after the first end-of-turn token, so that
//!   a newline written after it is not trained.
//!
//! Some templates rewrite earlier text when later messages come (Qwen3 drops old thoughts, Mistral
//! moves the system message), so that neither is a prefix. Then the conversation is rendered again
//! with one message's content replaced by a character that occurs nowhere: what stays equal on both
//! sides frames the content in `F`, and what the template writes behind it is compared instead.

use std::{borrow::Cow, ops::Range};

use minijinja::value::Value;

use super::chat_values::ChatValues;
use super::{ChatTemplate, RenderOptions, Role, TextError, Tokenizer};

/// A rendered conversation and the assistant's text in it, by message.
pub(super) struct AssistantText {
    pub(super) text: String,
    /// Index of the message and its bytes in `text`.
    pub(super) turns: Vec<(usize, Range<usize>)>,
}

/// Renders a conversation and finds the text of the assistant messages that `wanted` lists.
///
/// # Errors
/// When the template fails, or does not show where a wanted message is.
pub(super) fn assistant_text(
    template: &ChatTemplate,
    tokenizer: &Tokenizer,
    end_token_ids: &[u32],
    chat: &ChatValues,
    options: &RenderOptions,
    wanted: &[usize],
) -> Result<AssistantText, TextError> {
    let rendered = template.render_chat(chat, options)?;
    if let Some(turns) = turns_of_blocks(&rendered.generated, chat, wanted) {
        return Ok(AssistantText {
            text: rendered.text,
            turns,
        });
    }
    let mut finder = Finder {
        template,
        tokenizer,
        end_token_ids,
        chat,
        probe: chat.unused_chars()[0],
        options,
        full: &rendered.text,
        probed_calls: Vec::new(),
    };
    let mut turns = Vec::with_capacity(wanted.len());
    let mut written = 0;
    for &index in wanted {
        let turn = finder.turn(index);
        let turn = turn.or_else(|error| finder.turn_of_call(index).ok_or(error))?;
        if turn.start < written {
            return Err(TextError::NoAssistantSpan {
                message_index: index,
            });
        }
        written = turn.end;
        turns.push((index, turn));
    }
    Ok(AssistantText {
        text: rendered.text,
        turns,
    })
}

/// Gives `{% generation %}` blocks to messages. With one block a message it is clear whose each is;
/// otherwise only "all of them" can be answered.
fn turns_of_blocks(
    blocks: &[Range<usize>],
    chat: &ChatValues,
    wanted: &[usize],
) -> Option<Vec<(usize, Range<usize>)>> {
    let speakers = chat.said_by(Role::Assistant);
    if blocks.is_empty() {
        return None;
    }
    if blocks.len() == speakers.len() {
        let turns = speakers.into_iter().zip(blocks.iter().cloned());
        return Some(turns.filter(|(index, _)| wanted.contains(index)).collect());
    }
    let last = *speakers.last()?;
    (wanted.len() == speakers.len())
        .then(|| blocks.iter().map(|block| (last, block.clone())).collect())
}

struct Finder<'a> {
    template: &'a ChatTemplate,
    tokenizer: &'a Tokenizer,
    end_token_ids: &'a [u32],
    chat: &'a ChatValues,
    probe: char,
    options: &'a RenderOptions,
    full: &'a str,
    /// Messages in which the probe stands for the name of a tool: templates may leave out the text
    /// where tools are called, or call them only where there is none.
    probed_calls: Vec<usize>,
}

impl Finder<'_> {
    fn turn(&self, index: usize) -> Result<Range<usize>, TextError> {
        let with_prompt = self.options.add_generation_prompt;
        let probed = self.probed(self.chat.len(), index, with_prompt);
        let probed = probed.as_deref();
        let frame = probed.and_then(|probed| self.framed(self.full, probed));
        let start = self.start(index, frame.as_ref());
        let end = start.and_then(|start| self.end(index, start, frame.as_ref()));
        match (start, end) {
            (Some(start), Some(end))
                if start < end
                    && self.writes_content(index, probed)
                    && !self.holds_tool_answer(index, &(start..end)) =>
            {
                Ok(start..end)
            }
            _ => Err(TextError::NoAssistantSpan {
                message_index: index,
            }),
        }
    }

    /// The turn of a message that calls tools, by the name of the first one.
    fn turn_of_call(&mut self, index: usize) -> Option<Range<usize>> {
        if !self.chat.calls_tools(index) {
            return None;
        }
        self.probed_calls.push(index);
        let turn = self.turn(index).ok();
        if turn.is_none() {
            self.probed_calls.pop();
        }
        turn
    }

    /// Where the model begins to write message `index`.
    fn start(&self, index: usize, frame: Option<&Range<usize>>) -> Option<usize> {
        let before_answer = |start: &usize| frame.is_none_or(|frame| *start <= frame.end);
        let prompt = self.render(index, true).ok();
        if let Some(prompt) = prompt
            .as_deref()
            .filter(|prompt| self.full.starts_with(prompt))
        {
            return Some(self.after_header(index, prompt.len(), frame)).filter(before_answer);
        }
        let behind_previous = || {
            let (prompt, previous) = (prompt.as_deref()?, index.checked_sub(1)?);
            let in_prompt = self.frame(index, previous, true, prompt)?;
            let in_full = self.frame(
                self.chat.len(),
                previous,
                self.options.add_generation_prompt,
                self.full,
            )?;
            let n_shared = self.shared(&self.full[in_full.end..], &prompt[in_prompt.end..])?;
            Some(in_full.end + n_shared)
        };
        // The name of a tool stands inside of what the model writes.
        let framed = || frame.filter(|_| !self.probed_calls.contains(&index));
        behind_previous()
            .filter(before_answer)
            .or_else(|| framed().map(|frame| frame.start))
    }

    /// A template that ignores `add_generation_prompt` leaves the header behind the prompt; the
    /// model is not to learn it.
    fn after_header(&self, index: usize, start: usize, frame: Option<&Range<usize>>) -> usize {
        let Some(frame) = frame.filter(|frame| frame.start > start) else {
            return start;
        };
        let between = &self.full[start..frame.start];
        let has_prompt = match (self.render(index, true), self.render(index, false)) {
            (Ok(with), Ok(without)) => with.len() > without.len(),
            _ => true,
        };
        let is_header = between.to_lowercase().contains(Role::Assistant.name());
        if !has_prompt && is_header && !self.chat.calls_tools(index) {
            frame.start
        } else {
            start
        }
    }

    /// Where message `index` ends: behind its end-of-turn token.
    fn end(&self, index: usize, start: usize, frame: Option<&Range<usize>>) -> Option<usize> {
        let content_end = frame.map_or(start, |frame| frame.end).max(start);
        let turn_end = self.turn_end(index, content_end, frame)?;
        let region = self.full.get(content_end..turn_end)?;
        let end = match self.probed_calls.contains(&index) {
            // Markup in what is left of a call is no end.
            true => self.first_end(region).unwrap_or(region.len()),
            false => self.end_of_turn(region),
        };
        Some(content_end + end)
    }

    /// Where the template is done with message `index`.
    fn turn_end(
        &self,
        index: usize,
        content_end: usize,
        frame: Option<&Range<usize>>,
    ) -> Option<usize> {
        let whole = self.render(index + 1, false).ok()?;
        if self.full.starts_with(&*whole) && whole.len() >= content_end {
            return Some(whole.len());
        }
        let frame = frame?;
        let in_whole = self.frame(index + 1, index, false, &whole)?;
        let (tail, expected) = (&self.full[frame.end..], &whole[in_whole.end..]);
        let n_shared = self.shared(tail, expected);
        if self.probed_calls.contains(&index) {
            // The frame ends inside of the call: half of one is not to be learnt.
            let is_whole =
                |n: &usize| *n == expected.len() || self.first_end(&tail[..*n]).is_some();
            return n_shared.filter(is_whole).map(|n| frame.end + n);
        }
        // Without anything in common the template closes turns only at the end of a conversation.
        Some(frame.end + n_shared.unwrap_or(0))
    }

    /// How much of `tail` is also in `expected`, up to something complete where they part.
    fn shared(&self, tail: &str, expected: &str) -> Option<usize> {
        match common_prefix(tail, expected) {
            all if all == expected.len() => Some(all),
            some => self.last_boundary(&tail[..some]),
        }
    }

    /// Length of the text up to the first token that ends generation, else to the last control
    /// token, else all of it.
    fn end_of_turn(&self, region: &str) -> usize {
        let end = self
            .first_end(region)
            .or_else(|| self.last_control_end(region));
        end.unwrap_or(region.len())
    }

    /// Where the first token ends that ends generation.
    fn first_end(&self, text: &str) -> Option<usize> {
        let ends_generation = |token: &str| {
            let id = self.tokenizer.token_to_id(token);
            id.is_some_and(|id| self.end_token_ids.contains(&id))
        };
        let mut special = self.tokenizer.find_special(text);
        let first = special.find(|(_, token)| ends_generation(token));
        first.map(|(at, _)| at.end)
    }

    /// The last place in a cut-off text at which something is complete: a control token or a line.
    fn last_boundary(&self, text: &str) -> Option<usize> {
        let line_end = text.rfind('\n').map(|at| at + 1);
        self.last_control_end(text).max(line_end)
    }

    /// Where the last special token, or markup of the template that is none, ends.
    fn last_control_end(&self, text: &str) -> Option<usize> {
        let special = self
            .tokenizer
            .find_special(text)
            .map(|(at, _)| at.end)
            .last();
        let markup = self.template.control_markup();
        let markup = markup.filter_map(|markup| text.rfind(markup).map(|at| at + markup.len()));
        special.max(markup.max())
    }

    /// The first `n_messages` messages as text.
    fn render(
        &self,
        n_messages: usize,
        add_generation_prompt: bool,
    ) -> Result<Cow<'_, str>, TextError> {
        if n_messages == self.chat.len()
            && add_generation_prompt == self.options.add_generation_prompt
        {
            return Ok(Cow::Borrowed(self.full));
        }
        let messages = &self.chat.messages()[..n_messages];
        self.render_values(messages, add_generation_prompt)
            .map(Cow::Owned)
    }

    fn render_values(
        &self,
        messages: &[Value],
        add_generation_prompt: bool,
    ) -> Result<String, TextError> {
        let options = RenderOptions {
            add_generation_prompt,
            ..self.options.clone()
        };
        self.template
            .render_values(messages, self.chat.tools(), &options)
    }

    /// Where the content of message `index`, or the name of the tool it calls, stands in `text`, the
    /// rendering of the first `n_messages`: what changes when that is replaced.
    fn frame(
        &self,
        n_messages: usize,
        index: usize,
        add_generation_prompt: bool,
        text: &str,
    ) -> Option<Range<usize>> {
        let probed = self.probed(n_messages, index, add_generation_prompt)?;
        self.framed(text, &probed)
    }

    /// What differs between a text and the same with the probe in it.
    fn framed(&self, text: &str, probed: &str) -> Option<Range<usize>> {
        if probed.matches(self.probe).count() != 1 {
            return None;
        }
        let start = common_prefix(text, probed);
        let n_behind = common_suffix(&text[start..], &probed[start..]);
        Some(start..text.len() - n_behind)
    }

    /// The first `n_messages` messages as text, with the probe in message `index`.
    fn probed(
        &self,
        n_messages: usize,
        index: usize,
        add_generation_prompt: bool,
    ) -> Option<String> {
        let mut messages = self.chat.messages()[..n_messages].to_vec();
        let probe = self.probe.to_string();
        messages[index] = match self.probed_calls.contains(&index) {
            true => self.chat.with_tool_name(index, &probe),
            false => self.chat.with_content(index, &probe),
        };
        self.render_values(&messages, add_generation_prompt).ok()
    }

    /// Whether the template writes what message `index` says: `probed` has the probe in its place.
    fn writes_content(&self, index: usize, probed: Option<&str>) -> bool {
        let says_nothing = self.chat.text(index).trim().is_empty();
        says_nothing
            || self.chat.calls_tools(index)
            || probed.is_none_or(|text| text.contains(self.probe))
    }

    /// Whether a turn reaches into the answer of a tool that some templates write inside of it.
    fn holds_tool_answer(&self, index: usize, turn: &Range<usize>) -> bool {
        let next = index + 1;
        let is_tool = self.chat.role(next) == Some(Role::Tool.name());
        let with_prompt = self.options.add_generation_prompt;
        let answer = || self.frame(self.chat.len(), next, with_prompt, self.full);
        is_tool && answer().is_some_and(|answer| answer.start < turn.end)
    }
}

/// Bytes that two texts share from the start, in whole characters.
fn common_prefix(a: &str, b: &str) -> usize {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

/// Bytes that two texts share at the end, in whole characters.
fn common_suffix(a: &str, b: &str) -> usize {
    let same = a
        .chars()
        .rev()
        .zip(b.chars().rev())
        .take_while(|(a, b)| a == b);
    same.map(|(c, _)| c.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::super::test_tokenizer::byte_level_json;
    use super::super::{Message, builtin_template, builtin_template_names};
    use super::*;

    const ENDS: [&str; 6] = [
        "<|im_end|>",
        "</s>",
        "<|eot_id|>",
        "<end_of_turn>",
        "<|end|>",
        "<|endoftext|>",
    ];

    struct Fixture {
        tokenizer: Tokenizer,
        end_token_ids: Vec<u32>,
    }

    impl Fixture {
        fn new() -> Self {
            let tokenizer = Tokenizer::from_json(&byte_level_json()).unwrap();
            let end_token_ids = ENDS
                .iter()
                .map(|end| tokenizer.token_to_id(end).unwrap())
                .collect();
            Self {
                tokenizer,
                end_token_ids,
            }
        }

        fn find(
            &self,
            source: &str,
            messages: &[Message],
            wanted: &[usize],
        ) -> Result<AssistantText, TextError> {
            let mut special = Map::new();
            special.insert("bos_token".into(), json!("<s>"));
            special.insert("eos_token".into(), json!("</s>"));
            let template = ChatTemplate::new(source, special).unwrap();
            let options = RenderOptions::default();
            assistant_text(
                &template,
                &self.tokenizer,
                &self.end_token_ids,
                &ChatValues::new(messages, &[]),
                &options,
                wanted,
            )
        }

        fn trained(&self, source: &str, messages: &[Message]) -> Vec<String> {
            let wanted: Vec<usize> = (0..messages.len())
                .filter(|&i| messages[i].role == Role::Assistant)
                .collect();
            let found = self.find(source, messages, &wanted).unwrap();
            found
                .turns
                .iter()
                .map(|(_, bytes)| found.text[bytes.clone()].to_owned())
                .collect()
        }
    }

    fn messages(list: serde_json::Value) -> Vec<Message> {
        serde_json::from_value(list).unwrap()
    }

    fn two_turns() -> Vec<Message> {
        messages(json!([
            {"role": "user", "content": "a?"}, {"role": "assistant", "content": "yes"},
            {"role": "user", "content": "yes"}, {"role": "assistant", "content": " yes\n"}
        ]))
    }

    /// The same template without its generation blocks, so that structure alone must tell.
    fn without_blocks(source: &str) -> String {
        source
            .replace("endgeneration", "endif")
            .replace(" generation %}", " if true %}")
    }

    #[test]
    fn structure_finds_what_generation_blocks_say() {
        let fixture = Fixture::new();
        let golden: serde_json::Value = serde_json::from_str(include_str!(
            "../../../tests/fixtures/templates/builtin.json"
        ))
        .unwrap();
        let mut n_compared = 0;
        for name in builtin_template_names() {
            let source = builtin_template(name).unwrap();
            for (chat, list) in golden["chats"].as_object().unwrap() {
                let messages = messages(list.clone());
                let wanted: Vec<usize> = (0..messages.len())
                    .filter(|&i| messages[i].role == Role::Assistant)
                    .collect();
                let Ok(expected) = fixture.find(source, &messages, &wanted) else {
                    continue;
                };
                let found = fixture.find(&without_blocks(source), &messages, &wanted);
                let found = found.unwrap_or_else(|error| panic!("{name} on {chat}: {error}"));
                let texts = |found: &AssistantText| -> Vec<String> {
                    found
                        .turns
                        .iter()
                        .map(|(_, bytes)| found.text[bytes.clone()].to_owned())
                        .collect()
                };
                assert_eq!(texts(&found), texts(&expected), "{name} on {chat}");
                assert_eq!(found.turns, expected.turns, "{name} on {chat}");
                n_compared += 1;
            }
        }
        assert!(
            n_compared > 90,
            "only {n_compared} conversations were compared"
        );
    }

    #[test]
    fn a_turn_ends_behind_its_end_token() {
        let source = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
        assert_eq!(
            Fixture::new().trained(source, &two_turns()),
            ["yes<|im_end|>", " yes\n<|im_end|>"]
        );
    }

    #[test]
    fn a_call_is_found_by_the_tools_name_where_text_is_left_out() {
        let source = "{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}{% if m.role == 'user' %}{% if loop.index0 == ns.last %}[TOOLS]{% endif %}[INST]{{ m.content }}[/INST]{% elif m.tool_calls %}[CALLS]{{ m.tool_calls[0].function.name }}</s>{% else %}{{ m.content }}{{ '</s>' if m.role == 'assistant' }}{% endif %}{% endfor %}";
        let messages = messages(json!([
            {"role": "user", "content": "a?"},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]},
            {"role": "tool", "content": "3"}, {"role": "assistant", "content": "yes"},
            {"role": "user", "content": "b?"}, {"role": "assistant", "content": "no"}
        ]));
        assert_eq!(
            Fixture::new().trained(source, &messages),
            ["[CALLS]f</s>", "yes</s>", "no</s>"]
        );
    }

    #[test]
    fn a_template_without_generation_prompt_does_not_train_its_header() {
        let source = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";
        assert_eq!(
            Fixture::new().trained(source, &two_turns()),
            ["yes<|im_end|>", " yes\n<|im_end|>"]
        );
    }

    #[test]
    fn a_prompt_that_opens_a_thought_does_not_hide_the_answer() {
        let source = "{% for m in messages %}{% if m.role == 'user' %}<|user|>{{ m.content }}{% else %}<|assistant|>{{ m.content }}<|end|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}";
        assert_eq!(
            Fixture::new().trained(source, &two_turns()),
            ["yes<|end|>", " yes\n<|end|>"]
        );
    }

    #[test]
    fn text_that_closes_the_whole_conversation_belongs_to_no_turn() {
        let source = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% else %}<|endoftext|>{% endif %}";
        assert_eq!(
            Fixture::new().trained(source, &two_turns()),
            ["yes<|end|>", " yes\n<|end|>"]
        );
    }

    #[test]
    fn an_answer_that_the_template_leaves_out_is_an_error() {
        let source = "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}";
        let found = Fixture::new().find(source, &two_turns(), &[1]);
        assert_eq!(
            found.err(),
            Some(TextError::NoAssistantSpan { message_index: 1 })
        );
    }

    #[test]
    fn an_answer_that_only_leaves_its_end_token_is_an_error() {
        let source = "{% for m in messages %}{{ m.role }}:{% if m.role == 'user' %}{{ m.content }}{% endif %}<|im_end|>{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";
        let found = Fixture::new().find(source, &two_turns(), &[3]);
        let expected = TextError::NoAssistantSpan { message_index: 3 };
        assert_eq!(found.err(), Some(expected));
    }

    #[test]
    fn the_answer_of_a_tool_is_never_the_assistants() {
        let source = "{% for m in messages %}{% if m.role == 'user' %}<|user|>{{ m.content }}<|assistant|>{% elif m.role == 'assistant' %}{{ m.content }}{% if loop.last or messages[loop.index].role != 'tool' %}<|end|>{% endif %}{% else %}({{ m.content }})<|end|>{% endif %}{% endfor %}";
        let messages = messages(json!([
            {"role": "user", "content": "a?"}, {"role": "assistant", "content": "call", "tool_calls": [{}]},
            {"role": "tool", "content": "result"}
        ]));
        assert_eq!(Fixture::new().trained(source, &messages), ["call"]);
    }

    #[test]
    fn one_block_for_two_answers_serves_only_all_of_them() {
        let source = "{{ messages[0].content }}{% generation %}{{ messages[1].content }}{{ messages[3].content }}{% endgeneration %}";
        let fixture = Fixture::new();
        let found = fixture.find(source, &two_turns(), &[1, 3]).unwrap();
        assert_eq!(found.turns, [(3, 2..10)]);
    }
}
