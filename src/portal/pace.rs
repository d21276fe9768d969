//! How long a connection may take: to say what it wants, to send a form, to take an answer. A byte now
//! and then buys nothing. Reads no clock: it is told the time.

use std::time::Duration;

use tokio::time::Instant;

use super::router::SLOWEST;

// Until the header of a request is whole, or the next request begins.
const ASKING: Duration = Duration::from_secs(10);
// What comes before the first byte of an answer, and what anybody may take for a short one.
const PATIENCE: Duration = Duration::from_secs(60);
// What is said before a form is sent, and is no answer.
const GO_ON: &[u8] = b"HTTP/1.1 100";

/// The pace of a connection.
pub(super) struct Pace {
    /// When it is given up.
    until: Instant,
    phase: Phase,
    /// Bytes for which no whole second was granted yet.
    moved: u64,
}

#[derive(Clone, Copy)]
enum Phase {
    /// An answer goes out, or went out a moment ago.
    Answering { until: Instant, is_stuck: bool },
    /// The header of a request comes in.
    Asking { has_begun: bool, is_line_empty: bool },
    /// Its header is there: the rest comes in, the answer is made.
    Working,
}

const UNASKED: Phase = Phase::Asking { has_begun: false, is_line_empty: true };

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace { until: now + ASKING, phase: UNASKED, moved: 0 }
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Something came in.
    pub(super) fn heard(&mut self, bytes: &[u8], now: Instant) {
        match self.phase {
            // Whoever takes nothing gains nothing by asking for more.
            Phase::Answering { is_stuck: true, .. } => {}
            _ if bytes.is_empty() => {}
            Phase::Answering { is_stuck: false, .. } => {
                self.until = now + ASKING;
                self.phase = UNASKED;
                self.asked(bytes, now);
            }
            Phase::Asking { .. } => self.asked(bytes, now),
            Phase::Working => {
                let granted = self.granted(bytes.len());
                self.until += granted;
            }
        }
    }

    fn asked(&mut self, bytes: &[u8], now: Instant) {
        let Phase::Asking { mut has_begun, mut is_line_empty } = self.phase else { return };
        for byte in bytes {
            match byte {
                b'\r' => {}
                b'\n' if has_begun && is_line_empty => {
                    (self.until, self.phase, self.moved) = (now + PATIENCE, Phase::Working, 0);
                    return;
                }
                b'\n' => is_line_empty = true,
                _ => (has_begun, is_line_empty) = (true, false),
            }
        }
        self.phase = Phase::Asking { has_begun, is_line_empty };
    }

    /// The network took so many of these bytes.
    pub(super) fn said(&mut self, bytes: &[u8], taken: usize, now: Instant) {
        if bytes.starts_with(GO_ON) {
            return;
        }
        let until = match self.phase {
            Phase::Answering { until, .. } => until,
            Phase::Asking { .. } | Phase::Working => {
                self.moved = 0;
                now + PATIENCE
            }
        };
        let until = until + self.granted(taken);
        self.phase = Phase::Answering { until, is_stuck: false };
        self.until = now + ASKING;
    }

    /// The network takes no more of an answer for now.
    pub(super) fn stuck(&mut self) {
        if let Phase::Answering { until, .. } = self.phase {
            self.phase = Phase::Answering { until, is_stuck: true };
            self.until = until;
        }
    }

    fn granted(&mut self, bytes: usize) -> Duration {
        self.moved += bytes as u64;
        let seconds = self.moved / SLOWEST;
        self.moved %= SLOWEST;
        Duration::from_secs(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    fn begun() -> (Instant, Pace) {
        let now = Instant::now();
        (now, Pace::new(now))
    }

    #[test]
    fn t_52_a_header_has_ten_seconds_however_its_bytes_come() {
        let (start, mut pace) = begun();
        for (n, byte) in HEADER[..HEADER.len() - 1].iter().enumerate() {
            let now = start + Duration::from_millis(300 * n as u64);
            pace.heard(std::slice::from_ref(byte), now);
            assert_eq!(pace.until(), start + ASKING);
        }
        let now = start + Duration::from_secs(9);
        pace.heard(b"\n", now);
        assert_eq!(pace.until(), now + PATIENCE, "it is whole");
        let (start, mut pace) = begun();
        pace.heard(b"\r\n\r\n\n\n", start + Duration::from_secs(5));
        assert_eq!(pace.until(), start + ASKING, "empty lines are no request");
    }

    #[test]
    fn t_52_the_next_request_begins_soon_or_never() {
        let (start, mut pace) = begun();
        pace.heard(HEADER, start);
        pace.said(b"HTTP/1.1 200 OK", 15, start);
        assert_eq!(pace.until(), start + ASKING);
        let later = start + Duration::from_secs(8);
        pace.heard(b"GE", later);
        assert_eq!(pace.until(), later + ASKING);
        pace.heard(b"T / HTTP/1.1\r\n\r\n", later);
        assert_eq!(pace.until(), later + PATIENCE);
    }

    #[test]
    fn t_52_a_form_is_sent_at_a_fair_speed() {
        let (start, mut pace) = begun();
        pace.heard(HEADER, start);
        pace.said(b"HTTP/1.1 100 Continue\r\n\r\n", 25, start);
        let half = vec![0; SLOWEST as usize / 2];
        pace.heard(&half, start);
        assert_eq!(pace.until(), start + PATIENCE);
        pace.heard(&half, start);
        assert_eq!(pace.until(), start + PATIENCE + Duration::from_secs(1));
    }

    #[test]
    fn t_52_an_answer_is_taken_at_a_fair_speed_and_a_byte_now_and_then_buys_nothing() {
        let (start, mut pace) = begun();
        pace.heard(HEADER, start);
        let piece = vec![0; SLOWEST as usize];
        for n in 0..100 {
            let now = start + Duration::from_secs(n / 2);
            pace.said(&piece, 1, now);
            pace.stuck();
            pace.heard(HEADER, now);
        }
        assert_eq!(pace.until(), start + PATIENCE, "a hundred bytes grant nothing");
        for _ in 0..100 {
            pace.said(&piece, piece.len(), start);
            pace.stuck();
        }
        assert_eq!(pace.until(), start + PATIENCE + Duration::from_secs(100));
    }
}
