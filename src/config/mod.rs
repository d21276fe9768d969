//! The configuration: [`mod@file`] is what was written, [`settings`] is what is used. [`fn@load`]
//! reads, merges and checks it and answers with settings, or with all that is wrong, each with its
//! place. Starts nothing and writes nothing.

mod check;
mod coming;
mod environment;
mod expand;
pub mod file;
mod formats;
mod load;
pub mod problem;
pub mod reference;
mod relay;
pub mod schema;
mod secret;
pub mod settings;
pub mod show;
mod surroundings;
pub mod tree;
mod values;
mod walk;

pub use environment::Environment;
pub use load::{Loaded, Request, load};
pub use problem::{Invalid, Paint, Problem, Severity};
pub use secret::{Revealed, Secret};
pub use settings::Settings;
pub use surroundings::inspect;
pub use values::{Duration, Misread, Rate, Rates, Size, Start};
pub use walk::nearest;
