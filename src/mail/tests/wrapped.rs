//! Linear time for what a text is wrapped in: files, armour, TNEF, charsets, many parts (T-34, T-35,
//! T-38, M-102).

use super::hostile::{BODY, Build, assert_linear, body};

#[test]
fn t_38_m_102_what_is_wrapped_in_a_text_is_read_in_linear_time() {
    const FLOWED: &str = "Content-Type: text/plain; format=flowed";
    const END: &str = "-----END PGP SIGNATURE-----\n";
    let builds: [Build; 14] = [
        |n| body("Subject: x", "begin 644 x\n", n),
        |n| body("Subject: x", "begin 644 x\n#0V%T\n", n),
        |n| body("Subject: x", "begin 644 x\n#0V%T\n`\nend\n", n),
        |n| body("Subject: x", "begin 644 x\n#0V%T\n`\nend\n-\n", n),
        |n| body("Subject: x", "-----BEGIN PGP MESSAGE-----\n", n),
        |n| body("Subject: x", "-----BEGIN PGP SIGNED MESSAGE-----\n\n", n),
        |n| [body("Subject: x", "-----BEGIN PGP SIGNED MESSAGE-----\n\n", n), END.into()].concat(),
        |n| body("Subject: x", "-----BEGIN PGP MESSAGE-----\n-----END PGP MESSAGE-----\n", n),
        |n| body(FLOWED, ">", n),
        |n| body(FLOWED, "> a \n", n),
        |n| body(FLOWED, ">> \n> \n", n),
        |n| body("X-MS-Has-Attach: yes", "a\n\n", n),
        |n| body("Content-Type: text/calendar; method=REQUEST", "BEGIN:VEVENT\n", n),
        |n| body("Content-Type: text/calendar; method=REQUEST", "SUMMARY:\n ", n),
    ];
    for (n, build) in builds.iter().enumerate() {
        assert_linear(&format!("wrapped {n}"), build, BODY);
    }
}

#[test]
fn t_38_m_13_every_charset_is_decoded_in_linear_time() {
    let builds: [Build; 6] = [
        |n| body("Content-Type: text/plain; charset=iso-2022-jp", "\x1b$B\x1b(B", n),
        |n| body("Content-Type: text/plain; charset=iso-2022-kr", "\x0e\x0f", n),
        |n| body("Content-Type: text/plain; charset=hz-gb-2312", "~{a~}", n),
        |n| body("Content-Type: text/plain; charset=utf-7", "+A", n),
        |n| body("Content-Type: text/plain; charset=utf-32", "\0", n),
        |n| body("Content-Type: text/plain; charset=utf-16", "\0a", n),
    ];
    for (n, build) in builds.iter().enumerate() {
        assert_linear(&format!("charset {n}"), build, BODY);
    }
}

/// A TNEF that is made of one piece again and again.
fn tnef(piece: &[u8], size: usize) -> Vec<u8> {
    let head = b"Content-Type: application/ms-tnef\n\n\x78\x9f\x3e\x22\x01\0";
    [&head[..], &piece.repeat(size / piece.len())].concat()
}

/// One attribute of a TNEF that holds a piece again and again.
fn attribute(level: u8, id: u32, head: &[u8], piece: &[u8], size: usize) -> Vec<u8> {
    let data = [head, &piece.repeat(size / piece.len())].concat();
    let length = u32::try_from(data.len()).expect("a small size").to_le_bytes();
    tnef(&[&[level][..], &id.to_le_bytes(), &length, &data, &[0; 2]].concat(), data.len() + 11)
}

/// A TNEF whose text is compressed RTF of nothing but references.
fn packed_rtf(size: usize) -> Vec<u8> {
    let piece = b"\xff\0\x1f\0\x2f\0\x3f\0\x4f\0\x5f\0\x6f\0\x7f\0\x8f";
    let length = u32::try_from(size / piece.len() * piece.len() + 16).expect("a small size");
    let property = [&b"\x01\0\0\0\x02\x01\x09\x10\x01\0\0\0"[..], &length.to_le_bytes()].concat();
    let head = [&property[..], &[0xff; 8], b"LZFu\0\0\0\0"].concat();
    attribute(1, 0x0006_9003, &head, piece, size)
}

#[test]
fn t_34_t_38_m_21_a_tnef_is_read_in_linear_time() {
    let builds: [Build; 5] = [
        |n| tnef(b"\x02\x02\x90\x06\0\0\0\0\0\0\0\x02\x0f\x80\x06\0\x01\0\0\0x\0\0", n),
        |n| attribute(2, 0x0006_9005, &[0xff; 4], b"\x02\x10\x01\x37\0\0\0\0", n),
        |n| attribute(2, 0x0006_9005, &[0xff; 4], b"\x02\x01\x01\x37\x01\0\0\0\0\0\0\0", n),
        |n| attribute(2, 0x0006_800f, b"", b"\x78\x9f\x3e\x22", n),
        |n| packed_rtf(n),
    ];
    for (n, build) in builds.iter().enumerate() {
        assert_linear(&format!("tnef {n}"), build, BODY);
    }
}

#[test]
fn t_35_t_38_deep_wide_and_long_messages_are_read_in_linear_time() {
    let builds: [Build; 4] = [
        // As many parts as are allowed, each longer.
        |n| {
            let part = format!("--b\n\n{}\n", "x".repeat(n / 900));
            format!("Content-Type: multipart/mixed; boundary=b\n\n{}", part.repeat(900))
                .into_bytes()
        },
        // As deep as is allowed, and a long text inside.
        |n| {
            let level =
                |n: usize| format!("Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n");
            let all: String = (0..98).map(level).collect();
            format!("{all}\n{}", "--\nx".repeat(n / 4)).into_bytes()
        },
        // An attachment of many lines.
        |n| {
            body(
                "Content-Type: application/pdf\nContent-Transfer-Encoding: base64",
                "aGVsbG8g\n",
                4 * n,
            )
        },
        // As many pieces in one text as are listed.
        |n| {
            let file = format!("begin 644 x\n{}`\nend\n", "#0V%T\n".repeat(n / 600));
            body("Subject: x", &file, n)
        },
    ];
    for (n, build) in builds.iter().enumerate() {
        assert_linear(&format!("large {n}"), build, BODY);
    }
}

// Found by fuzzing: RTF may write any character by its number, and no database takes a NUL.
#[test]
fn m_02_m_21_no_nul_comes_out_of_a_winmail() {
    let rtf = b"{\\rtf1\\ansi a\\'00b\\u0?c}";
    let size = |more: usize| u32::try_from(rtf.len() + more).expect("a small size").to_le_bytes();
    let property = [&b"\x01\0\0\0\x02\x01\x09\x10\x01\0\0\0"[..], &size(16)].concat();
    let head = [&property[..], &size(12), &size(0), b"MELA\0\0\0\0"].concat();
    let raw = attribute(1, 0x0006_9003, &head, rtf, rtf.len());
    let text = crate::mail::read(&raw).expect("a message").text;
    assert!(text.contains('a') && text.contains('c') && !text.contains('\0'), "{text:?}");
}
