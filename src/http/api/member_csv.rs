//! Reads a directory of agents from CSV: a header in any order, `,` or `;`, all of it or nothing.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord};

use super::member_fields::Fields;
use crate::domain::Member;

/// Largest file, in bytes: what fits into one update together with [`ROWS_MAX`].
pub const CSV_BYTES_MAX: usize = 256 * 1024;
/// Entries in one file at most.
pub const ROWS_MAX: usize = 2_000;

/// The columns, `id` and `name` first, which must be there.
const COLUMNS: [&str; 4] = ["id", "name", "photoUrl", "sectorId"];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where the columns stand in a row.
type Places = [Option<usize>; COLUMNS.len()];

/// The entries of a file, or what is wrong with it, line by line.
pub fn read(file: &[u8]) -> Result<Vec<Member>, String> {
    let file = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    let text = std::str::from_utf8(file).map_err(|error| {
        let line = file[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        format!("line {line}: is no UTF-8")
    })?;
    let mut rows = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
        .into_records();
    let header = rows.next().ok_or("line 1: the header is missing")?.map_err(|error| error.to_string())?;
    let places = places(&header).map_err(|what| format!("line {}: {what}", line_of(&header)))?;
    let mut lines = Lines { width: header.len(), ..Lines::default() };
    for row in rows {
        lines.take(&row.map_err(|error| error.to_string())?, &places);
        if lines.members.len() > ROWS_MAX {
            return Err(format!("there are more than {ROWS_MAX} entries"));
        }
    }
    lines.finish()
}

/// Spreadsheets of countries with a decimal comma write `;`.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    if header.contains(';') { b';' } else { b',' }
}

fn line_of(row: &StringRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

fn places(header: &StringRecord) -> Result<Places, String> {
    let mut places = Places::default();
    for (at, name) in header.iter().enumerate() {
        let known = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(name.trim()));
        let Some(column) = known else {
            return Err(format!("no column is called {name:?}; there are {}", COLUMNS.join(", ")));
        };
        if places[column].replace(at).is_some() {
            return Err(format!("the column {} comes twice", COLUMNS[column]));
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
    width: usize,
    members: Vec<Member>,
    /// On which line each id stands.
    ids: HashMap<String, u64>,
    wrong: Vec<String>,
}

impl Lines {
    fn take(&mut self, row: &StringRecord, places: &Places) {
        let line = line_of(row);
        match self.check(row, places, line) {
            Ok(member) => self.members.push(member),
            Err(what) => {
                self.wrong.push(format!("line {line}: {what}"));
            }
        }
    }

    fn check(&mut self, row: &StringRecord, places: &Places, line: u64) -> Result<Member, String> {
        if row.len() != self.width {
            return Err(format!("has {} fields and not {}", row.len(), self.width));
        }
        let field = |column: usize| places[column].and_then(|at| row.get(at)).unwrap_or_default();
        let fields = Fields { id: field(0), name: field(1), photo_url: field(2), sector_id: field(3) };
        let member = fields.check().map_err(|(field, what)| format!("{field} {what}"))?;
        match self.ids.insert(member.id.to_string(), line) {
            Some(first) => Err(format!("the id stands on line {first} already")),
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
        ] {
            assert_eq!(names(text), expected);
        }
        assert_eq!(names("id,name\n"), []);
    }

    #[test]
    fn every_wrong_line_is_named() {
        let long = "x".repeat(201);
        let text =
            format!("id,name,photoUrl\na,Ana,\nb,,\n,Bia,\na,Ana,\nc,C\nd,{long},\ne,E,javascript:x\n");
        assert_eq!(
            read(text.as_bytes()).unwrap_err(),
            "line 3: name is missing; line 4: id is missing; line 5: the id stands on line 2 already; \
             line 6: has 2 fields and not 3; line 7: name must have at most 200 characters; \
             line 8: photoUrl must begin with https:// or http://"
        );
    }

    #[test]
    fn a_file_that_is_no_directory_is_refused_as_a_whole() {
        let wrong = |text: &[u8]| read(text).unwrap_err();
        assert_eq!(wrong(b""), "line 1: the header is missing");
        assert_eq!(wrong(b"id\na"), "line 1: the column name is missing");
        assert_eq!(wrong(b"id,name,ID\n"), "line 1: the column id comes twice");
        assert!(wrong(b"id,nome\n").starts_with("line 1: no column is called \"nome\""));
        assert_eq!(wrong(b"id,name\na,\xe9"), "line 2: is no UTF-8");
        let rows = |count: usize| {
            (0..count).fold("id,name\n".to_owned(), |text, at| format!("{text}i{at},n\n")).into_bytes()
        };
        assert_eq!(read(&rows(ROWS_MAX)).unwrap().len(), ROWS_MAX);
        assert_eq!(wrong(&rows(ROWS_MAX + 1)), "there are more than 2000 entries");
    }
}
