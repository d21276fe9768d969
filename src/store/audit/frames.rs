//! Whether the raw bytes are there whole, as far as their frames say at their beginnings: nothing is
//! decompressed, for which see [`super::super::verify`].

use zstd::zstd_safe;

use super::{EXAMPLES, Equation};
use crate::args;
use crate::store::{Sql, StoreError};

// Frames looked at together, and the bytes of each: as many as its header may have.
const TOGETHER: usize = 2_000;
const HEADER: usize = 18;

/// What is wrong with the frames of messages, of each kind.
#[derive(Default)]
struct Wrong {
    order: Found,
    header: Found,
    size: Found,
}

#[derive(Default)]
struct Found {
    count: i64,
    examples: Vec<String>,
}

/// One message, while its frames are looked at.
struct Message {
    id: String,
    /// Bytes, as the ledger has it, and as its frames have it.
    size: i64,
    sum: i64,
    frames: i64,
    is_in_order: bool,
    is_readable: bool,
}

/// The equations about raw bytes.
pub(super) fn equations(sql: &mut dyn Sql) -> Result<[Equation; 3], StoreError> {
    let mut wrong = Wrong::default();
    let mut message: Option<Message> = None;
    let mut after = (String::new(), -1);
    loop {
        let rows = sql.query(
            &format!(
                "SELECT r.message, r.n, SUBSTR(r.bytes, 1, {HEADER}), \
                   COALESCE((SELECT m.size FROM message m WHERE m.id = r.message), 0) \
                 FROM raw_chunk r WHERE (r.message, r.n) > (?1, ?2) \
                 ORDER BY r.message, r.n LIMIT {TOGETHER}"
            ),
            args![&after.0, after.1],
        )?;
        let Some(last) = rows.last() else { break };
        after = (last.text(0)?, last.int(1)?);
        for row in &rows {
            let id = row.text(0)?;
            if message.as_ref().is_none_or(|message| message.id != id) {
                wrong.note(message.replace(Message::new(id, row.int(3)?)));
            }
            if let Some(message) = &mut message {
                message.add(row.int(1)?, &row.blob(2)?);
            }
        }
    }
    wrong.note(message);
    Ok([
        wrong.order.equation("messages whose frames are not in order from 0 without a gap = 0"),
        wrong.header.equation("messages with a frame that does not begin like one = 0"),
        wrong.size.equation("messages of another size than the ledger says = 0"),
    ])
}

impl Message {
    fn new(id: String, size: i64) -> Message {
        Message { id, size, sum: 0, frames: 0, is_in_order: true, is_readable: true }
    }

    fn add(&mut self, n: i64, header: &[u8]) {
        self.is_in_order &= n == self.frames;
        self.frames += 1;
        match zstd_safe::get_frame_content_size(header) {
            Ok(Some(size)) => self.sum = self.sum.saturating_add_unsigned(size),
            Ok(None) | Err(_) => self.is_readable = false,
        }
    }
}

impl Wrong {
    // Of a message that is wrong in several ways, the first says enough.
    fn note(&mut self, message: Option<Message>) {
        let Some(message) = message else { return };
        if !message.is_in_order {
            self.order.add(message.id);
        } else if !message.is_readable {
            self.header.add(message.id);
        } else if message.sum != message.size {
            self.size.add(message.id);
        }
    }
}

impl Found {
    fn add(&mut self, id: String) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(id);
        }
    }

    fn equation(self, what: &'static str) -> Equation {
        Equation { what, left: self.count, right: 0, examples: self.examples }
    }
}
