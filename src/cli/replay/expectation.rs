//! What a replay is compared by: the decision without the words of the message, one JSON object a
//! line, in order of delivery.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::cli::exit::{Exit, failure};
use crate::cli::story::{Told, object};

const COMPARED: [&str; 8] =
    ["path", "outcome", "reason", "kind", "user", "site", "ticket", "outgoing"];

/// The part of a decision that is compared.
pub(super) fn of(told: &Told) -> Value {
    let whole = object(told);
    COMPARED.iter().map(|field| ((*field).to_owned(), whole[*field].clone())).collect()
}

pub(super) fn write(file: &Path, decisions: &[Value]) -> Result<()> {
    let lines: String = decisions.iter().map(|decision| format!("{decision}\n")).collect();
    if file.as_os_str() == "-" {
        return Ok(std::io::stdout().lock().write_all(lines.as_bytes())?);
    }
    fs::write(file, lines)
        .with_context(|| format!("`{}` cannot be written", file.display()))
        .map_err(|error| failure(Exit::CannotCreate, format!("{error:#}")))
}

/// Decisions written before, by path.
pub(super) type Expected = BTreeMap<String, Value>;

pub(super) fn read(file: &Path) -> Result<Expected> {
    let text = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        fs::read_to_string(file)
    };
    let text = text.map_err(|error| {
        failure(
            Exit::InputMissing,
            format!(
                "`{}` cannot be read: {error}\nhint: write it with `--write-expect`",
                file.display()
            ),
        )
    })?;
    let mut expected = Expected::new();
    for (number, line) in text.lines().enumerate() {
        let decision: Value = serde_json::from_str(line).map_err(|error| {
            failure(
                Exit::Input,
                format!(
                    "{}:{}: this is no decision: {error}\nhint: write the file anew with `--write-expect`",
                    file.display(),
                    number + 1
                ),
            )
        })?;
        expected.insert(decision["path"].to_string(), decision);
    }
    Ok(expected)
}

/// One line for each difference between what was expected and what is now.
pub(super) fn compare(mut expected: Expected, decisions: &[Value]) -> Vec<String> {
    let mut differences = Vec::new();
    for decision in decisions {
        let path = decision["path"].to_string();
        let Some(before) = expected.remove(&path) else {
            differences.push(json!({ "path": decision["path"], "now": decision }).to_string());
            continue;
        };
        for field in COMPARED {
            if before[field] != decision[field] {
                differences.push(
                    json!({ "path": decision["path"], "field": field,
                            "expected": before[field], "now": decision[field] })
                    .to_string(),
                );
            }
        }
    }
    for (_, before) in expected {
        differences
            .push(json!({ "path": before["path"], "expected": before, "now": null }).to_string());
    }
    differences
}
