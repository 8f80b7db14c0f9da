//! Reads `.env` as people write it: everything after `=` is the value, whatever shell characters it contains.
//!
//! The library gets one entry at a time, so that an error can name the line and the variable. Each `$` is
//! escaped for it, because the library would replace `$HOME` by the environment's `HOME`, and a secret would
//! silently become another one.

use std::collections::BTreeMap;

/// What some editors write before the first character of a UTF-8 file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The entries of a file, by name. Where a name occurs twice, the last entry wins. The error names every wrong
/// line, and no value.
pub(super) fn parse(file: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let text = std::str::from_utf8(file).map_err(|error| {
        let line = file[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        format!("line {line}: is not UTF-8")
    })?;
    let (mut entries, mut wrong) = (BTreeMap::new(), Vec::new());
    let mut lines = (1..).zip(without_mark(text).lines());
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(line, lines.by_ref().map(|(_, line)| line)) {
            Ok((name, value)) => drop(entries.insert(name, value)),
            Err(Wrong { name: Some(name), what }) => wrong.push(format!("line {number}, {name}: {what}")),
            Err(Wrong { name: None, what }) => wrong.push(format!("line {number}: {what}")),
        }
    }
    if wrong.is_empty() { Ok(entries) } else { Err(wrong.join("; ")) }
}

/// The text without the byte order mark that it may begin with.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Why an entry cannot be read.
struct Wrong {
    name: Option<String>,
    what: String,
}

/// Reads one entry, which begins on `line`. A quoted value may continue on the lines of `more`.
fn entry<'a>(line: &str, more: impl Iterator<Item = &'a str>) -> Result<(String, String), Wrong> {
    let unnamed = |what: &str| Wrong { name: None, what: what.to_owned() };
    let (name, value) = line.split_once('=').ok_or_else(|| unnamed("is not NAME=value"))?;
    let name = name.trim();
    let name =
        name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).map_or(name, str::trim);
    if !is_name(name) {
        return Err(unnamed("the part before = is not a name"));
    }
    let named = |what: String| Wrong { name: Some(name.to_owned()), what };
    let value = value.trim();
    let escaped =
        if value.starts_with(['"', '\'']) { quoted(value, more).map_err(named)? } else { bare(value) };
    let read = dotenv::from_read_iter(format!("{name}={escaped}").as_bytes()).next();
    match read {
        Some(Ok((_, value))) => Ok((name.to_owned(), value)),
        // The library's own message would show the value.
        Some(Err(_)) | None => Err(named(
            "the value cannot be read: a \\ must be followed by \\ ' \" $ n or a space, and only a # comment \
             may follow a closing quotation mark; in 'single quotes' a value is taken literally"
                .to_owned(),
        )),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

/// A value without quotation marks ends with its line, or before a comment, and is taken literally.
fn bare(value: &str) -> String {
    let comment = value.match_indices('#').map(|(at, _)| at).find(|at| is_comment(&value[..*at]));
    let mut escaped = "\"".to_owned();
    let mut is_escaped = false;
    for c in value[..comment.unwrap_or(value.len())].trim_end().chars() {
        if !is_escaped && matches!(c, '$' | '"') {
            escaped.push('\\');
        }
        escaped.push(c);
        is_escaped = c == '\\' && !is_escaped;
    }
    escaped + "\""
}

/// True where a `#` after this part of a value begins a comment.
fn is_comment(before: &str) -> bool {
    before.is_empty() || before.ends_with([' ', '\t'])
}

/// A quoted value with all of its lines, rewritten in double quotes and with each `$` escaped.
fn quoted<'a>(value: &str, mut more: impl Iterator<Item = &'a str>) -> Result<String, String> {
    let mut text = Quoted::default();
    let mut line = Some(value);
    while let Some(part) = line {
        text.take(part);
        let Some(open) = text.open else { return Ok(text.escaped) };
        text.escaped.push('\n');
        line = more.next();
        if line.is_none() {
            return Err(format!("the quotation mark {open} is not closed"));
        }
    }
    Ok(text.escaped)
}

/// The part of a quoted value that was read.
#[derive(Default)]
struct Quoted {
    escaped: String,
    /// The quotation mark that has not been closed yet.
    open: Option<char>,
    /// True where the last character was a backslash that escapes the next one.
    is_escaped: bool,
}

impl Quoted {
    fn take(&mut self, line: &str) {
        for (at, c) in line.char_indices() {
            if self.open.is_none() && c == '#' && is_comment(&line[..at]) {
                // The library takes a space at the end for a value that continues.
                self.escaped.truncate(self.escaped.trim_end().len());
                return;
            }
            self.take_char(c);
        }
    }

    fn take_char(&mut self, c: char) {
        let is_literal = self.open == Some('\'');
        let is_mark = !self.is_escaped && self.open.map_or(matches!(c, '"' | '\''), |open| open == c);
        if is_mark {
            self.open = if self.open.is_none() { Some(c) } else { None };
            self.escaped.push('"');
            return;
        }
        if (c == '$' && !self.is_escaped) || (is_literal && matches!(c, '\\' | '"')) {
            self.escaped.push('\\');
        }
        self.escaped.push(c);
        self.is_escaped = c == '\\' && !self.is_escaped && !is_literal;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(line: &str) -> String {
        let entries = parse(line.as_bytes()).unwrap_or_else(|wrong| panic!("{line}: {wrong}"));
        entries.into_values().next().unwrap()
    }

    #[test]
    fn a_value_is_what_stands_behind_the_equals_sign() {
        for (line, expected) in [
            ("A=abc$HOME", "abc$HOME"),
            ("A=\"${HOME} $$ $\"", "${HOME} $$ $"),
            ("A='$HOME \\'", "$HOME \\"),
            (r"A=a\$b\\c\ d", r"a$b\c d"),
            ("A=it's \"so\"", "it's \"so\""),
            ("A=a#b # c", "a#b"),
            ("A=#c", ""),
            ("A=\t# c", ""),
            ("A=a\tb", "a\tb"),
            ("A=", ""),
            ("export A=1", "1"),
            ("exported=1", "1"),
            ("A=\"x\" # c", "x"),
            ("A=\"a\nb $X\"", "a\nb $X"),
            ("A='a\n\nb'", "a\n\nb"),
            (r#"A="\"\\n\n""#, "\"\\n\n"),
            ("A=a=b", "a=b"),
        ] {
            assert_eq!(value(line), expected, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn a_secret_without_backslash_is_never_another_one(secret in "[!\"$-\\[\\]-~éã][!-\\[\\]-~éã $#{}'\"]{0,30}[!-\\[\\]-~]") {
            prop_assume!(!secret.starts_with(['"', '\'']) && !secret.contains(" #"));
            prop_assert_eq!(value(&format!("A={secret}")), secret);
        }

        #[test]
        fn whatever_stands_in_single_quotes_is_the_value(secret in "[^'\n\r]{0,30}") {
            prop_assert_eq!(value(&format!("A='{secret}'")), secret);
        }
    }
}
