//! A chat template in Go's syntax, for Ollama, read off what the Jinja template renders.
//!
//! Small conversations with marked contents are rendered; what stands around the marks gives the
//! text before and after each role. Templates that are not regular in this way (a system message
//! inside the first user turn, reasoning that disappears from the history) are left out: Ollama
//! then takes what it knows of the template inside the file.

/// A message of a probe: role and content.
pub type Probe<'a> = &'a [(&'a str, &'a str)];

/// Renders a probe; the flag asks for the start of an answer. `None` where the template refuses.
pub type RenderProbe<'a> = &'a dyn Fn(Probe<'_>, bool) -> Option<String>;

const SYSTEM: &str = "\u{1}S\u{1}";
const USER: &str = "\u{1}U\u{1}";
const ANSWER: &str = "\u{1}A\u{1}";
const AGAIN: &str = "\u{1}V\u{1}";

/// The texts around each role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoTemplate {
    /// Before everything, when there is no system message.
    lead: String,
    before_system: String,
    after_system: String,
    before_user: String,
    /// After a user's message and before the answer.
    between: String,
    after_answer: String,
}

impl GoTemplate {
    /// Reads the texts off the template; `bos` is cut from the start where the engine adds it.
    pub fn derive(render: RenderProbe<'_>, bos: Option<&str>) -> Option<Self> {
        let asked = render(&[("user", USER)], true)?;
        let (first, between) = asked.split_once(USER)?;
        let answered = render(&[("user", USER), ("assistant", ANSWER)], false)?;
        let after_answer = answered.strip_prefix(&format!("{first}{USER}{between}{ANSWER}"))?;
        let history = [("user", USER), ("assistant", ANSWER), ("user", AGAIN)];
        let history = render(&history, true)?;
        let before_user = history
            .strip_prefix(&answered)?
            .strip_suffix(&format!("{AGAIN}{between}"))?;
        let lead = first.strip_suffix(before_user)?;
        let with_system = render(&[("system", SYSTEM), ("user", USER)], true)?;
        let (before_system, rest) = with_system.split_once(SYSTEM)?;
        let after_system = rest.strip_suffix(&format!("{before_user}{USER}{between}"))?;

        let without_bos = |text: &str| {
            let cut = bos.and_then(|bos| text.strip_prefix(bos));
            cut.unwrap_or(text).to_owned()
        };
        let template = Self {
            lead: without_bos(lead),
            before_system: without_bos(before_system),
            after_system: after_system.to_owned(),
            before_user: before_user.to_owned(),
            between: between.to_owned(),
            after_answer: after_answer.to_owned(),
        };
        let texts = [
            &template.lead,
            &template.before_system,
            &template.after_system,
            &template.before_user,
            &template.between,
            &template.after_answer,
        ];
        // These would end the text in a Modelfile or start an action in Go.
        let unsafe_text = |text: &&String| text.contains("{{") || text.contains("\"\"\"");
        (!texts.iter().any(unsafe_text)).then_some(template)
    }

    /// The template in Go's syntax.
    pub fn source(&self) -> String {
        let mut source = String::new();
        source.push_str("{{ if .System }}");
        source.push_str(&self.before_system);
        source.push_str("{{ .System }}");
        source.push_str(&self.after_system);
        if !self.lead.is_empty() {
            source.push_str("{{ else }}");
            source.push_str(&self.lead);
        }
        source.push_str("{{ end }}{{ range .Messages }}{{ if eq .Role \"user\" }}");
        source.push_str(&self.before_user);
        source.push_str("{{ .Content }}");
        source.push_str(&self.between);
        source.push_str("{{ else if eq .Role \"assistant\" }}{{ .Content }}");
        source.push_str(&self.after_answer);
        source.push_str("{{ end }}{{ end }}");
        source
    }

    /// What ends an answer, without white space.
    pub fn stop(&self) -> Option<&str> {
        Some(self.after_answer.trim()).filter(|stop| !stop.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chatml(default_system: &str) -> impl Fn(Probe<'_>, bool) -> Option<String> {
        move |messages, generate| {
            let mut text = "<s>".to_owned();
            if messages[0].0 != "system" && !default_system.is_empty() {
                text.push_str(&format!("<|im_start|>system\n{default_system}<|im_end|>\n"));
            }
            for (role, content) in messages {
                text.push_str(&format!("<|im_start|>{role}\n{content}<|im_end|>\n"));
            }
            if generate {
                text.push_str("<|im_start|>assistant\n");
            }
            Some(text)
        }
    }

    #[test]
    fn chatml_with_a_default_system_message() {
        let template = GoTemplate::derive(&chatml("Be kind."), Some("<s>")).unwrap();
        assert_eq!(
            template.source(),
            "{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n{{ else }}\
             <|im_start|>system\nBe kind.<|im_end|>\n{{ end }}{{ range .Messages }}\
             {{ if eq .Role \"user\" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n\
             <|im_start|>assistant\n{{ else if eq .Role \"assistant\" }}{{ .Content }}\
             <|im_end|>\n{{ end }}{{ end }}"
        );
        assert_eq!(template.stop(), Some("<|im_end|>"));
    }

    #[test]
    fn the_first_token_stays_where_the_engine_adds_none() {
        let template = GoTemplate::derive(&chatml(""), None).unwrap();
        assert!(
            template
                .source()
                .starts_with("{{ if .System }}<s><|im_start|>")
        );
        assert!(template.source().contains("{{ else }}<s>{{ end }}"));
    }

    #[test]
    fn a_system_message_inside_the_user_turn_gives_none() {
        let llama2 = |messages: Probe<'_>, _: bool| {
            let (system, rest) = match messages[0].0 {
                "system" => (format!("<<SYS>>{}<</SYS>>", messages[0].1), &messages[1..]),
                _ => (String::new(), messages),
            };
            let turns = rest.iter().map(|(role, content)| match *role {
                "user" => format!("[INST] {system}{content} [/INST]"),
                _ => format!(" {content} </s>"),
            });
            Some(turns.collect())
        };
        assert_eq!(GoTemplate::derive(&llama2, None), None);
    }

    #[test]
    fn a_template_that_refuses_gives_none() {
        assert_eq!(GoTemplate::derive(&|_, _| None, None), None);
    }

    #[test]
    fn texts_that_go_would_read_as_actions_give_none() {
        let odd = |messages: Probe<'_>, _: bool| {
            Some(
                messages
                    .iter()
                    .map(|(_, text)| format!("{{{{{text}"))
                    .collect(),
            )
        };
        assert_eq!(GoTemplate::derive(&odd, None), None);
    }
}
