//! What a TNEF holds, and what a broken one does (M-21, T-34).

use proptest::prelude::*;

use super::samples::{Builder, Given, winmail};
use super::*;

fn read(bytes: &[u8]) -> Tnef {
    Tnef::read(bytes).expect("a TNEF")
}

fn files<'a>(bytes: &'a [u8], tnef: &Tnef) -> Vec<(String, &'a [u8])> {
    tnef.files.iter().map(|file| (file.name.clone(), &bytes[file.data.clone()])).collect()
}

#[test]
fn e_44_m_21_a_winmail_dat_gives_its_files() {
    let bytes = winmail();
    let tnef = read(&bytes);
    assert!(tnef.is_whole);
    let found = files(&bytes, &tnef);
    assert_eq!(found[0], ("Quotation für März.pdf".to_owned(), &b"%PDF-1.4 quotation"[..]));
    assert_eq!((found[1].0.as_str(), &found[1].1[..4]), ("Old order.dat", &SIGNATURE[..]));
    assert_eq!(found[2], ("inner.txt".to_owned(), &b"inside"[..]));
    assert_eq!(tnef.files[0].content_type, "application/pdf");
    assert_eq!(tnef.rtf(&bytes), Some(RtfText::Plain("The toner is empty.\nGrüße".to_owned())));
}

#[test]
fn m_21_a_body_comes_in_several_forms_and_charsets() {
    let tnef = read(
        &Builder::new()
            .plain(b"Gr\xfc\xdfe\0")
            .message(&[
                (property::INTERNET_CODEPAGE, Given::Number(1251)),
                (property::BODY_HTML, Given::Bytes(b"<p>\xcf\xf0</p>\0")),
            ])
            .bytes(),
    );
    assert_eq!((tnef.body.plain.as_str(), tnef.body.html.as_str()), ("Grüße", "<p>Пр</p>"));
    let tnef = read(&Builder::new().message(&[(property::BODY, Given::Text16("日本"))]).bytes());
    assert_eq!(tnef.body.plain, "日本");
}

#[test]
fn m_21_m_24_the_best_name_of_a_file_is_taken() {
    let long = (property::ATTACH_LONG_FILE_NAME, Given::Text8(b"long name.txt"));
    let short = (property::ATTACH_FILE_NAME, Given::Text8(b"LONGNA~1.TXT"));
    let shown = (property::DISPLAY_NAME, Given::Text8(b"shown.txt"));
    for (properties, name) in [
        (&[long, short, shown][..], "long name.txt"),
        (&[shown, short, long], "long name.txt"),
        (&[shown, short], "LONGNA~1.TXT"),
        (&[shown], "shown.txt"),
        (&[(property::ATTACH_LONG_FILE_NAME, Given::Texts(&[b"one.txt", b"two.txt"]))], "one.txt"),
        (&[], "title.txt"),
    ] {
        let bytes = Builder::new().file(b"title.txt\0", b"x", properties).bytes();
        assert_eq!(files(&bytes, &read(&bytes)), [(name.to_owned(), &b"x"[..])]);
    }
    let picture = Builder::new()
        .object(&[
            (property::ATTACH_EXTENSION, Given::Text8(b".png")),
            (property::ATTACH_CONTENT_ID, Given::Text8(b"<a@b>")),
            (property::ATTACH_DATA, Given::Bytes(b"pixels")),
        ])
        .bytes();
    let read = read(&picture);
    assert_eq!(files(&picture, &read), [("part-1.png".to_owned(), &b"pixels"[..])]);
    assert_eq!(read.files[0].content_id, "a@b");
}

#[test]
fn m_21_what_breaks_off_is_read_as_far_as_it_goes() {
    let whole = Builder::new().file(b"a.txt\0", b"first", &[]).file(b"b.txt\0", b"second", &[]);
    let bytes = whole.clone().bytes();
    let cut = &bytes[..bytes.len() - 60];
    let tnef = read(cut);
    assert!(!tnef.is_whole);
    assert_eq!(files(cut, &tnef)[0], ("a.txt".to_owned(), &b"first"[..]));
    assert!(!read(&[&bytes[..], b"garbage"].concat()).is_whole);
    assert!(read(&[&bytes[..], &[0; 9]].concat()).is_whole);
    // A wrong checksum is no reason to lose a file.
    let mut wrong = bytes.clone();
    let last = wrong.len() - 1;
    wrong[last] ^= 0xff;
    assert_eq!(files(&wrong, &read(&wrong)).len(), 2);
    for none in [&b""[..], b"\x78\x9f\x3e", b"not a TNEF at all", &bytes[1..]] {
        assert_eq!(Tnef::read(none), None);
    }
    assert!(read(&bytes[..4]).files.is_empty());
}

#[test]
fn t_34_m_21_claims_of_length_cost_nothing() {
    let claim = |kind: u16, rest: &[u8]| {
        let properties =
            [&u32::MAX.to_le_bytes()[..], &kind.to_le_bytes(), &[0x01, 0x37], rest].concat();
        Builder::new().attribute(2, attribute::ATTACHMENT, &properties).bytes()
    };
    for kind in [0x0003, 0x000d, 0x001e, 0x001f, 0x0102, 0x1003, 0x101e, 0x1102, 0x7777] {
        for rest in [&[0xff; 8][..], &[0; 64], &[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]] {
            assert!(read(&claim(kind, rest)).files.len() <= 1);
        }
    }
    // A message in a message in a message: only the first is opened.
    let mut nested = Builder::new().file(b"deep.txt\0", b"deep", &[]).bytes();
    for _ in 0..50 {
        nested = Builder::new().object(&[(property::ATTACH_DATA, Given::Object(&nested))]).bytes();
    }
    assert_eq!(read(&nested).files.len(), 2);
    let many = (0..1000).fold(Builder::new(), |all, _| all.file(b"x\0", b"x", &[])).bytes();
    assert_eq!(read(&many).files.len(), FILE_LIMIT);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_tnef_or_none(
        at in any::<prop::sample::Index>(),
        length in 0..20usize,
        bytes in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut raw = winmail();
        let at = at.index(raw.len() + 1);
        let end = (at + length).min(raw.len());
        raw.splice(at..end, bytes);
        if let Some(tnef) = Tnef::read(&raw) {
            for file in &tnef.files {
                prop_assert!(raw.get(file.data.clone()).is_some());
            }
            tnef.rtf(&raw);
        }
    }

    #[test]
    fn any_rtf_reads(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "\\", "\\'", "e9", "\\u", "-1", "8364", "?", "\\uc2", "\\*", "\\htmltag64 ", "<p>",
            "\\fromhtml1", "\\htmlrtf", "0", "\\f1", "\\fcharset204", "\\fonttbl", "\\bin", "9", " ", "\n",
            "\\par", "é", "x",
        ]), 0..40),
    ) {
        rtf_text::rtf_text(pieces.concat().as_bytes());
    }
}
