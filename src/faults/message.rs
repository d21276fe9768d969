//! What befalls whoever reads a message with the field `X-Guichet-Fault`: a reader that has a fault
//! we do not know of, and a message that finds it.

use std::hint::{black_box, spin_loop};
use std::thread;
use std::time::Duration;

use super::world;

const FIELD: &[u8] = b"X-Guichet-Fault: ";
// Tests put the field near the top.
const LOOKED_AT: usize = 1024;
const PIECE: usize = 64 << 20;
const PIECES: usize = 32;

/// Does what the message says.
pub(super) fn befall(raw: &[u8]) {
    let head = &raw[..raw.len().min(LOOKED_AT)];
    let Some(at) = head.windows(FIELD.len()).position(|window| window == FIELD) else { return };
    let word = head[at + FIELD.len()..].split(|byte| byte.is_ascii_whitespace()).next();
    match word.unwrap_or_default() {
        b"abort" => world::ask(|world| world.die()).unwrap_or_else(|| std::process::abort()),
        b"memory" => drop(eaten()),
        b"overflow" => drop(black_box(deep(0))),
        b"panic" => panic!("a test wants a panic"),
        b"sleep" => thread::sleep(Duration::from_secs(3600)),
        b"spin" => loop {
            spin_loop();
        },
        _ => panic!("the test asks for a fault that there is not"),
    }
}

// 2 GiB, which no machine need have: nothing is written into it.
fn eaten() -> Vec<Vec<u8>> {
    (0..PIECES).map(|_| black_box(vec![0; PIECE])).collect()
}

#[allow(unconditional_recursion, reason = "the end of the stack is what is wanted")]
fn deep(level: u64) -> u64 {
    let frame = black_box([level; 512]);
    deep(level + 1) + black_box(frame)[0]
}
