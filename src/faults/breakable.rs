//! A program that tests can break, as the plan in its environment or a simulated world says.

use rustls::ClientConfig;

use super::{certificates, message, plan, world};

/// A step that tests may end the program at, named as in `faults/plan.rs`.
pub fn point(name: &'static str) {
    plan::plan().pass(name);
    world::passed(name);
}

/// How far the clock of this process was set ahead, in milliseconds; less than zero: back.
pub fn clock_ahead() -> i64 {
    plan::plan().clock_ahead()
}

/// After how many milliseconds of silence a process is given up, if a test cannot wait for as long as
/// users do.
pub fn patience() -> Option<i64> {
    plan::plan().patience()
}

/// Whether a defence stands; the id is that of `threats.md`, with a word behind it where one id has
/// several, e.g. `P-10-fence`.
pub fn stands(defence: &'static str) -> bool {
    plan::plan().stands(defence)
}

/// What speaks TLS; when T-43 is taken out, it takes any certificate for a good one.
pub fn credulous(config: ClientConfig) -> ClientConfig {
    if stands("T-43") { config } else { certificates::unchecked(config) }
}

/// Where a message is read that tests have given a fault of the reader to find.
pub fn befall(raw: &[u8]) {
    message::befall(raw);
}

/// The environment of a process that we start: what stands here stands there, but what befalls us
/// does not befall it.
pub fn handed_on() -> impl Iterator<Item = (&'static str, String)> {
    std::iter::once((plan::VARIABLE, plan::plan().handed_on()))
}

/// Whether the process that runs here is dead in a simulation: whatever its memory still does, it
/// changes nothing any more.
pub fn is_dead() -> bool {
    world::ask(|world| world.is_dead()).unwrap_or_default()
}

/// Whether several processes of a simulation work on one store in memory.
pub fn is_shared() -> bool {
    world::ask(|world| world.is_shared()).unwrap_or_default()
}

/// Whether the store is held by somebody else just now, in a simulation.
pub fn is_busy() -> bool {
    world::ask(|world| world.is_busy()).unwrap_or_default()
}
