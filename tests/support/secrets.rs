//! T-26: whether a secret is anywhere that a desk leaves something: in a column of a table, in a file,
//! in a log; as it is, encoded as mail and browsers do, or inside something compressed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use guichet::args;
use guichet::store::sql::{Dialect, Row, Sql};
use guichet::store::{Store, StoreError};
use regex::bytes::Regex;

/// What must be nowhere, each with a word for what it is.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    kept: BTreeSet<(&'static str, String)>,
}

// Whatever is shorter stands somewhere by chance.
const SHORTEST: usize = 8;
// Every frame of zstd begins so (RFC 8878, section 3.1.1).
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

impl Secrets {
    /// Adds one: `kind` says what it is, e.g. `a session`.
    pub fn add(&mut self, kind: &'static str, secret: &str) {
        assert!(secret.len() >= SHORTEST, "`{secret}` is no secret to look for");
        self.kept.insert((kind, secret.to_owned()));
    }

    /// Adds the tokens of the links in a text of ours.
    pub fn add_links(&mut self, text: &str) {
        for (kind, page) in [("a link", "activate/"), ("a link of an address", "confirm/")] {
            for after in text.split(&format!("/portal/{page}")).skip(1) {
                let is_token = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                let token = after.split(|c| !is_token(c)).next().unwrap_or_default();
                assert_eq!(token.len(), 43, "a token is so long: `{token}`");
                self.add(kind, token);
            }
        }
    }

    pub fn extend(&mut self, others: Secrets) {
        self.kept.extend(others.kept);
    }

    /// Which kinds there are to look for: a search for none finds none.
    pub fn kinds(&self) -> Vec<&'static str> {
        let kinds: BTreeSet<&'static str> = self.kept.iter().map(|(kind, _)| *kind).collect();
        kinds.into_iter().collect()
    }

    /// Where in all columns of all tables any of them is.
    pub fn in_store(&self, store: &Store) -> Vec<String> {
        let search = Search::of(self);
        let found = store.read_only(|sql| {
            let mut found = BTreeSet::new();
            for (table, columns) in tables(sql)? {
                let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
                let query = format!("SELECT {} FROM \"{table}\"", names.join(", "));
                for row in sql.query(&query, args![])? {
                    for (n, column) in columns.iter().enumerate() {
                        let place = format!("the column {table}.{column}");
                        found.extend(search.look(&place, &bytes(&row, n)));
                    }
                }
            }
            Ok(found)
        });
        found.expect("the store reads").into_iter().collect()
    }

    /// Where below a folder any of them is, in the names and the contents of its files, but those of
    /// the folders `but`.
    pub fn in_folder(&self, folder: &Path, but: &[&str]) -> Vec<String> {
        let search = Search::of(self);
        let mut found = BTreeSet::new();
        let mut left = vec![folder.to_owned()];
        while let Some(folder) = left.pop() {
            for entry in fs::read_dir(&folder).expect("a readable folder") {
                let path = entry.expect("a readable folder").path();
                let place = format!("the file {}", path.display());
                found.extend(search.look(&place, path.display().to_string().as_bytes()));
                if path.is_dir() {
                    let is_left_out = but.iter().any(|name| path.ends_with(name));
                    left.extend((!is_left_out).then_some(path));
                } else if path.is_file() {
                    found.extend(search.look(&place, &fs::read(&path).expect("readable")));
                }
            }
        }
        found.into_iter().collect()
    }

    /// Whether any of them is in a text, such as a log.
    pub fn in_text(&self, place: &str, text: &[u8]) -> Vec<String> {
        Search::of(self).look(place, text).into_iter().collect()
    }
}

/// The names of all tables, each with those of its columns.
fn tables(sql: &mut dyn Sql) -> Result<Vec<(String, Vec<String>)>, StoreError> {
    let query = match sql.dialect() {
        Dialect::Postgres => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns \
             WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
        }
        Dialect::Sqlite => {
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' ORDER BY m.name, c.cid"
        }
    };
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for row in sql.query(query, args![])? {
        let (table, column) = (row.text(0)?, row.text(1)?);
        match tables.last_mut() {
            Some((last, columns)) if *last == table => columns.push(column),
            _ => tables.push((table, vec![column])),
        }
    }
    assert!(tables.iter().any(|(name, _)| name == "raw_chunk"), "these are no tables of ours");
    Ok(tables)
}

fn bytes(row: &Row, column: usize) -> Vec<u8> {
    let text = row.opt_text(column).map(|text| text.map(String::into_bytes));
    let found = text.or_else(|_| row.opt_blob(column));
    found
        .or_else(|_| Ok::<_, StoreError>(Some(row.int(column)?.to_string().into_bytes())))
        .expect("a column is text, bytes or a number")
        .unwrap_or_default()
}

/// One pattern of all forms of all secrets.
struct Search {
    pattern: Regex,
    forms: Vec<Form>,
}

struct Form {
    kind: &'static str,
    written: &'static str,
    bytes: Vec<u8>,
}

impl Search {
    fn of(secrets: &Secrets) -> Search {
        assert!(!secrets.kept.is_empty(), "nothing is looked for");
        let mut forms = Vec::new();
        for (kind, secret) in &secrets.kept {
            for (written, bytes) in forms_of(secret) {
                forms.push(Form { kind, written, bytes });
            }
        }
        let escaped = |bytes: &[u8]| -> String {
            bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
        };
        let all: Vec<String> = forms.iter().map(|form| escaped(&form.bytes)).collect();
        let pattern = regex::bytes::RegexBuilder::new(&all.join("|"))
            .unicode(false)
            .size_limit(256 << 20)
            .build();
        Search { pattern: pattern.expect("a pattern"), forms }
    }

    /// What is found at a place, a sentence each; in what is compressed there too.
    fn look(&self, place: &str, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = self.look_at(place, bytes);
        // As mail breaks its lines.
        let joined = without_breaks(bytes);
        if joined.len() < bytes.len() {
            found.extend(self.look_at(place, &joined));
        }
        for at in memchr::memmem::find_iter(bytes, ZSTD) {
            if let Some(inside) = unpacked(&bytes[at..]) {
                found.extend(self.look(&format!("{place}, compressed"), &inside));
            }
        }
        found
    }

    fn look_at(&self, place: &str, bytes: &[u8]) -> BTreeSet<String> {
        let hits = self.pattern.find_iter(bytes).map(|hit| {
            let is_it = |form: &&Form| form.bytes == hit.as_bytes();
            let form = self.forms.iter().find(is_it).expect("the pattern is made of them");
            format!("{} is in {place}, {}", form.kind, form.written)
        });
        hits.collect()
    }
}

/// How a secret may be written: as it is first, then percent-encoded, as quoted-printable, in
/// hexadecimal, and within base64 of either alphabet, wherever in a group of three it begins.
fn forms_of(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let coded = |sign: char, is_plain: &dyn Fn(u8) -> bool| -> Vec<u8> {
        let coded: String = bytes
            .iter()
            .map(|&b| if is_plain(b) { char::from(b).into() } else { format!("{sign}{b:02X}") })
            .collect();
        coded.into_bytes()
    };
    let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    let percent = String::from_utf8(coded('%', &is_unreserved)).expect("it is ASCII");
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let mut forms = vec![
        ("as it is", bytes.to_vec()),
        ("as a form sends it", percent.replace("%20", "+").into_bytes()),
        ("percent-encoded", percent.into_bytes()),
        ("quoted-printable", coded('=', &|b| (b' '..=b'~').contains(&b) && b != b'=')),
        ("in hexadecimal", hex(bytes).into_bytes()),
    ];
    // What a token is made of.
    if let Ok(raw) = URL_SAFE_NO_PAD.decode(secret)
        && raw.len() >= 16
    {
        forms.push(("its bytes in hexadecimal", hex(&raw).into_bytes()));
        forms.push(("as bytes", raw));
    }
    for before in 0..3 {
        let shifted = [&b"\0\0"[..before], bytes].concat();
        // Only the characters that nothing but the secret decides.
        let first = (before * 8).div_ceil(6);
        let last = shifted.len() * 8 / 6;
        let text = STANDARD_NO_PAD.encode(&shifted)[first..last].to_owned();
        forms.push(("in base64", text.replace('+', "-").replace('/', "_").into_bytes()));
        forms.push(("in base64", text.into_bytes()));
    }
    forms
}

fn without_breaks(bytes: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let is_broken = text.len() < line.len();
        joined.extend_from_slice(text.strip_suffix(b"=").filter(|_| is_broken).unwrap_or(text));
    }
    joined
}

/// What a frame holds that begins here, as far as it goes.
fn unpacked(frame: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut inside = Vec::new();
    let mut decoder = zstd::stream::read::Decoder::new(frame).ok()?.single_frame();
    // A frame that is cut holds something all the same.
    let _ = decoder.by_ref().take(64 << 20).read_to_end(&mut inside);
    (!inside.is_empty()).then_some(inside)
}
