//! A message made ready for the spool piece by piece: of its bytes no more than one frame is in
//! memory uncompressed, whatever its size.

use jiff::Timestamp;

use super::{Arrival, FRAME, Intake, Origin, compress};
use crate::clock::Ids;

/// A message whose bytes are still coming.
#[derive(Default)]
pub struct Growing {
    frames: Vec<Vec<u8>>,
    // The beginning of the next frame.
    open: Vec<u8>,
    size: i64,
}

impl Growing {
    /// One without any bytes.
    pub fn new() -> Growing {
        Growing { frames: Vec::new(), open: Vec::new(), size: 0 }
    }

    /// All bytes of one that is in memory already.
    pub fn whole(bytes: &[u8]) -> Growing {
        let frames = bytes.chunks(FRAME).map(compress).collect();
        Growing { frames, open: Vec::new(), size: i64::try_from(bytes.len()).unwrap_or(i64::MAX) }
    }

    /// Adds the bytes that follow.
    pub fn push(&mut self, mut bytes: &[u8]) {
        self.size = self.size.saturating_add_unsigned(bytes.len() as u64);
        while self.open.len() + bytes.len() >= FRAME {
            let (head, rest) = bytes.split_at(FRAME - self.open.len());
            if self.open.is_empty() {
                self.close(head);
            } else {
                let mut frame = std::mem::take(&mut self.open);
                frame.extend_from_slice(head);
                self.close(&frame);
            }
            bytes = rest;
        }
        self.open.extend_from_slice(bytes);
    }

    /// How many bytes came so far.
    pub fn size(&self) -> u64 {
        self.size.unsigned_abs()
    }

    /// Names the message; all its bytes came.
    pub fn finish(
        mut self,
        mailbox: String,
        origin: &Origin,
        arrived_at: Timestamp,
        intake: Intake,
        ids: &Ids,
    ) -> Arrival {
        // An empty message has a frame too: one without any has lost its bytes.
        if !self.open.is_empty() || self.frames.is_empty() {
            let last = std::mem::take(&mut self.open);
            self.close(&last);
        }
        Arrival {
            id: ids.uuid(),
            mailbox,
            origin: origin.key(),
            intake,
            arrived_at,
            size: self.size,
            frames: self.frames,
        }
    }

    fn close(&mut self, frame: &[u8]) {
        self.frames.push(compress(frame));
    }
}
