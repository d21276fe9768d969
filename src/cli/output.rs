//! Prints results: tables for people, JSON, JSON lines and CSV for programs. Nothing that a sender
//! wrote can move the cursor (T-40) or become a formula (T-41).

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value};

use super::Format;

/// One line on standard output.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// One line on standard error. When that cannot be written (its file is on a full disk), there is
/// nobody left to tell, and no reason to stop.
pub(crate) fn aside(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Rows of the same shape: each an object whose keys are `columns` or more. A table and CSV show
/// `columns`, JSON shows all.
pub(crate) fn rows(format: Format, columns: &[&str], rows: &[Value]) -> Result<()> {
    match format {
        Format::Csv => csv(columns, rows),
        Format::Json => Ok(line(inert(&serde_json::to_string_pretty(rows)?))?),
        Format::Jsonl => {
            let mut out = io::stdout().lock();
            for row in rows {
                writeln!(out, "{}", inert(&row.to_string()))?;
            }
            Ok(())
        }
        Format::Table => Ok(table(columns, rows)?),
    }
}

/// One object: its fields one a line for people.
pub(crate) fn object(format: Format, fields: &Value) -> Result<()> {
    match format {
        Format::Csv => {
            let columns: Vec<&str> = fields
                .as_object()
                .map(|map| map.keys().map(String::as_str).collect())
                .unwrap_or_default();
            csv(&columns, std::slice::from_ref(fields))
        }
        Format::Json => Ok(line(inert(&serde_json::to_string_pretty(fields)?))?),
        Format::Jsonl => Ok(line(inert(&fields.to_string()))?),
        Format::Table => {
            let empty = Map::new();
            let fields = fields.as_object().unwrap_or(&empty);
            let width = fields.keys().map(|key| key.len()).max().unwrap_or(0);
            let mut out = io::stdout().lock();
            for (key, value) in fields {
                let key = key.replace('_', " ");
                writeln!(out, "{key:width$}  {}", plain(value))?;
            }
            Ok(())
        }
    }
}

fn table(columns: &[&str], rows: &[Value]) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| column.replace('_', " ").to_uppercase()));
    for row in rows {
        table.add_row(columns.iter().map(|column| cut(&plain(&row[*column]), 60)));
    }
    for printed in table.lines() {
        line(printed.trim_end())?;
    }
    Ok(())
}

fn csv(columns: &[&str], rows: &[Value]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(io::stdout().lock());
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(columns.iter().map(|column| no_formula(plain(&row[*column]))))?;
    }
    writer.flush()?;
    Ok(())
}

/// A value as a person reads it, on one line.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escape(text),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// `text` on one line, its control and bidi characters shown instead of obeyed (T-40).
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_bidi_control(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// JSON whose strings cannot move the cursor either: what JSON lets pass of control and bidi
/// characters stands there as `\u` and four digits (T-40).
pub(crate) fn inert(json: &str) -> Cow<'_, str> {
    let is_active = |c: char| c != '\n' && (c.is_control() || is_bidi_control(c));
    if !json.contains(is_active) {
        return Cow::Borrowed(json);
    }
    let mut inert = String::with_capacity(json.len());
    for c in json.chars() {
        if is_active(c) {
            // All of them lie below U+10000.
            inert.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            inert.push(c);
        }
    }
    Cow::Owned(inert)
}

/// Several lines, each escaped.
pub(crate) fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

// A spreadsheet takes these first characters for a formula (T-41).
pub(crate) fn no_formula(text: String) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text,
    }
}

fn cut(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(characters - 1).collect();
    cut.push('…');
    cut
}

/// Whether somebody is there to be asked.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a yes-or-no question, unless `--yes` answered it; refuses when nobody can answer.
pub(crate) fn confirm(globals: &super::Globals, question: &str) -> Result<()> {
    if globals.yes {
        return Ok(());
    }
    if globals.no_input || !is_interactive() {
        return Err(super::exit::failure(
            super::exit::Exit::Usage,
            format!("{question} nobody is here to answer\nhint: add `--yes` when you are sure"),
        ));
    }
    let _ = write!(io::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(super::exit::failure(super::exit::Exit::Negative, "nothing was changed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_40_what_a_sender_wrote_cannot_move_the_cursor() {
        assert_eq!(escape("a\n\u{1b}[31mb\u{202e}c"), "a\\n\\u{1b}[31mb\\u{202e}c");
    }

    #[test]
    fn t_40_json_cannot_move_the_cursor_and_says_the_same() {
        let subject = "a\u{7f}\u{9b}31m\u{202e}b\n";
        let json = serde_json::json!({ "subject": subject }).to_string();
        let inert = inert(&json);
        assert!(!inert.contains(['\u{7f}', '\u{9b}', '\u{202e}']), "{inert}");
        let read: Value = serde_json::from_str(&inert).expect("it is JSON");
        assert_eq!(read["subject"], subject);
    }

    #[test]
    fn t_41_what_a_sender_wrote_is_no_formula() {
        for start in ["=", "+", "-", "@", "\t", "\r"] {
            assert!(no_formula(format!("{start}HYPERLINK()")).starts_with('\''));
        }
        assert_eq!(no_formula("Claire".to_owned()), "Claire");
    }
}
