//! What a ticket knows of its messages: a hash of each of their lines, by which a later message is
//! found to repeat them (M-91), and of each image they show (M-26). 8 bytes each, in one set.

use std::collections::HashSet;

use crate::mail::reply::{Reply, known_lines};
use crate::mail::{Attachment, InboundMessage, links};

/// What the ticket of `message` will know of it. `reply` is made of its text.
pub fn of(message: &InboundMessage, reply: &Reply) -> Vec<u64> {
    // T-22: no hash of a line that holds a live link.
    let mut known = known_lines(&links::redacted(&reply.normalised));
    known.extend(message.attachments.iter().filter(|one| one.inline).map(image));
    known
}

/// The places, among its attachments, of the images in `message` that its ticket holds already.
pub fn repeats(message: &InboundMessage, known: &HashSet<u64>) -> Vec<usize> {
    let shown = message.attachments.iter().enumerate().filter(|(_, one)| one.inline);
    shown.filter(|(_, one)| known.contains(&image(one))).map(|(at, _)| at).collect()
}

/// Odd, as no line is: words cannot hide somebody's image.
fn image(attachment: &Attachment) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = attachment.sha256;
    u64::from_be_bytes([a, b, c, d, e, f, g, h]) | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_26_m_91_no_line_is_taken_for_an_image() {
        let lines: String =
            (0..100).map(|n| format!("this is line {n} of a long text\n")).collect();
        let lines = known_lines(&lines);
        assert!(lines.len() == 100 && lines.iter().all(|line| line % 2 == 0));
        let raw = "From: a@x.example\nContent-Type: image/png; name=a.png\n\nx";
        let message = crate::mail::read(raw.as_bytes()).expect("it can be read");
        assert_eq!(image(&message.attachments[0]) % 2, 1);
    }
}
