//! Tables for people: columns as wide as they must be, a verdict where there is a target.

use std::io::{self, Write};

/// Rows under a heading.
pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    /// A table with these columns.
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let head = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title: title.to_owned(), rows: vec![head], notes: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Adds a line below.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Prints it.
    pub fn print(&self) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| {
            self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = io::stdout().lock();
        writeln!(out, "\n## {}\n", self.title)?;
        for (number, row) in self.rows.iter().enumerate() {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
            writeln!(out, "| {} |", cells.join(" | "))?;
            if number == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                writeln!(out, "| {} |", rules.join(" | "))?;
            }
        }
        if !self.notes.is_empty() {
            writeln!(out)?;
        }
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        out.flush()
    }
}

/// A line about what is being done, where nobody mistakes it for a result.
pub fn progress(text: &str) -> io::Result<()> {
    writeln!(io::stderr().lock(), "  … {text}")
}

/// A figure and whether it keeps below its bound.
pub fn at_most(value: f64, bound: f64) -> String {
    format!("{value:.2} {}", if value <= bound { "ok" } else { "MISSED" })
}

/// A count and whether it keeps above its bound.
pub fn at_least(value: f64, bound: f64) -> String {
    format!("{value:.0} {}", if value >= bound { "ok" } else { "MISSED" })
}
