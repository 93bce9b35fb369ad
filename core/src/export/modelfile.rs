//! Ollama's Modelfile: which file, which chat template, where answers end.

use super::GoTemplate;

/// The text of a Modelfile beside `gguf_file`; `stops` are texts that end an answer.
pub fn modelfile(gguf_file: &str, template: Option<&GoTemplate>, stops: &[String]) -> String {
    let mut text = format!("FROM ./{gguf_file}\n");
    match template {
        Some(template) => {
            text.push_str(&format!("TEMPLATE \"\"\"{}\"\"\"\n", template.source()));
        }
        None => text.push_str(
            "# No TEMPLATE: the model's chat template cannot be written in Ollama's syntax.\n\
             # Ollama uses its own where it recognises the one inside the file; if answers look\n\
             # wrong, write a TEMPLATE here.\n",
        ),
    }
    let own = template.and_then(GoTemplate::stop).map(str::to_owned);
    let mut written: Vec<&str> = Vec::new();
    for stop in own.iter().chain(stops).map(String::as_str) {
        if !written.contains(&stop) {
            text.push_str(&format!("PARAMETER stop {}\n", quoted(stop)));
            written.push(stop);
        }
    }
    text
}

/// Between double quotes where there are none inside, else between triple ones.
fn quoted(text: &str) -> String {
    if text.contains('"') {
        format!("\"\"\"{text}\"\"\"")
    } else {
        format!("\"{text}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_written_once_and_quoted() {
        let stops = ["</s>", "</s>", "<|end|>"].map(str::to_owned);
        let text = modelfile("m.gguf", None, &stops);
        assert!(text.starts_with("FROM ./m.gguf\n# No TEMPLATE"));
        assert!(text.ends_with("PARAMETER stop \"</s>\"\nPARAMETER stop \"<|end|>\"\n"));
    }

    #[test]
    fn the_template_is_triple_quoted() {
        let render = |messages: super::super::Probe<'_>, generate: bool| {
            let turns = messages
                .iter()
                .map(|(role, text)| format!("<{role}>{text}</{role}>\n"));
            let mut text: String = turns.collect();
            if generate {
                text.push_str("<assistant>");
            }
            Some(text)
        };
        let template = GoTemplate::derive(&render, None).unwrap();
        let text = modelfile("m.gguf", Some(&template), &[]);
        assert!(text.contains("TEMPLATE \"\"\"{{ if .System }}<system>"));
        assert!(text.ends_with("\"\"\"\nPARAMETER stop \"</assistant>\"\n"));
    }
}
