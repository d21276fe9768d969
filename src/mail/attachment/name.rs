//! Names for attachments (M-24, M-25): labels for people, never paths (F-08, T-33).

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use crate::mail::words::is_invisible;

/// The longest name, in bytes of UTF-8 (M-25).
const LIMIT: usize = 255;

/// The longest extension that is kept when a name is cut.
const EXTENSION_LIMIT: usize = 32;

/// Makes a label of a decoded name: NFC, without controls, invisible characters and separators, at
/// most 255 bytes with its extension kept (M-25, in the order of T-33). `None` when nothing is left
/// that could be shown.
pub fn label(decoded: &str) -> Option<String> {
    let label: String = decoded
        .nfc()
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .filter(|c| !matches!(c, '/' | '\\' | '\u{2028}' | '\u{2029}'))
        .collect();
    let label = label.trim();
    if label.chars().all(|c| c == '.') {
        return None;
    }
    let (stem, extension) = split_extension(label);
    Some(format!("{}{extension}", cut(stem, LIMIT - extension.len())))
}

/// The extension for a type, without its dot (M-24).
pub fn extension_for(content_type: &str) -> &'static str {
    match content_type {
        "application/gzip" | "application/x-gzip" => "gz",
        "application/json" => "json",
        "application/msword" => "doc",
        "application/ms-tnef" | "application/vnd.ms-tnef" => "dat",
        "application/pdf" => "pdf",
        "application/pgp-encrypted" | "application/pgp-signature" => "asc",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "p7m",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        "application/rtf" | "text/rtf" => "rtf",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.ms-powerpoint" => "ppt",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/xml" | "text/xml" => "xml",
        "application/zip" | "application/x-zip-compressed" => "zip",
        "audio/mpeg" => "mp3",
        "image/bmp" => "bmp",
        "image/gif" => "gif",
        "image/heic" => "heic",
        "image/jpeg" | "image/jpg" | "image/pjpeg" => "jpg",
        "image/png" | "image/x-png" => "png",
        "image/svg+xml" => "svg",
        "image/tiff" => "tif",
        "image/webp" => "webp",
        "message/rfc822" | "message/global" => "eml",
        "text/calendar" => "ics",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/vcard" | "text/x-vcard" => "vcf",
        "video/mp4" => "mp4",
        "video/quicktime" => "mov",
        _ if content_type.starts_with("text/") || content_type.starts_with("message/") => "txt",
        _ => "bin",
    }
}

/// Keeps the names of one message apart: the second of two equal ones gets ` (2)` (M-25).
#[derive(Default)]
pub struct Names(HashMap<String, usize>);

impl Names {
    pub fn apart(&mut self, name: String) -> String {
        let count = self.0.entry(name.to_lowercase()).or_default();
        *count += 1;
        if *count == 1 {
            return name;
        }
        let (stem, extension) = split_extension(&name);
        let number = format!(" ({count})");
        let stem = cut(stem, LIMIT - extension.len() - number.len());
        format!("{stem}{number}{extension}")
    }
}

/// The name before its extension, and the extension with its dot.
fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= EXTENSION_LIMIT => name.split_at(dot),
        _ => (name, ""),
    }
}

fn cut(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_33_a_name_is_a_label() {
        for (decoded, name) in [
            ("../../x\0.sh", "....x.sh"),
            ("\u{200b}.htaccess", ".htaccess"),
            ("C:\\a", "C:a"),
            ("CON", "CON"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("a\r\nb\t.txt", "ab.txt"),
            (" a.txt ", "a.txt"),
            ("cafe\u{301}.txt", "café.txt"),
            ("a\u{2028}b", "ab"),
        ] {
            assert_eq!(label(decoded).as_deref(), Some(name), "{decoded:?}");
        }
        for nothing in ["", "/", "..", "../..", "\u{200b}"] {
            assert_eq!(label(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn m_25_long_names_keep_their_extension() {
        for length in [LIMIT - 1, LIMIT, LIMIT + 1, 4096] {
            let name = label(&format!("{}.pdf", "x".repeat(length - 4))).expect("a name");
            assert_eq!(name.len(), length.min(LIMIT));
            assert!(name.ends_with(".pdf"));
        }
        assert!(label(&"é".repeat(400)).expect("a name").len() <= LIMIT);
    }

    #[test]
    fn m_25_equal_names_are_told_apart() {
        let mut names = Names::default();
        let mut apart = |name: &str| names.apart(name.to_owned());
        assert_eq!(
            [apart("a.txt"), apart("A.TXT"), apart("a.txt"), apart("b"), apart("b")],
            ["a.txt", "A (2).TXT", "a (3).txt", "b", "b (2)"]
        );
        assert_eq!(apart(&format!("{}.c", "x".repeat(253))).len(), LIMIT);
        assert_eq!(apart(&format!("{}.c", "x".repeat(253))).len(), LIMIT);
    }
}
