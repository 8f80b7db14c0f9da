//! One table of rows and its two encodings: whatever a metrics route answers, JSON and CSV are made of the same cells.

use actix_web::HttpResponse;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, HeaderMap};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::http::api::params::Params;
use crate::http::error::ApiError;
use crate::metrics::Progress;

/// The header of CSV answers that says how far they go.
const AS_OF: &str = "x-as-of-seq";
/// What a spreadsheet takes for a formula where a text begins with it.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The words of `format`.
pub const FORMATS: [(&str, Format); 2] = [("json", Format::Json), ("csv", Format::Csv)];

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An object with `rows`.
    Json,
    /// A head and rows.
    Csv,
}

impl Format {
    /// `format`, else what `Accept` asks for.
    pub fn read(params: &mut Params, headers: &HeaderMap) -> Result<Self, ApiError> {
        let asked = params.word("format", &FORMATS)?;
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wants =
            |media: &str| accept.split(',').any(|part| part.split(';').next().unwrap_or("").trim() == media);
        let accepted = if wants("text/csv") && !wants("application/json") { Self::Csv } else { Self::Json };
        Ok(asked.unwrap_or(accepted))
    }
}

/// A table with what is said about it.
#[derive(Debug)]
pub struct Sheet {
    /// How far it goes.
    pub progress: Progress,
    /// What JSON says beside it.
    pub about: Vec<(&'static str, Value)>,
    /// The columns.
    pub columns: Vec<&'static str>,
    /// The cells, row by row.
    pub rows: Vec<Vec<Value>>,
}

impl Sheet {
    /// Encodes it.
    pub fn respond(&self, format: Format) -> Result<HttpResponse, ApiError> {
        let mut response = HttpResponse::Ok();
        response.insert_header((CACHE_CONTROL, "no-store"));
        match format {
            Format::Json => Ok(response.json(self)),
            Format::Csv => {
                let text = self.to_csv().map_err(|error| {
                    log::error!("a table cannot be written as CSV: {error}");
                    ApiError::Internal
                })?;
                response.insert_header((AS_OF, self.progress.as_of.0));
                Ok(response.content_type("text/csv; charset=utf-8").body(text))
            }
        }
    }

    fn to_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            let cells = self.columns.iter().zip(row).map(|(column, cell)| plain(column, cell));
            writer.write_record(cells)?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }
}

/// A cell as plain text. Names are chosen by strangers: none may become a formula.
fn plain(column: &str, cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) if is_name(column) && text.starts_with(FORMULA) => format!("'{text}"),
        Value::String(text) => text.clone(),
        Value::Array(ids) => ids.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => cell.to_string(),
    }
}

fn is_name(column: &str) -> bool {
    matches!(column, "name" | "contactName")
}

impl Serialize for Sheet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("asOfSeq", &self.progress.as_of)?;
        let rebuilding =
            self.progress.rebuilding.map(|(done, total)| serde_json::json!({ "done": done, "total": total }));
        map.serialize_entry("rebuilding", &rebuilding)?;
        for (name, value) in &self.about {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("rows", &JsonRows(self))?;
        map.end()
    }
}

struct JsonRows<'a>(&'a Sheet);

impl Serialize for JsonRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.rows.len()))?;
        for row in &self.0.rows {
            rows.serialize_element(&JsonRow(&self.0.columns, row))?;
        }
        rows.end()
    }
}

struct JsonRow<'a>(&'a [&'static str], &'a [Value]);

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().zip(self.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_becomes_a_formula() {
        let text = |column, cell: &str| plain(column, &Value::String(cell.to_owned()));
        assert_eq!(text("contactName", "=HYPERLINK(\"http://x\")"), "'=HYPERLINK(\"http://x\")");
        assert_eq!(text("name", "@home"), "'@home");
        assert_eq!(text("name", "Ana - manhã"), "Ana - manhã");
        assert_eq!(text("chatId", "-1"), "-1", "an id stays what it is");
    }
}
