//! Methods of Python's `str`, `list` and `dict` that templates call.
//!
//! Indices count characters. Methods that change a list or dictionary are refused, as the
//! sandbox in which transformers runs templates refuses them.

use minijinja::value::{Kwargs, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::filters::refuse_none;
use super::python::{is_space, split_lines, str_of};
use super::source::SLICE_METHOD;

/// Calls `value.method(args)`.
pub(super) fn call(
    state: &State,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    if method == SLICE_METHOD {
        return slice(value, args);
    }
    if method == "format" {
        // Only numbers and text have formats of their own.
        let written = |arg: &Value| match arg.kind() {
            ValueKind::Number | ValueKind::String => arg.clone(),
            _ if arg.is_kwargs() => arg.clone(),
            _ => Value::from(str_of(arg)),
        };
        let args: Vec<Value> = args.iter().map(written).collect();
        return unknown_method_callback(state, value, method, &args);
    }
    let own = match value.kind() {
        ValueKind::String => string_method(value.as_str().unwrap_or_default(), method, args)?,
        ValueKind::Seq | ValueKind::Iterable => list_method(value, method, args)?,
        ValueKind::Map if method == "copy" => Some(value.clone()),
        _ => None,
    };
    match own {
        Some(result) => Ok(result),
        None => unknown_method_callback(state, value, method, args),
    }
}

/// `str.islower`.
pub(super) fn is_lower(text: &str) -> bool {
    text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase)
}

/// `str.isupper`.
pub(super) fn is_upper(text: &str) -> bool {
    text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)
}

/// What `str.strip` without arguments takes off.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

fn string_method(text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "strip" | "lstrip" | "rstrip" => {
            let (chars,): (Option<&str>,) = from_args(args)?;
            let drop = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
            Value::from(match method {
                "strip" => text.trim_matches(drop),
                "lstrip" => text.trim_start_matches(drop),
                _ => text.trim_end_matches(drop),
            })
        }
        "split" | "rsplit" => split(text, args, method == "rsplit")?,
        "splitlines" => {
            let (keep_ends, kwargs): (Option<bool>, Kwargs) = from_args(args)?;
            let keep_ends = keep_ends.or(kwargs.get("keepends")?).unwrap_or(false);
            kwargs.assert_all_used()?;
            list_of(split_lines(text, keep_ends))
        }
        "startswith" | "endswith" => affix(text, args, method == "startswith")?,
        "find" | "rfind" | "index" | "rindex" | "count" => search(text, method, args)?,
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            list_of(match method {
                "partition" => match text.split_once(separator) {
                    Some((before, after)) => [before, separator, after],
                    None => [text, "", ""],
                },
                _ => match text.rsplit_once(separator) {
                    Some((before, after)) => [before, separator, after],
                    None => ["", "", text],
                },
            })
        }
        "ljust" | "rjust" | "center" | "zfill" => pad(text, method, args)?,
        "casefold" => Value::from(text.to_lowercase()),
        "swapcase" => Value::from(text.chars().flat_map(swap_case).collect::<String>()),
        "title" => Value::from(title(text)),
        "isspace" | "isdigit" | "isnumeric" | "isdecimal" | "isalnum" | "isalpha" => {
            let holds: fn(char) -> bool = match method {
                "isspace" => is_space,
                "isalpha" => char::is_alphabetic,
                "isalnum" => char::is_alphanumeric,
                _ => char::is_numeric,
            };
            Value::from(!text.is_empty() && text.chars().all(holds))
        }
        "islower" => Value::from(is_lower(text)),
        "isupper" => Value::from(is_upper(text)),
        "join" => {
            let (items,): (Value,) = from_args(args)?;
            refuse_none(&items)?;
            let items = items.try_iter()?.map(|item| match item.as_str() {
                Some(text) => Ok(text.to_owned()),
                None => Err(invalid(format!(
                    "a value of type {} cannot be joined, only text",
                    item.kind()
                ))),
            });
            Value::from(items.collect::<Result<Vec<_>, Error>>()?.join(text))
        }
        _ => return Ok(None),
    }))
}

/// A list of strings that own their text.
fn list_of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Value {
    parts.into_iter().map(Value::from).collect()
}

fn split(text: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (separator, max, kwargs): (Option<&str>, Option<i64>, Kwargs) = from_args(args)?;
    let separator = separator.or(kwargs.get("sep")?);
    let max = max.or(kwargs.get("maxsplit")?).unwrap_or(-1);
    kwargs.assert_all_used()?;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let parts = match (separator, from_right) {
        (Some(""), _) => return Err(invalid("empty separator".into())),
        (Some(separator), false) => text.splitn(max.saturating_add(1), separator).collect(),
        (Some(separator), true) => {
            let mut parts: Vec<&str> = text.rsplitn(max.saturating_add(1), separator).collect();
            parts.reverse();
            parts
        }
        (None, false) => split_space(text, max),
        (None, true) => rsplit_space(text, max),
    };
    Ok(list_of(parts))
}

/// `str.split(None, max)`: runs of white space separate, the rest after `max` splits stays whole.
fn split_space(text: &str, max: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        match rest.find(is_space) {
            Some(end) if parts.len() < max => {
                parts.push(&rest[..end]);
                rest = rest[end..].trim_start_matches(is_space);
            }
            Some(_) | None => {
                let whole = if parts.len() < max {
                    rest.trim_end_matches(is_space)
                } else {
                    rest
                };
                parts.push(whole);
                break;
            }
        }
    }
    parts
}

fn rsplit_space(text: &str, max: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end_matches(is_space);
    while !rest.is_empty() {
        let last = rest.char_indices().rev().find(|&(_, c)| is_space(c));
        match last {
            Some((at, c)) if parts.len() < max => {
                parts.push(&rest[at + c.len_utf8()..]);
                rest = rest[..at].trim_end_matches(is_space);
            }
            Some(_) | None => {
                parts.push(rest);
                break;
            }
        }
    }
    parts.reverse();
    parts
}

/// The characters of `text` between two Python indices, and where they start.
fn window(text: &str, start: Option<i64>, end: Option<i64>) -> (usize, &str) {
    let n_chars = text.chars().count() as i64;
    let place = |index: i64| {
        if index < 0 {
            (index + n_chars).max(0)
        } else {
            index.min(n_chars)
        }
    };
    let (start, end) = (place(start.unwrap_or(0)), place(end.unwrap_or(n_chars)));
    let byte = |index: i64| {
        text.char_indices()
            .nth(index as usize)
            .map_or(text.len(), |(at, _)| at)
    };
    (
        start as usize,
        if start < end {
            &text[byte(start)..byte(end)]
        } else {
            ""
        },
    )
}

fn affix(text: &str, args: &[Value], at_start: bool) -> Result<Value, Error> {
    let (affixes, start, end): (Value, Option<i64>, Option<i64>) = from_args(args)?;
    let (_, text) = window(text, start, end);
    let holds = |affix: &str| {
        if at_start {
            text.starts_with(affix)
        } else {
            text.ends_with(affix)
        }
    };
    if let Some(affix) = affixes.as_str() {
        return Ok(Value::from(holds(affix)));
    }
    let any = affixes
        .try_iter()?
        .any(|affix| affix.as_str().is_some_and(holds));
    Ok(Value::from(any))
}

fn search(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (needle, start, end): (&str, Option<i64>, Option<i64>) = from_args(args)?;
    let (offset, text) = window(text, start, end);
    if method == "count" {
        return Ok(Value::from(text.matches(needle).count()));
    }
    let at = if method.starts_with('r') {
        text.rfind(needle)
    } else {
        text.find(needle)
    };
    match at {
        Some(at) => Ok(Value::from(offset + text[..at].chars().count())),
        None if method.ends_with("find") => Ok(Value::from(-1)),
        None => Err(invalid(format!("substring `{needle}` not found"))),
    }
}

fn pad(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (width, fill): (usize, Option<char>) = from_args(args)?;
    let missing = width.min(1 << 20).saturating_sub(text.chars().count());
    let fill = |n: usize| fill.unwrap_or(' ').to_string().repeat(n);
    Ok(Value::from(match method {
        "ljust" => format!("{text}{}", fill(missing)),
        "rjust" => format!("{}{text}", fill(missing)),
        "center" => {
            // CPython puts the odd one left when both the gap and the width are odd.
            let left = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", fill(left), fill(missing - left))
        }
        _ => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let sign = &text[..text.len() - digits.len()];
            format!("{sign}{}{digits}", "0".repeat(missing))
        }
    }))
}

fn swap_case(c: char) -> Vec<char> {
    if c.is_uppercase() {
        c.to_lowercase().collect()
    } else {
        c.to_uppercase().collect()
    }
}

/// `str.title`: a letter after anything that is no letter is upper case, the others lower case.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    for c in text.chars() {
        if in_word {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        in_word = c.is_alphabetic();
    }
    out
}

fn list_method(list: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "index" => {
            let (wanted,): (Value,) = from_args(args)?;
            let at = list.try_iter()?.position(|item| item == wanted);
            Value::from(at.ok_or_else(|| invalid("the value is not in the list".into()))?)
        }
        "count" => {
            let (wanted,): (Value,) = from_args(args)?;
            Value::from(list.try_iter()?.filter(|item| *item == wanted).count())
        }
        "copy" => list.clone(),
        "append" | "extend" | "insert" | "pop" | "remove" | "clear" | "sort" | "reverse" => {
            return Err(invalid(format!(
                "the template may not change a list with `{method}`"
            )));
        }
        _ => return Ok(None),
    }))
}

/// `value[start:stop:step]`.
fn slice(value: &Value, args: &[Value]) -> Result<Value, Error> {
    let (start, stop, step): (Option<i64>, Option<i64>, Option<i64>) = from_args(args)?;
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(invalid("slice step cannot be zero".into()));
    }
    if let Some(text) = value.as_str() {
        let chars: Vec<char> = text.chars().collect();
        let picked = slice_indices(chars.len(), start, stop, step).map(|index| chars[index]);
        return Ok(Value::from(picked.collect::<String>()));
    }
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(invalid(format!(
            "a value of type {} cannot be sliced",
            value.kind()
        )));
    }
    let items: Vec<Value> = value.try_iter()?.collect();
    let picked = slice_indices(items.len(), start, stop, step).map(|index| items[index].clone());
    Ok(Value::from(picked.collect::<Vec<_>>()))
}

/// `range(*slice(start, stop, step).indices(len))`.
fn slice_indices(
    len: usize,
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
) -> impl Iterator<Item = usize> {
    let len = len as i64;
    let (lowest, highest) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let place = |index: i64| {
        (if index < 0 {
            index.saturating_add(len)
        } else {
            index
        })
        .clamp(lowest, highest.max(lowest))
    };
    let (first, last) = if step > 0 { (0, len) } else { (len - 1, -1) };
    let mut at = start.map_or(first, place);
    let stop = stop.map_or(last, place);
    std::iter::from_fn(move || {
        let inside = if step > 0 { at < stop } else { at > stop };
        let index = usize::try_from(at).ok().filter(|_| inside)?;
        at = at.saturating_add(step);
        Some(index)
    })
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_slice(bounds: [Option<i64>; 3], expected: &[usize]) {
        let [start, stop, step] = bounds;
        let got: Vec<usize> = slice_indices(5, start, stop, step.unwrap_or(1)).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn slices_are_pythons() {
        check_slice([Some(1), None, None], &[1, 2, 3, 4]);
        check_slice([None, Some(-1), None], &[0, 1, 2, 3]);
        check_slice([None, None, Some(-1)], &[4, 3, 2, 1, 0]);
        check_slice([None, Some(0), Some(-1)], &[4, 3, 2, 1]);
        check_slice([Some(2), Some(4), Some(-1)], &[]);
        check_slice([Some(-9), Some(9), Some(2)], &[0, 2, 4]);
        check_slice([Some(9), Some(-9), Some(-2)], &[4, 2, 0]);
        assert_eq!(slice_indices(0, None, None, -1).count(), 0);
        assert_eq!(
            slice_indices(3, Some(i64::MAX), Some(i64::MIN), i64::MIN).count(),
            1
        );
    }

    #[test]
    fn splitting_on_white_space_counts_splits() {
        assert_eq!(split_space("  a b\u{3000} c ", usize::MAX), ["a", "b", "c"]);
        assert_eq!(split_space(" a  b c ", 1), ["a", "b c "]);
        assert_eq!(rsplit_space(" a b  c ", 1), [" a b", "c"]);
    }
}
