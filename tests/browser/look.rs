//! A close look at a page: its colours by day and by night, its width, what it fetched, what the
//! browser complained about; and pictures of it, for whoever wants to see them.

use std::path::{Path, PathBuf};

use crate::axe;
use crate::browser::{Browser, Scheme, Scripts, Width};

/// Looks at the page that is shown; `name` is what its pictures are called.
pub fn look(browser: &mut Browser, name: &str) {
    let width = browser.width();
    let url = browser.url();
    let of_its_own = format!("{url} - Failed to load resource: the server responded with a status");
    let complaints = browser.complaints();
    let others = complaints.iter().filter(|line| !line.starts_with(&of_its_own));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&String>::new(), "the browser at {name}");
    assert!(!browser.title().is_empty(), "{name} has a title");
    // T-30: nothing on it comes from elsewhere.
    let elsewhere = browser.script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)
           .filter((name) => new URL(name).origin !== location.origin)",
    );
    assert_eq!(elsewhere.as_array().map(Vec::len), Some(0), "{name} fetches {elsewhere}");
    browser.set_width(Width::Smallest);
    let overflow = browser.script(
        "const root = document.documentElement;
         return root.scrollWidth > root.clientWidth
           ? [...document.querySelectorAll('body *')]
               .filter((one) => one.getBoundingClientRect().right > root.clientWidth)
               .map((one) => one.outerHTML.slice(0, 200))
           : []",
    );
    assert_eq!(overflow.as_array().map(Vec::len), Some(0), "{name} at 320 px: {overflow:#}");
    browser.set_width(width);
    for scheme in [Scheme::Dark, Scheme::Light] {
        browser.set_scheme(scheme);
        if browser.scripts == Scripts::On {
            let faults = axe::faults(browser);
            assert!(faults.is_empty(), "{name}, {scheme:?}:\n{}", faults.join("\n"));
        }
    }
    if let Some(folder) = folder() {
        keep(browser, &folder, name);
    }
}

/// Where pictures go, if anybody wants them.
fn folder() -> Option<PathBuf> {
    std::env::var_os("GUICHET_SCREENSHOTS")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    std::fs::create_dir_all(&folder).expect("the folder of the pictures is made");
    Some(folder)
}

fn keep(browser: &mut Browser, folder: &Path, name: &str) {
    let width = browser.width();
    let pictures = [
        (Scheme::Dark, Width::Desk),
        (Scheme::Dark, Width::Phone),
        (Scheme::Light, Width::Phone),
        (Scheme::Light, Width::Desk),
    ];
    for (scheme, width) in pictures {
        browser.set_scheme(scheme);
        browser.set_width(width);
        let file = format!("{name}-{width:?}-{scheme:?}.png").to_lowercase();
        std::fs::write(folder.join(file), browser.picture()).expect("the picture is written");
    }
    browser.set_width(width);
}
