//! How tickets, files and times are put on pages.

use minijinja::{Value, context};

use crate::portal::words::{self, Locale};
use crate::portal::{Portal, Visitor};
use crate::triage::facts::TicketStatus;

/// Types of pictures that browsers show and that hold no script; told by their first bytes.
pub(super) fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// Whether a file says that it is such a picture.
pub(super) fn says_picture(content_type: &str) -> bool {
    ["image/gif", "image/jpeg", "image/png", "image/webp"].contains(&content_type)
}

/// A status and its word.
pub(super) fn status(visitor: &Visitor, status: TicketStatus) -> Value {
    context! { name => status.as_str(), word => status_word(visitor, status) }
}

/// A status as its user says it.
pub(super) fn status_word(visitor: &Visitor, status: TicketStatus) -> String {
    match status {
        TicketStatus::Closed => visitor.words("status.closed"),
        TicketStatus::Open => visitor.words("status.open"),
        TicketStatus::Pending => visitor.words("status.pending"),
    }
}

/// A time, for people and for machines.
pub(in crate::portal) fn time(visitor: &Visitor, at: jiff::Timestamp) -> Value {
    let zone = &visitor.portal.options.zone;
    context! { at => at.to_string(), said => words::moment(visitor.locale, at, zone) }
}

/// A subject, or that there is none.
pub(super) fn subject(visitor: &Visitor, subject: &str) -> String {
    match subject.trim() {
        "" => visitor.words("tickets.no_subject"),
        subject => subject.to_owned(),
    }
}

/// A size as people say it.
pub(super) fn size(locale: Locale, bytes: u64) -> String {
    let (amount, unit) = match bytes {
        0..1_000 => return format!("{bytes}\u{a0}B"),
        1_000..1_000_000 => (bytes as f64 / 1e3, "kB"),
        _ => (bytes as f64 / 1e6, "MB"),
    };
    let written = if amount < 10.0 { format!("{amount:.1}") } else { format!("{amount:.0}") };
    let written = if locale == Locale::En { written } else { written.replace('.', ",") };
    format!("{written}\u{a0}{unit}")
}

/// The articles that may help with a subject.
pub(super) fn offered(portal: &Portal, visitor: &Visitor, site: &str, subject: &str) -> Vec<Value> {
    let articles = portal.articles.offered(subject, Some(site), visitor.locale);
    articles.into_iter().map(crate::portal::articles::pages::linked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_29_only_rasters_are_pictures_whatever_they_say() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\nrest"[..], "image/png"),
            (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
            (b"GIF89arest", "image/gif"),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
        ] {
            assert_eq!(picture_type(bytes), Some(kind));
        }
        for bytes in
            [&b"<svg xmlns"[..], b"<html>", b"GIF8", b"RIFF1234WAVE", b"%PDF-1.7", b"", b"BM"]
        {
            assert_eq!(picture_type(bytes), None);
        }
        assert!(!says_picture("image/svg+xml"));
    }

    #[test]
    fn sizes_are_said_as_people_say_them() {
        assert_eq!(size(Locale::En, 999), "999\u{a0}B");
        assert_eq!(size(Locale::En, 1_540), "1.5\u{a0}kB");
        assert_eq!(size(Locale::De, 2_400_000), "2,4\u{a0}MB");
        assert_eq!(size(Locale::Fr, 24_000_000), "24\u{a0}MB");
    }
}
