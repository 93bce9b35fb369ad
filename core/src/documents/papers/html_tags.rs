//! The tags of a page as the parser finds them, before it does: how many attributes they have.

/// Elements whose content is text up to their own end.
const RAW: [&str; 8] = [
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes",
];

/// Attributes of the tag that has the most.
pub(super) fn most_attributes(text: &str) -> usize {
    let (mut most, mut rest) = (0, text);
    while let Some((_, behind)) = rest.split_once('<') {
        let name = behind.strip_prefix('/').unwrap_or(behind);
        rest = if let Some(comment) = behind.strip_prefix("!--") {
            behind_comment(comment)
        } else if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let (name, attributes) = name.split_at(name.find(ends_name).unwrap_or(name.len()));
            let (n, content) = counted(attributes);
            most = most.max(n);
            match behind.starts_with('/') {
                true => content,
                false => behind_raw(name, content),
            }
        } else if behind.starts_with(['!', '?', '/']) {
            behind.split_once('>').map_or("", |(_, behind)| behind)
        } else {
            behind
        };
    }
    most
}

fn ends_name(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '/' | '>')
}

/// What follows a comment, which ends with `-->`, `--!>`, or at once.
fn behind_comment(comment: &str) -> &str {
    let ends = |at: usize| {
        let before = comment.get(..at).unwrap_or_default();
        matches!(before, "" | "-") || before.ends_with("--") || before.ends_with("--!")
    };
    let mut signs = comment.match_indices('>');
    let end = signs.find(|(at, _)| ends(*at));
    end.and_then(|(at, _)| comment.get(at + 1..))
        .unwrap_or_default()
}

/// From the end tag of an element whose content is no markup; of others, all of it.
fn behind_raw<'a>(name: &str, content: &'a str) -> &'a str {
    if !RAW.iter().any(|raw| raw.eq_ignore_ascii_case(name)) {
        return content;
    }
    let is_end = |at: usize| {
        let rest = content.get(at + 2..).unwrap_or_default();
        let same = rest.get(..name.len());
        same.is_some_and(|same| same.eq_ignore_ascii_case(name))
            && rest
                .get(name.len()..)
                .is_some_and(|rest| rest.starts_with(ends_name))
    };
    let mut signs = content.match_indices("</");
    let end = signs.find(|(at, _)| is_end(*at));
    end.and_then(|(at, _)| content.get(at..))
        .unwrap_or_default()
}

/// Where in a tag one is, behind its name.
#[derive(Clone, Copy)]
enum At {
    Between,
    Name,
    BehindName,
    BeforeValue,
    Value,
    /// Up to the same sign.
    Quoted(u8),
}

/// The attributes of a tag, and what follows it.
fn counted(tag: &str) -> (usize, &str) {
    let (mut n, mut state) = (0, At::Between);
    for (at, byte) in tag.bytes().enumerate() {
        state = match (state, byte) {
            (At::Quoted(sign), _) if byte == sign => At::Between,
            (At::Quoted(sign), _) => At::Quoted(sign),
            (_, b'>') => return (n, tag.get(at + 1..).unwrap_or_default()),
            (At::BeforeValue, b'"' | b'\'') => At::Quoted(byte),
            (At::BeforeValue | At::Between | At::BehindName, _) if byte.is_ascii_whitespace() => {
                state
            }
            (At::Value, _) if byte.is_ascii_whitespace() => At::Between,
            (At::BeforeValue | At::Value, _) => At::Value,
            (At::Name, _) if byte.is_ascii_whitespace() => At::BehindName,
            (At::Between | At::Name | At::BehindName, b'/') => At::Between,
            (At::Name | At::BehindName, b'=') => At::BeforeValue,
            (At::Name, _) => At::Name,
            (At::Between | At::BehindName, _) => {
                n += 1;
                At::Name
            }
        };
    }
    (n, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_counted_as_the_parser_does() {
        for (text, n) in [
            ("a < b and 1 <2", 0),
            ("<p>x</p><br/>", 0),
            ("<a href=x y = 'a > b' z=\"<b c d>\"/>", 3),
            ("<a b/c=d/e f>", 3),
            ("<a =b c>", 2),
            ("<!-- <a b c> --><a b>", 1),
            ("<!--><a b c>-->", 2),
            ("<!doctype html public x><?xml a b?></ a b><i j>", 1),
            ("<script>if(a<b c d){}</script x><i>", 1),
            ("<SCRIPT a>'</scripts><b c d>'</script>", 1),
            ("<title><b c d></title><a", 0),
            ("<a b='é>", 1),
        ] {
            assert_eq!(most_attributes(text), n, "{text}");
        }
    }
}
