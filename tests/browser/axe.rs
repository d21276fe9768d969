//! axe-core looks at a page: whether people who do not see it, or see it badly, or have no mouse, can
//! use it.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::Value;

use crate::browser::{Browser, Setup};

/// The file `axe.min.js`. Without it nothing is looked at; where that must not be, it is an error.
fn program() -> Option<String> {
    let path = std::env::var_os("GUICHET_AXE").map(PathBuf::from);
    match path {
        Some(path) => Some(std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("GUICHET_AXE: {}: {error}; `tests/run` fetches it", path.display())
        })),
        None if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            panic!("GUICHET_AXE is not set; `tests/run` fetches axe-core and sets it")
        }
        None => {
            eprintln!("axe-core did not look at this page: GUICHET_AXE is not set, see tests/run");
            None
        }
    }
}

/// What is seriously or critically wrong with the page, a line each.
pub fn faults(browser: &Browser) -> Vec<String> {
    let Some(program) = program() else { return Vec::new() };
    browser.script(&program);
    let found = browser.late_script(
        "const done = arguments[arguments.length - 1];
         const options = { preload: false, resultTypes: ['violations'] };
         axe.run(document, options).then(
           (results) => done({ violations: results.violations, passes: results.passes.length }),
           (error) => done({ error: String(error) }));",
    );
    assert!(found["error"].is_null(), "axe-core: {}", found["error"]);
    assert!(found["passes"].as_u64() > Some(0), "axe-core found nothing to look at");
    let violations = found["violations"].as_array().expect("a list");
    violations.iter().filter(|fault| is_serious(fault)).map(told).collect()
}

fn is_serious(fault: &Value) -> bool {
    matches!(fault["impact"].as_str(), Some("critical" | "serious"))
}

fn told(fault: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut line = format!("{} ({})", text(&fault["id"]), text(&fault["help"]));
    for node in fault["nodes"].as_array().into_iter().flatten() {
        let summary = text(&node["failureSummary"]).replace('\n', " ");
        let _ = write!(line, "\n    {} {summary}", text(&node["html"]));
    }
    line
}

#[test]
fn axe_finds_a_fault_where_there_is_one() {
    if program().is_none() {
        return;
    }
    let browser = Browser::start(Setup::default());
    let pale = "<p style='color:%23ccc;background:%23fff'>Can you read this?</p>";
    browser.open(&format!("data:text/html,<html lang=en><title>t</title>{pale}<img src=x>"));
    let faults = faults(&browser).join("\n");
    assert!(faults.contains("color-contrast") && faults.contains("image-alt"), "{faults}");
}
