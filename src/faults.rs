//! Where tests break the program on purpose: failpoints at the steps of a message's walk, and
//! switches that take one defence out, so that a test is shown to fail without it (design §11). In a
//! program built without the feature `faults`, as users build it, all of this is nothing: what
//! `breakable` does, `sound` leaves out. Decides nothing, and is the one room that any other may use.

#[cfg(feature = "faults")]
mod breakable;
#[cfg(feature = "faults")]
mod certificates;
#[cfg(feature = "faults")]
mod message;
#[cfg(feature = "faults")]
mod plan;
#[cfg(not(feature = "faults"))]
mod sound;
#[cfg(feature = "faults")]
pub mod world;

#[cfg(feature = "faults")]
pub use breakable::*;
#[cfg(not(feature = "faults"))]
pub use sound::*;
