//! Chat templates: messages to the exact text that transformers' `apply_chat_template` gives.
//!
//! A template is compiled once and rendered for every record. Variables are the ones transformers
//! passes: `messages`, `tools`, `documents`, `add_generation_prompt`, the special tokens, and
//! whatever the caller adds (`enable_thinking`, …).

use std::ops::Range;

use minijinja::{Environment, value::Value};
use regex::Regex;
use serde_json::{Map, Value as Json, json};

use super::chat_values::{ChatValues, message_values, tool_values};
use super::jinja::{
    CLOSE_MARK, DateTime, OPEN_MARK, environment, has_generation_tag, rejection, rewrite,
};
use super::tokenizer_config::SPECIAL_NAMES;
use super::{Message, TextError, builtin_template, builtin_template_names};

const DEFAULT: &str = "default";
const TOOL_USE: &str = "tool_use";

/// A compiled chat template with the special tokens it writes.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    env: Environment<'static>,
    source: String,
    special_tokens: Vec<(String, Value)>,
    marks_generation: bool,
    control_markup: Vec<String>,
    has_tool_use: bool,
    date: Option<DateTime>,
}

/// What a rendering depends on besides the conversation.
#[derive(Debug, Clone, Default)]
pub struct RenderOptions {
    /// Ends the text where the assistant's next turn begins.
    pub add_generation_prompt: bool,
    /// Further template variables, such as `enable_thinking`.
    pub variables: Map<String, Json>,
    /// What `strftime_now` tells. Without it the function is not defined, and templates that ask
    /// for it fall back to the date written in them.
    pub now: Option<DateTime>,
}

/// A rendered conversation and the text that `{% generation %}` blocks wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    /// Byte ranges of `text`, in order; empty where the template has no such blocks.
    pub generated: Vec<Range<usize>>,
}

impl ChatTemplate {
    /// Compiles a template. `special_tokens` holds `bos_token`, `eos_token` and so on as text.
    ///
    /// # Errors
    /// When the template does not parse; the message has the line.
    pub fn new(source: &str, special_tokens: Map<String, Json>) -> Result<Self, TextError> {
        Self::with_variants(&[(DEFAULT.to_owned(), source.to_owned())], special_tokens)
    }

    /// Compiles a template that Veneer brings.
    ///
    /// # Errors
    /// When there is none of this name; the message lists those that are there.
    pub fn builtin(name: &str, special_tokens: Map<String, Json>) -> Result<Self, TextError> {
        let source = builtin_template(name).ok_or_else(|| TextError::UnknownTemplate {
            name: name.to_owned(),
            names: builtin_template_names().collect::<Vec<_>>().join(", "),
        })?;
        Self::new(source, special_tokens)
    }

    /// Compiles a template with named variants: `default`, and `tool_use` for records with tools.
    ///
    /// # Errors
    /// When there is no variant `default` or one does not parse.
    pub fn with_variants(
        variants: &[(String, String)],
        special_tokens: Map<String, Json>,
    ) -> Result<Self, TextError> {
        let find = |wanted: &str| variants.iter().find(|(name, _)| name == wanted);
        let Some((_, source)) = find(DEFAULT) else {
            let names: Vec<&str> = variants.iter().map(|(name, _)| name.as_str()).collect();
            return Err(TextError::NoVariant {
                name: DEFAULT.to_owned(),
                names: names.join(", "),
            });
        };
        let mut env = environment();
        for name in [DEFAULT, TOOL_USE] {
            if let Some((_, source)) = find(name) {
                env.add_template_owned(name, rewrite(source))
                    .map_err(|error| TextError::TemplateSyntax {
                        detail: described(&error),
                    })?;
            }
        }
        Ok(Self {
            env,
            source: source.clone(),
            control_markup: control_markup(source),
            special_tokens: special_tokens
                .into_iter()
                .map(|(name, token)| (name, Value::from_serialize(token)))
                .collect(),
            marks_generation: variants
                .iter()
                .any(|(_, source)| has_generation_tag(source)),
            has_tool_use: find(TOOL_USE).is_some(),
            date: None,
        })
    }

    /// The template as it was given (the default variant).
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the template calls `strftime_now` and has no date of its own to fall back to.
    pub fn asks_for_date(&self) -> bool {
        self.source.contains("strftime_now(") && !self.source.contains("strftime_now is defined")
    }

    /// What `strftime_now` tells where a rendering does not say.
    pub fn set_date(&mut self, date: DateTime) {
        self.date = Some(date);
    }

    /// Whether `{% generation %}` blocks say which text the assistant wrote.
    pub fn marks_generation(&self) -> bool {
        self.marks_generation
    }

    /// Markup of turns that the template writes and that no message may hold (`[INST]`, `<|im_end|>`).
    pub fn control_markup(&self) -> impl Iterator<Item = &str> {
        self.control_markup.iter().map(String::as_str)
    }

    /// The text of a conversation.
    ///
    /// # Errors
    /// [`TextError::Rejected`] when the template raises, [`TextError::TemplateFailed`] when it breaks.
    pub fn render(
        &self,
        messages: &[Message],
        tools: &[Json],
        options: &RenderOptions,
    ) -> Result<String, TextError> {
        self.render_values(&message_values(messages), &tool_values(tools), options)
    }

    /// The text of a conversation and what the template marks as the assistant's.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_marked(
        &self,
        messages: &[Message],
        tools: &[Json],
        options: &RenderOptions,
    ) -> Result<Rendered, TextError> {
        self.render_chat(&ChatValues::new(messages, tools), options)
    }

    /// As [`render_marked`](Self::render_marked).
    pub(super) fn render_chat(
        &self,
        chat: &ChatValues,
        options: &RenderOptions,
    ) -> Result<Rendered, TextError> {
        if !self.marks_generation {
            let text = self.render_values(chat.messages(), chat.tools(), options)?;
            return Ok(Rendered {
                text,
                generated: Vec::new(),
            });
        }
        let [open, close, _] = chat.unused_chars();
        let mut options = options.clone();
        for (name, mark) in [(OPEN_MARK, open), (CLOSE_MARK, close)] {
            options
                .variables
                .insert(name.to_owned(), json!(mark.to_string()));
        }
        let marked = self.render_values(chat.messages(), chat.tools(), &options)?;
        Ok(take_marks(&marked, open, close))
    }

    pub(super) fn render_values(
        &self,
        messages: &[Value],
        tools: &Value,
        options: &RenderOptions,
    ) -> Result<String, TextError> {
        let mut context: Vec<(&str, Value)> = Vec::with_capacity(16);
        context.push(("documents", Value::from(())));
        for (name, value) in &self.special_tokens {
            context.push((name, value.clone()));
        }
        for (name, value) in &options.variables {
            context.push((name, Value::from_serialize(value)));
        }
        if let Some(now) = options.now.or(self.date) {
            let strftime_now = Value::from_function(move |format: String| now.format(&format));
            context.push(("strftime_now", strftime_now));
        }
        context.push(("messages", Value::from(messages.to_vec())));
        context.push(("tools", tools.clone()));
        context.push((
            "add_generation_prompt",
            Value::from(options.add_generation_prompt),
        ));

        let name = if self.has_tool_use && !tools.is_none() {
            TOOL_USE
        } else {
            DEFAULT
        };
        self.env
            .get_template(name)
            .and_then(|template| template.render(context.into_iter().collect::<Value>()))
            // It grew by doubling; whoever keeps the texts of a dataset would keep that too.
            .map(|text| text.as_str().to_owned())
            .map_err(|error| match rejection(&error) {
                Some(message) => TextError::Rejected { message },
                None => TextError::TemplateFailed {
                    detail: described(&error) + &self.lacking(),
                },
            })
    }

    /// Special tokens that the template writes and the tokenizer does not name, as part of a message:
    /// for templates they are nothing, which cannot be joined to a text.
    fn lacking(&self) -> String {
        let is_lacking = |name: &&str| {
            let is_known = self.special_tokens.iter().any(|(known, _)| known == name);
            self.source.contains(*name) && !is_known
        };
        let names: Vec<&str> = SPECIAL_NAMES.into_iter().filter(is_lacking).collect();
        match names.as_slice() {
            [] => String::new(),
            names => format!(
                "; the template writes `{}`, which the tokenizer does not name: add it to its \
                 tokenizer_config.json, or choose another template",
                names.join("`, `")
            ),
        }
    }
}

/// An error of the template engine in one line, with the line of the template.
fn described(error: &minijinja::Error) -> String {
    let detail = error
        .detail()
        .map(|detail| format!(": {detail}"))
        .unwrap_or_default();
    let line = error
        .line()
        .map(|line| format!(" (line {line} of the template)"))
        .unwrap_or_default();
    format!("{}{detail}{line}", error.kind())
}

/// Literal markup in a template's source. Only forms that models reserve for turns are taken: tags
/// like `<tools>` are ordinary text in some records.
fn control_markup(source: &str) -> Vec<String> {
    let forms = Regex::new(r"<\|[^|<>\s]+\|>|\[/?[A-Z][A-Z_]+\]|<</?SYS>>|<(?:start|end)_of_turn>");
    let forms = forms.expect("the pattern is fixed and parses");
    let mut found: Vec<String> = Vec::new();
    for markup in forms.find_iter(source) {
        if !found.iter().any(|known| known == markup.as_str()) {
            found.push(markup.as_str().to_owned());
        }
    }
    found
}

fn take_marks(marked: &str, open: char, close: char) -> Rendered {
    let mut text = String::with_capacity(marked.len());
    let mut generated: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for c in marked.chars() {
        if c == open {
            start = text.len();
        } else if c == close {
            if start < text.len() {
                generated.push(start..text.len());
            }
        } else {
            text.push(c);
        }
    }
    Rendered { text, generated }
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    fn template(source: &str) -> ChatTemplate {
        ChatTemplate::new(source, Map::new()).unwrap()
    }

    fn chat() -> Vec<Message> {
        vec![
            Message::new(Role::User, "hi"),
            Message::new(Role::Assistant, " yes "),
        ]
    }

    #[test]
    fn generation_blocks_are_located_and_leave_no_trace() {
        let source = "{% for m in messages %}\n{{ m.role }}:\n{%- if m.role == 'assistant' %}\n  {%- generation -%}\n  {{ m.content }}{{ loop.index }}|\n  {%- endgeneration -%}\n{%- else %}{{ m.content }}{% endif %}\n;{% endfor %}";
        let rendered = template(source)
            .render_marked(&chat(), &[], &RenderOptions::default())
            .unwrap();
        assert_eq!(rendered.text, "user:hi;assistant: yes 2|;");
        assert_eq!(&rendered.text[rendered.generated[0].clone()], " yes 2|");
        let plain = template(source)
            .render(&chat(), &[], &RenderOptions::default())
            .unwrap();
        assert_eq!(plain, rendered.text);
    }

    #[test]
    fn a_special_token_that_is_not_named_is_said_where_a_template_breaks() {
        let said = |special: Map<String, Json>| {
            let template = ChatTemplate::new("{{ bos_token + messages[0].content }}", special);
            let rendered = template
                .unwrap()
                .render(&chat(), &[], &RenderOptions::default());
            rendered.map_err(|error| error.to_string())
        };
        let error = said(Map::new()).unwrap_err();
        assert!(
            error.contains("`bos_token`, which the tokenizer does not name"),
            "{error}"
        );
        let mut special = Map::new();
        special.insert("bos_token".into(), json!("<s>"));
        assert_eq!(said(special).unwrap(), "<s>hi");
    }

    #[test]
    fn a_raised_exception_keeps_its_message() {
        let error =
            template("{% if true %}{{ raise_exception('No ' + messages[0].role) }}{% endif %}")
                .render(&chat(), &[], &RenderOptions::default())
                .unwrap_err();
        assert_eq!(
            error,
            TextError::Rejected {
                message: "No user".into()
            }
        );
    }

    #[test]
    fn a_broken_template_names_its_line() {
        let error = ChatTemplate::new("a\n{% if %}", Map::new()).unwrap_err();
        assert!(
            error.to_string().contains("line 2 of the template"),
            "{error}"
        );
    }

    #[test]
    fn records_with_tools_take_the_tool_use_variant() {
        let variants = [
            ("default".to_owned(), "d".to_owned()),
            ("tool_use".to_owned(), "t".to_owned()),
        ];
        let template = ChatTemplate::with_variants(&variants, Map::new()).unwrap();
        let render = |tools: &[Json]| {
            template
                .render(&chat(), tools, &RenderOptions::default())
                .unwrap()
        };
        assert_eq!(
            (render(&[]).as_str(), render(&[json!({})]).as_str()),
            ("d", "t")
        );
    }

    #[test]
    fn marks_avoid_characters_of_the_conversation() {
        let mut messages = chat();
        messages[1].content = Some("a\u{10fffd}b".into());
        let rendered = template("{% generation %}{{ messages[1].content }}{% endgeneration %}")
            .render_marked(&messages, &[], &RenderOptions::default())
            .unwrap();
        assert_eq!(rendered.text, "a\u{10fffd}b");
        let all = 0..rendered.text.len();
        assert_eq!(rendered.generated, std::slice::from_ref(&all));
    }

    #[test]
    fn the_clock_is_an_argument() {
        let source = "{{ strftime_now('%d %b %Y') if strftime_now is defined else 'none' }}";
        let mut options = RenderOptions::default();
        assert_eq!(
            template(source).render(&chat(), &[], &options).unwrap(),
            "none"
        );
        let mut dated = template("{{ strftime_now('%Y') }}");
        assert!(dated.asks_for_date() && !template(source).asks_for_date());
        dated.set_date(DateTime::from_unix(0));
        assert_eq!(dated.render(&chat(), &[], &options).unwrap(), "1970");
        options.now = Some(DateTime::from_unix(0));
        assert_eq!(
            template(source).render(&chat(), &[], &options).unwrap(),
            "01 Jan 1970"
        );
    }
}
