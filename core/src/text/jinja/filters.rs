//! Filters of Jinja2 that minijinja has in another form: they write values the Python way, take all
//! of Jinja2's arguments, and refuse `none` where Python finds nothing to run through.

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, filters};

use super::python::{is_space, str_of};
use super::source::ITERABLE_FILTER;

pub(super) fn add_to(env: &mut Environment<'static>) {
    add_text_filters(env);
    env.add_filter(ITERABLE_FILTER, |value: Value| {
        refuse_none(&value).map(|()| value)
    });
    env.add_filter("list", |state: &State, value: Value| {
        refuse_none(&value)?;
        filters::list(state, value)
    });
    env.add_filter("sort", |state: &State, value: Value, kwargs: Kwargs| {
        refuse_none(&value)?;
        filters::sort(state, value, kwargs)
    });
    env.add_filter("unique", |state: &State, value: Value, kwargs: Kwargs| {
        refuse_none(&value)?;
        filters::unique(state, value, kwargs)
    });
    env.add_filter("reverse", |value: Value| {
        refuse_none(&value)?;
        match value.kind() {
            ValueKind::Map => Ok(value
                .try_iter()?
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect()),
            _ => filters::reverse(&value),
        }
    });
    env.add_filter("first", |value: Value| match value.is_undefined() {
        true => Ok(value),
        false => filters::first(&value),
    });
    env.add_filter("last", |value: Value| match value.kind() {
        ValueKind::Undefined => Ok(value),
        ValueKind::Map => Ok(value.try_iter()?.last().unwrap_or(Value::UNDEFINED)),
        _ => filters::last(value),
    });
    env.add_filter("items", |value: Value| match value.is_undefined() {
        true => Ok(Value::from(Vec::<Value>::new())),
        false => filters::items(&value),
    });
    env.add_filter("min", |state: &State, value: Value, kwargs: Kwargs| {
        outermost(state, value, &kwargs, false)
    });
    env.add_filter("max", |state: &State, value: Value, kwargs: Kwargs| {
        outermost(state, value, &kwargs, true)
    });
    env.add_filter("sum", sum);
    env.add_filter("round", round);
}

fn add_text_filters(env: &mut Environment<'static>) {
    env.add_filter("lower", |value: Value| str_of(&value).to_lowercase());
    env.add_filter("upper", |value: Value| str_of(&value).to_uppercase());
    env.add_filter("capitalize", |value: Value| capitalized(&str_of(&value)));
    env.add_filter("title", |value: Value| title(&str_of(&value)));
    env.add_filter("safe", |value: Value| {
        Value::from_safe_string(str_of(&value))
    });
    env.add_filter("escape", escape);
    env.add_filter("e", escape);
    env.add_filter("forceescape", |value: Value| {
        Value::from_safe_string(escaped(&str_of(&value)))
    });
    env.add_filter(
        "replace",
        |value: Value, old: Value, new: Value, count: Option<i64>| {
            let (text, old, new) = (str_of(&value), str_of(&old), str_of(&new));
            match count.and_then(|count| usize::try_from(count).ok()) {
                Some(count) => text.replacen(&old, &new, count),
                None => text.replace(&old, &new),
            }
        },
    );
    env.add_filter("wordcount", |value: Value| {
        let text = str_of(&value);
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.filter(|word| !word.is_empty()).count()
    });
}

/// An error where there is nothing to run through; what is undefined counts as empty.
pub(super) fn refuse_none(value: &Value) -> Result<(), Error> {
    match value.is_none() {
        true => Err(invalid("none is not iterable")),
        false => Ok(()),
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn escape(value: Value) -> Value {
    match value.is_safe() {
        true => value,
        false => Value::from_safe_string(escaped(&str_of(&value))),
    }
}

/// As MarkupSafe writes it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

/// The first character in upper case, the others in lower case.
fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars.as_str().to_lowercase().chars()).collect()
}

/// Words begin behind spaces, hyphens and opening brackets.
fn title(text: &str) -> String {
    let separates = |c: char| is_space(c) || matches!(c, '-' | '(' | '{' | '[' | '<');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let in_word = !separates(first);
        let end = rest.find(|c| separates(c) == in_word);
        let (item, after) = rest.split_at(end.unwrap_or(rest.len()));
        out.push_str(&capitalized(item));
        rest = after;
    }
    out
}

/// The smallest or largest item; by an attribute where one is named.
fn outermost(state: &State, value: Value, kwargs: &Kwargs, largest: bool) -> Result<Value, Error> {
    refuse_none(&value)?;
    let attribute: Option<Value> = kwargs.get("attribute")?;
    let keeps_case = kwargs
        .get::<Option<bool>>("case_sensitive")?
        .unwrap_or(false);
    kwargs.assert_all_used()?;
    let by = [
        ("attribute", attribute.unwrap_or(Value::UNDEFINED)),
        ("case_sensitive", Value::from(keeps_case)),
        // The first of several equal items counts, in both directions.
        ("reverse", Value::from(largest)),
    ];
    let by = by.into_iter().filter(|(_, value)| !value.is_undefined());
    let sorted = filters::sort(state, value, by.collect())?;
    Ok(sorted.try_iter()?.next().unwrap_or(Value::UNDEFINED))
}

/// Jinja2's `sum(attribute=none, start=0)`.
fn sum(
    state: &State,
    value: Value,
    attribute: Option<Value>,
    start: Option<Value>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    refuse_none(&value)?;
    let attribute = attribute.or(kwargs.get("attribute")?);
    let start = start.or(kwargs.get("start")?);
    kwargs.assert_all_used()?;
    let mut items: Vec<Value> = start.into_iter().collect();
    for item in value.try_iter()? {
        items.push(match &attribute {
            Some(attribute) => item.get_item(attribute)?,
            None => item,
        });
    }
    filters::sum(state, Value::from(items))
}

/// Jinja2's `round(precision=0, method="common")`: halves go to the even neighbour.
fn round(
    value: Value,
    precision: Option<i32>,
    method: Option<String>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let precision = precision.or(kwargs.get("precision")?).unwrap_or(0);
    let method = method.or(kwargs.get("method")?);
    kwargs.assert_all_used()?;
    let method = method.as_deref().unwrap_or("common");
    if method == "common" && value.is_integer() {
        return Ok(value);
    }
    let x = f64::try_from(value)?;
    let scale = 10f64.powi(precision);
    Ok(Value::from(match method {
        "ceil" => (x * scale).ceil() / scale,
        "floor" => (x * scale).floor() / scale,
        "common" => match usize::try_from(precision) {
            // Exact, where scaling would round twice.
            Ok(digits) => format!("{x:.0$}", digits.min(340)).parse().unwrap_or(x),
            Err(_) => (x * scale).round_ties_even() / scale,
        },
        _ => return Err(invalid("method must be common, ceil or floor")),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_as_in_jinja2() {
        assert_eq!(
            title("hELLO wORLD foo-bar it's (x) ñandú/ÉL"),
            "Hello World Foo-Bar It's (X) Ñandú/él"
        );
        assert_eq!(capitalized(""), "");
    }
}
