//! Says which attached files are locked (M-25): kept, listed, but given out only once staff release
//! them.

use super::policy::FilterPolicy;

/// Whether an extension of `name`, the last or the one before it, is in
/// `filters.blocked_attachments` (M-25, E-147).
pub fn locked(name: &str, filters: &FilterPolicy) -> bool {
    // Windows takes what follows a colon for a stream of the file: `x.exe::$DATA` is run as `x.exe`.
    name.split(':').any(|piece| ends_blocked(piece, filters))
}

fn ends_blocked(name: &str, filters: &FilterPolicy) -> bool {
    // Windows drops dots and spaces at the end: `x.exe. ` is run as `x.exe`.
    let name = name.trim_end_matches(['.', ' ']);
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    let last = dots.next();
    let before = dots.next().zip(last).map(|(at, end)| &name[at..end]);
    let last = last.map(|at| &name[at..]);
    let is_blocked = |extension: &str| {
        let extension = extension.trim_end();
        filters.blocked_attachments.iter().any(|blocked| blocked.eq_ignore_ascii_case(extension))
    };
    last.is_some_and(is_blocked) || before.is_some_and(is_blocked)
}

#[cfg(test)]
mod tests {
    use super::locked;
    use crate::triage::samples::policy;

    #[test]
    fn e_147_blocked_extensions_are_locked_however_they_are_written() {
        let filters = policy().filters;
        for name in [
            "x.exe",
            "X.EXE",
            "x.pdf.js",
            "x.js.pdf",
            "x.exe. ",
            ".exe",
            "x.exe .pdf",
            "x.exe::$DATA",
        ] {
            assert!(locked(name, &filters), "{name}");
        }
        for name in ["x.pdf", "exe", "x.jsx", "", "...", "x.exe.log.txt", "日本.pdf"] {
            assert!(!locked(name, &filters), "{name}");
        }
    }
}
