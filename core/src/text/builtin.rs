//! Chat templates by name, for models that bring none.
//!
//! Written for Veneer; each gives the bytes of the models' own template for conversations that both
//! accept. Assistant text stands in `{% generation %}` blocks, up to and with its end-of-turn token.

const TEMPLATES: [(&str, &str); 11] = [
    ("chatml", include_str!("templates/chatml.jinja")),
    ("llama2", include_str!("templates/llama2.jinja")),
    ("llama3", include_str!("templates/llama3.jinja")),
    ("mistral", include_str!("templates/mistral.jinja")),
    ("qwen2.5", include_str!("templates/qwen2.5.jinja")),
    ("qwen3", include_str!("templates/qwen3.jinja")),
    ("gemma", include_str!("templates/gemma.jinja")),
    ("phi3", include_str!("templates/phi3.jinja")),
    ("zephyr", include_str!("templates/zephyr.jinja")),
    ("alpaca", include_str!("templates/alpaca.jinja")),
    ("plain", include_str!("templates/plain.jinja")),
];

/// The source of a built-in template.
pub fn builtin_template(name: &str) -> Option<&'static str> {
    let found = TEMPLATES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|&(_, source)| source)
}

/// The names that [`builtin_template`] knows.
pub fn builtin_template_names() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|&(name, _)| name)
}
