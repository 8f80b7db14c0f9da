//! Reads a directory of agents from CSV as spreadsheets save it: all of it, or nothing.
//!
//! The columns may be in any order, and are separated by `,`, `;` or tabs. A first line `sep=;`, a byte order
//! mark, blank rows, empty columns without a name, and missing cells at the end of a row are accepted.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord};

use super::member_fields::{MemberId, MemberName, MemberSector, PhotoUrl};
use super::spreadsheet::{BYTE_ORDER_MARK, unguarded};
use crate::domain::Member;
use crate::http::question::Value;

/// Largest file, in bytes: what fits into one update together with [`ROWS_MAX`].
pub const CSV_BYTES_MAX: usize = 256 * 1024;
/// Most entries in one file.
pub const ROWS_MAX: usize = 2_000;

/// The columns. The first two, `id` and `name`, are required.
const COLUMNS: [&str; 4] = ["id", "name", "photoUrl", "sectorId"];
/// The beginning of a first line by which spreadsheets tell each other the separator.
const SEPARATOR_LINE: &str = "sep=";

/// The index of each column in a row; `None` where the file does not have it.
type Places = [Option<usize>; COLUMNS.len()];

/// The entries of a file, or what is wrong with it, line by line.
pub fn read(file: &[u8]) -> Result<Vec<Member>, String> {
    let file = file.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(file);
    let text = std::str::from_utf8(file).map_err(|error| {
        let line = file[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        format!("line {line}: is not UTF-8")
    })?;
    let named = named_separator(text);
    let rows = ReaderBuilder::new()
        .delimiter(named.unwrap_or_else(|| separator(text)))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
        .into_records();
    let skipped = usize::from(named.is_some());
    let mut rows = rows.skip(skipped).filter(|row| !row.as_ref().is_ok_and(is_blank));
    let header = rows.next().ok_or("line 1: the header is missing")?.map_err(|error| error.to_string())?;
    let mut numbers = LineNumbers { text, seen: 0, line: 1 };
    let line = numbers.of(&header);
    let places = places(&header).map_err(|what| format!("line {line}: {what}"))?;
    let mut lines = Lines::default();
    for row in rows {
        let row = row.map_err(|error| error.to_string())?;
        lines.take(&row, &places, numbers.of(&row));
        if lines.members.len() > ROWS_MAX {
            return Err(format!("there are more than {ROWS_MAX} entries"));
        }
    }
    lines.finish()
}

/// The separator in a first line `sep=;`.
fn named_separator(text: &str) -> Option<u8> {
    let line = text.lines().next()?.trim_matches('"');
    let (name, separator) = line.split_at_checked(SEPARATOR_LINE.len())?;
    let is_named = name.eq_ignore_ascii_case(SEPARATOR_LINE);
    separator.bytes().next().filter(|byte| is_named && b",;\t|".contains(byte))
}

/// The separator of the header, whose names contain none. Spreadsheets of countries with a decimal comma write
/// `;`.
fn separator(text: &str) -> u8 {
    let header = text.lines().find(|line| line.contains(char::is_alphabetic)).unwrap_or_default();
    [b';', b'\t'].into_iter().find(|separator| header.as_bytes().contains(separator)).unwrap_or(b',')
}

fn is_blank(row: &StringRecord) -> bool {
    row.iter().all(|cell| cell.trim().is_empty())
}

/// The line numbers of rows. The library's own numbers are one too small where lines end with CR LF, and where
/// blank lines come before a row.
struct LineNumbers<'a> {
    text: &'a str,
    /// Bytes of which the lines have been counted.
    seen: usize,
    /// The line of the next byte.
    line: usize,
}

impl LineNumbers<'_> {
    /// The line on which a row begins. Rows must be asked for in their order.
    fn of(&mut self, row: &StringRecord) -> usize {
        let at =
            row.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.seen);
        let rest = self.text.get(at..).unwrap_or_default();
        let begins = at + (rest.len() - rest.trim_start_matches(['\r', '\n']).len());
        self.line += self.text.get(self.seen..begins).unwrap_or_default().matches('\n').count();
        self.seen = begins;
        self.line
    }
}

fn places(header: &StringRecord) -> Result<Places, String> {
    let mut places = Places::default();
    for (at, name) in header.iter().enumerate().filter(|(_, name)| !name.trim().is_empty()) {
        let known = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(name.trim()));
        let Some(column) = known else {
            return Err(format!("{name:?} is not a column; the columns are {}", COLUMNS.join(", ")));
        };
        if places[column].replace(at).is_some() {
            return Err(format!("the column {} is there twice", COLUMNS[column]));
        }
    }
    match places[..2].iter().position(Option::is_none) {
        Some(column) => Err(format!("the column {} is missing", COLUMNS[column])),
        None => Ok(places),
    }
}

/// What was read so far.
#[derive(Default)]
struct Lines {
    members: Vec<Member>,
    /// The line of each id.
    ids: HashMap<String, usize>,
    wrong: Vec<String>,
}

impl Lines {
    fn take(&mut self, row: &StringRecord, places: &Places, line: usize) {
        match self.check(row, places, line) {
            Ok(member) => self.members.push(member),
            Err(what) => {
                self.wrong.push(format!("line {line}: {what}"));
            }
        }
    }

    fn check(&mut self, row: &StringRecord, places: &Places, line: usize) -> Result<Member, String> {
        let is_nameless = |at: &usize| !places.contains(&Some(*at));
        if row.iter().enumerate().any(|(at, cell)| is_nameless(&at) && !cell.trim().is_empty()) {
            return Err("has a value in a column without a name".to_owned());
        }
        let field = |column: usize| unguarded(places[column].and_then(|at| row.get(at)).unwrap_or_default());
        let named = |column: usize| move |what: String| format!("{} {what}", COLUMNS[column]);
        let member = Member {
            id: MemberId::of_entry(&field(0)).map_err(named(0))?,
            name: Some(MemberName::read(&field(1)).map_err(named(1))?.0),
            photo_url: PhotoUrl::read(&field(2)).map_err(named(2))?.0,
            sector_id: MemberSector::read(&field(3)).map_err(named(3))?.0,
        };
        match self.ids.insert(member.id.to_string(), line) {
            Some(first) => Err(format!("the id is already on line {first}")),
            None => Ok(member),
        }
    }

    fn finish(self) -> Result<Vec<Member>, String> {
        if self.wrong.is_empty() { Ok(self.members) } else { Err(self.wrong.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(String, String)> {
        let members = read(text.as_bytes()).unwrap_or_else(|wrong| panic!("{wrong}"));
        members.into_iter().map(|member| (member.id.to_string(), member.name.unwrap())).collect()
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let expected = [("a".to_owned(), "Ana; \"A\"".to_owned()), ("b".to_owned(), "Zoé".to_owned())];
        for text in [
            "\u{feff}id;name;photoUrl;sectorId\r\na;\"Ana; \"\"A\"\"\";;s\r\nb;Zoé;https://x.example/b.png;\r\n",
            "name,ID\n\"Ana; \"\"A\"\"\",a\n\n Zoé , b",
            "sep=|\r\nID|name|\r\na|\"Ana; \"\"A\"\"\"\r\n||\r\nb|Zoé|\r\n",
        ] {
            assert_eq!(names(text), expected);
        }
        assert_eq!(names("id,name\n"), []);
    }

    #[test]
    fn every_wrong_line_is_named() {
        let long = "x".repeat(201);
        let text =
            format!("id,name,photoUrl\na,Ana,\nb,,\n,Bia,\na,Ana,\nc,C,,x\nd,{long},\ne,E,javascript:x\n");
        assert_eq!(
            read(text.as_bytes()).unwrap_err(),
            "line 3: name is missing; line 4: id is missing; line 5: the id is already on line 2; \
             line 6: has a value in a column without a name; line 7: name must have at most 200 characters; \
             line 8: photoUrl must begin with https:// or http://"
        );
    }

    #[test]
    fn a_line_is_counted_as_an_editor_counts_it() {
        for (text, wrong) in [
            ("sep=;\r\nid;name\r\n;;\r\nb;\r\n", "line 4: name is missing"),
            ("\n\nid,name\n\n\nb,\n", "line 6: name is missing"),
            (
                "id,name\r\na,\"two\r\nlines\"\r\nb,\r\n",
                "line 2: name must not contain control characters; line 4: name is missing",
            ),
            (
                "\r\n;\r\nid;nome\r\n",
                "line 3: \"nome\" is not a column; the columns are id, name, photoUrl, sectorId",
            ),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap_err(), wrong);
        }
    }

    #[test]
    fn a_file_that_is_no_directory_is_refused_as_a_whole() {
        let wrong = |text: &[u8]| read(text).unwrap_err();
        assert_eq!(wrong(b""), "line 1: the header is missing");
        assert_eq!(wrong(b"id\na"), "line 1: the column name is missing");
        assert_eq!(wrong(b"id,name,ID\n"), "line 1: the column id is there twice");
        assert!(wrong(b"id,nome\n").starts_with("line 1: \"nome\" is not a column"));
        assert_eq!(wrong(b"id,name\na,\xe9"), "line 2: is not UTF-8");
        let rows = |count: usize| {
            (0..count).fold("id,name\n".to_owned(), |text, at| format!("{text}i{at},n\n")).into_bytes()
        };
        assert_eq!(read(&rows(ROWS_MAX)).unwrap().len(), ROWS_MAX);
        assert_eq!(wrong(&rows(ROWS_MAX + 1)), "there are more than 2000 entries");
    }
}
