//! One table of rows and its two encodings. Whatever a metrics route answers, JSON and CSV are made from the
//! same cells.

use actix_web::HttpResponse;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, HeaderMap};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::derived::analytics::Progress;
use crate::http::api::spreadsheet::{BYTE_ORDER_MARK, CsvDialect, Separator, guarded};
use crate::http::error::ApiError;
use crate::http::question::question;
use crate::http::values::words;

/// The header of CSV answers with the position up to which deliveries are counted.
pub const AS_OF: &str = "X-As-Of-Seq";

question! {
    /// The format of the answer.
    pub struct FormatFields {
        /// Where it is left out: `json`, or CSV with `Accept: text/csv`.
        format: Option<Encoding>,
        /// For CSV; where it is left out, it follows `Accept-Language`.
        separator: Option<Separator>,
    }
}

/// How a table is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Json,
    Csv,
}

words!(Encoding: "json" => Self::Json, "csv" => Self::Csv);

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON: an object with `rows`.
    Json,
    /// CSV: a header and rows.
    Csv(CsvDialect),
}

impl Format {
    /// The format that was asked for, else the one that `Accept` asks for; for CSV also the dialect.
    pub fn of(written: &FormatFields, headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wants =
            |media: &str| accept.split(',').any(|part| part.split(';').next().unwrap_or("").trim() == media);
        let is_csv = written.format.map_or_else(
            || wants("text/csv") && !wants("application/json"),
            |encoding| encoding == Encoding::Csv,
        );
        if is_csv { Self::Csv(CsvDialect::of(written.separator, headers)) } else { Self::Json }
    }
}

/// A table, and what is said about it.
#[derive(Debug)]
pub struct Sheet {
    /// Up to which position deliveries are counted.
    pub progress: Progress,
    /// Further fields of the JSON answer.
    pub about: Vec<(&'static str, Value)>,
    pub columns: Vec<&'static str>,
    /// The cells, row by row.
    pub rows: Vec<Vec<Value>>,
}

impl Sheet {
    pub fn respond(&self, format: Format) -> Result<HttpResponse, ApiError> {
        let mut response = HttpResponse::Ok();
        response.insert_header((CACHE_CONTROL, "no-store"));
        match format {
            Format::Json => Ok(response.json(self)),
            Format::Csv(dialect) => {
                let text = self.to_csv(dialect).map_err(|error| {
                    log::error!("a table cannot be written as CSV: {error}");
                    ApiError::Internal
                })?;
                response.insert_header((AS_OF, self.progress.as_of.0));
                Ok(response.content_type("text/csv; charset=utf-8").body(text))
            }
        }
    }

    fn to_csv(&self, dialect: CsvDialect) -> Result<Vec<u8>, csv::Error> {
        let begun = if dialect.is_marked { BYTE_ORDER_MARK.as_bytes().to_vec() } else { Vec::new() };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(dialect.separator)
            .terminator(csv::Terminator::CRLF)
            .from_writer(begun);
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(plain))?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }
}

/// A cell as plain text.
fn plain(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => guarded(text),
        Value::Array(ids) => guarded(&ids.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => cell.to_string(),
    }
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
