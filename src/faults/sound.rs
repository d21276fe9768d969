//! A program for users: nothing here does anything, and all of it is gone when it is compiled.

use rustls::ClientConfig;

/// A step that tests may end the program at: nothing in a program for users.
#[inline(always)]
pub fn point(_name: &'static str) {}

/// How far the clock was set ahead: not at all, in a program for users.
#[inline(always)]
pub fn clock_ahead() -> i64 {
    0
}

/// The patience of a test: there is none, in a program for users.
#[inline(always)]
pub fn patience() -> Option<i64> {
    None
}

/// Whether a defence stands: always, in a program for users.
#[inline(always)]
pub fn stands(_defence: &'static str) -> bool {
    true
}

/// What speaks TLS, as it was: a program for users holds no way around its checks.
#[inline(always)]
pub fn credulous(config: ClientConfig) -> ClientConfig {
    config
}

/// Where a message is read: nothing in a program for users.
#[inline(always)]
pub fn befall(_raw: &[u8]) {}

/// The environment of a process that we start: empty, in a program for users.
#[inline(always)]
pub fn handed_on() -> impl Iterator<Item = (&'static str, String)> {
    std::iter::empty()
}

/// Whether the process that runs here is dead: never, in a program for users.
#[inline(always)]
pub fn is_dead() -> bool {
    false
}

/// Whether several processes work on one store in memory: never, in a program for users.
#[inline(always)]
pub fn is_shared() -> bool {
    false
}

/// Whether the store is held by somebody else just now: nothing here says so in a program for users.
#[inline(always)]
pub fn is_busy() -> bool {
    false
}
