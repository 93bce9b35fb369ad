//! The environment in which a template runs: trim_blocks, lstrip_blocks, loop controls, and
//! filters, tests and functions that behave as Jinja2's and transformers' do.

use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior};

use super::filters::{self, refuse_none};
use super::json::{JsonStyle, dumps};
use super::methods;
use super::python::{is_space, split_lines, str_of};
use super::source::GENERATION_FILTER;

/// Context variable with the character that opens assistant text; absent when nobody asks.
pub(crate) const OPEN_MARK: &str = "__open_mark__";
/// Context variable with the character that closes assistant text.
pub(crate) const CLOSE_MARK: &str = "__close_mark__";

/// What a template said with `raise_exception`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

/// The message of `raise_exception`, when that is what stopped the template.
pub(crate) fn rejection(error: &Error) -> Option<String> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(Raised(message)) = cause.downcast_ref::<Raised>() {
            return Some(message.clone());
        }
        source = cause.source();
    }
    None
}

/// An environment without templates and without a clock: `strftime_now` comes with the context.
pub(crate) fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_trim_blocks(true);
    env.set_lstrip_blocks(true);
    env.set_undefined_behavior(UndefinedBehavior::Lenient);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_unknown_method_callback(methods::call);
    env.set_formatter(|out, _state, value| {
        out.write_str(&str_of(value)).map_err(|error| {
            Error::new(ErrorKind::WriteFailure, "the text could not be written").with_source(error)
        })
    });
    add_functions(&mut env);
    add_filters(&mut env);
    add_tests(&mut env);
    env
}

fn add_functions(env: &mut Environment<'static>) {
    env.add_function(
        "raise_exception",
        |message: Value| -> Result<Value, Error> {
            let message = str_of(&message);
            Err(Error::new(ErrorKind::InvalidOperation, message.clone())
                .with_source(Raised(message)))
        },
    );
}

fn add_filters(env: &mut Environment<'static>) {
    filters::add_to(env);
    env.add_filter("tojson", to_json);
    env.add_filter("string", |value: Value| str_of(&value));
    env.add_filter("trim", |value: Value, chars: Option<String>| {
        let text = str_of(&value);
        match chars {
            Some(chars) => text.trim_matches(|c| chars.contains(c)).to_owned(),
            None => methods::strip(&text).to_owned(),
        }
    });
    env.add_filter("default", default_filter);
    env.add_filter("d", default_filter);
    env.add_filter("int", to_int);
    env.add_filter("float", to_float);
    env.add_filter("indent", indent);
    env.add_filter("join", join);
    env.add_filter("length", length);
    env.add_filter("count", length);
    env.add_filter("center", |value: Value, width: Option<usize>| {
        let text = str_of(&value);
        let missing = width
            .unwrap_or(80)
            .min(1 << 20)
            .saturating_sub(text.chars().count());
        let left = missing / 2 + (missing & width.unwrap_or(80) & 1);
        format!("{}{text}{}", " ".repeat(left), " ".repeat(missing - left))
    });
    env.add_filter(GENERATION_FILTER, mark_generation);
}

fn add_tests(env: &mut Environment<'static>) {
    env.add_test("sequence", |value: &Value| {
        matches!(
            value.kind(),
            ValueKind::Seq | ValueKind::Iterable | ValueKind::String | ValueKind::Map
        )
    });
    env.add_test("iterable", |value: &Value| {
        matches!(
            value.kind(),
            ValueKind::Seq
                | ValueKind::Iterable
                | ValueKind::String
                | ValueKind::Map
                | ValueKind::Undefined
        )
    });
    env.add_test("number", |value: &Value| {
        matches!(value.kind(), ValueKind::Number | ValueKind::Bool)
    });
    env.add_test("lower", |value: &Value| methods::is_lower(&str_of(value)));
    env.add_test("upper", |value: &Value| methods::is_upper(&str_of(value)));
    env.add_test("callable", |value: &Value| value.kind() == ValueKind::Plain);
}

/// Wraps what a `{% generation %}` block wrote in the marks of this rendering, if it has any.
fn mark_generation(state: &State, text: String) -> String {
    let mark = |name| {
        state
            .lookup(name)
            .map(|mark| str_of(&mark))
            .unwrap_or_default()
    };
    format!("{}{text}{}", mark(OPEN_MARK), mark(CLOSE_MARK))
}

/// `tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
fn to_json(value: Value, args: Rest<Value>, kwargs: Kwargs) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(Error::new(
            ErrorKind::UndefinedError,
            "object of type Undefined is not JSON serializable",
        ));
    }
    let argument = |index: usize, name: &str| -> Result<Option<Value>, Error> {
        Ok(match args.get(index) {
            Some(value) => Some(value.clone()),
            None => kwargs.get::<Option<Value>>(name)?,
        }
        .filter(|value| !value.is_none()))
    };
    let is_true = |value: Option<Value>| value.is_some_and(|value| value.is_true());
    let style = JsonStyle {
        ensure_ascii: is_true(argument(0, "ensure_ascii")?),
        indent: argument(1, "indent")?.map(|indent| indent_unit(&indent)),
        separators: argument(2, "separators")?
            .as_ref()
            .map(separators)
            .transpose()?,
        sort_keys: is_true(argument(3, "sort_keys")?),
    };
    kwargs.assert_all_used()?;
    dumps(&value, &style)
}

fn indent_unit(indent: &Value) -> String {
    match indent.as_str() {
        Some(text) => text.to_owned(),
        None => " ".repeat(indent.as_usize().unwrap_or(0).min(64)),
    }
}

fn separators(pair: &Value) -> Result<(String, String), Error> {
    let parts: Vec<Value> = pair.try_iter()?.collect();
    match parts.as_slice() {
        [item, key] => Ok((str_of(item), str_of(key))),
        _ => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!(
                "`separators` of tojson has {} entries, expected 2",
                parts.len()
            ),
        )),
    }
}

/// Jinja2's `default`: replaces undefined values, and with `boolean=true` false ones; never `none` alone.
fn default_filter(
    value: Value,
    other: Option<Value>,
    boolean: Option<Value>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let other = match other {
        Some(other) => other,
        None => kwargs
            .get::<Option<Value>>("default_value")?
            .unwrap_or_else(|| Value::from("")),
    };
    let boolean = match boolean {
        Some(boolean) => Some(boolean),
        None => kwargs.get::<Option<Value>>("boolean")?,
    };
    kwargs.assert_all_used()?;
    let replace_false = boolean.is_some_and(|boolean| boolean.is_true());
    let keep = !(value.is_undefined() || (replace_false && !value.is_true()));
    Ok(if keep { value } else { other })
}

/// Jinja2's `indent(width=4, first=False, blank=False)`.
fn indent(
    value: Value,
    width: Option<Value>,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let width = match width {
        Some(width) => Some(width),
        None => kwargs.get::<Option<Value>>("width")?,
    };
    let first = first.or(kwargs.get("first")?).unwrap_or(false);
    let blank = blank.or(kwargs.get("blank")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    let unit = width.map_or_else(
        || "    ".to_owned(),
        |width| match width.as_str() {
            Some(text) => text.to_owned(),
            None => " ".repeat(width.as_usize().unwrap_or(0).min(1 << 10)),
        },
    );
    if value.as_str().is_none() && !value.is_undefined() {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a value of type {} cannot be indented", value.kind()),
        ));
    }
    // Jinja2 adds a newline first, so that a final newline counts as a last, empty line.
    let text = str_of(&value) + "\n";
    let mut out = String::new();
    for (index, line) in split_lines(&text, false).into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let indented = if index == 0 {
            first
        } else {
            blank || !line.is_empty()
        };
        if indented {
            out.push_str(&unit);
        }
        out.push_str(line);
    }
    Ok(out)
}

/// Jinja2's `int(default=0, base=10)`: what Python's `int` reads, else what `float` reads, cut off.
fn to_int(
    value: Value,
    default: Option<Value>,
    base: Option<u32>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let default = match default {
        Some(default) => Some(default),
        None => kwargs.get::<Option<Value>>("default")?,
    };
    let base = base.or(kwargs.get("base")?).unwrap_or(10).clamp(2, 36);
    kwargs.assert_all_used()?;
    let read = |text: &str| {
        let text = text.trim_matches(is_space).replace('_', "");
        let whole = i64::from_str_radix(&text, base).ok();
        whole.or_else(|| finite(text.parse().ok()?).map(|x| x as i64))
    };
    let number = match value.as_str() {
        Some(text) => read(text),
        None if value.kind() == ValueKind::Bool => Some(i64::from(value.is_true())),
        None if value.is_integer() => return Ok(value),
        None => f64::try_from(value).ok().and_then(finite).map(|x| x as i64),
    };
    Ok(number
        .map(Value::from)
        .or(default)
        .unwrap_or_else(|| Value::from(0)))
}

/// Jinja2's `float(default=0.0)`.
fn to_float(value: Value, default: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let default = match default {
        Some(default) => Some(default),
        None => kwargs.get::<Option<Value>>("default")?,
    };
    kwargs.assert_all_used()?;
    let number = match value.as_str() {
        Some(text) => text
            .trim_matches(is_space)
            .replace('_', "")
            .parse::<f64>()
            .ok(),
        None if value.kind() == ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        None => f64::try_from(value).ok(),
    };
    Ok(number
        .map(Value::from)
        .or(default)
        .unwrap_or_else(|| Value::from(0.0)))
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

fn join(
    value: Value,
    separator: Option<Value>,
    attribute: Option<Value>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let separator = match separator {
        Some(separator) => str_of(&separator),
        None => kwargs.get::<Option<String>>("d")?.unwrap_or_default(),
    };
    let attribute = match attribute {
        Some(attribute) => Some(attribute),
        None => kwargs.get::<Option<Value>>("attribute")?,
    };
    kwargs.assert_all_used()?;
    refuse_none(&value)?;
    let mut parts = Vec::new();
    for item in value.try_iter()? {
        parts.push(match &attribute {
            Some(attribute) => str_of(&item.get_item(attribute)?),
            None => str_of(&item),
        });
    }
    Ok(parts.join(&separator))
}

fn length(value: Value) -> Result<usize, Error> {
    if value.is_undefined() {
        return Ok(0);
    }
    refuse_none(&value)?;
    let n_iterated = || value.try_iter().ok().map(Iterator::count);
    value.len().or_else(n_iterated).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("a value of type {} has no length", value.kind()),
        )
    })
}
