//! The whole way as people go it: the real binary, mail that comes and goes, and its portal in a real
//! Chromium without a window, driven by chromedriver. Takes about a minute.
//!
//! `GUICHET_AXE` names the file `axe.min.js` of axe-core, which `tests/run` fetches; it looks at every
//! page. With `GUICHET_SCREENSHOTS` set, pictures of every page come to `target/screenshots`.

#[path = "../support/mod.rs"]
mod support;

mod axe;
mod browser;
mod desk;
mod driver;
mod journeys;
mod look;
mod pages;
