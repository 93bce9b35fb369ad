//! Formulas of HTML, on one line (MathML Core, 3.3 and 3.4).

use scraper::ElementRef;

use super::{
    formulas::{fraction, index, power, root, with_limits},
    html::{text_of, text_with},
};

/// Elements whose children stand above, below or over each other.
pub(super) fn is_formula(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "mfrac",
        "msup",
        "msub",
        "msubsup",
        "msqrt",
        "mroot",
        "munder",
        "mover",
        "munderover",
        "mfenced",
    ];
    NAMES.contains(&name)
}

pub(super) fn text(element: ElementRef<'_>, depth: usize) -> String {
    let parts: Vec<String> = element
        .child_elements()
        .map(|child| text_with(child, depth + 1))
        .collect();
    let part = |at: usize| parts.get(at).map_or("", String::as_str);
    match element.value().name() {
        "mfrac" => fraction(part(0), part(1)),
        // An accent.
        "mover" if !part(1).contains(char::is_alphanumeric) => parts.concat(),
        "msup" | "mover" => power(part(0), part(1)),
        "msub" | "munder" => index(part(0), part(1)),
        "msubsup" | "munderover" => with_limits(part(0), part(1), part(2)),
        "mroot" => root(part(0), part(1)),
        "msqrt" => root(&text_of(element, depth), ""),
        _ => {
            let sign = |name, default| element.value().attr(name).unwrap_or(default);
            let inner = parts.join(sign("separators", ","));
            format!("{}{inner}{}", sign("open", "("), sign("close", ")"))
        }
    }
}
