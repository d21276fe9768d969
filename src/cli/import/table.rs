//! Reads a table, whatever program wrote it: UTF-8 with or without a byte order mark, UTF-16,
//! Windows-1252; parted by commas, semicolons, tabs or bars. A row at a time, so a table of any length
//! fits.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use anyhow::{Context, Result};
use csv::{Reader, ReaderBuilder, StringRecord};
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::cli::exit::{Exit, failure};

/// A table, its header row read.
pub(super) struct Table {
    rows: Reader<Decoded>,
    header: Vec<String>,
    encoding: &'static Encoding,
    separator: u8,
    /// Lines before the header row.
    skipped: u64,
}

/// One row below the header.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its line in the file, from 1.
    pub line: u64,
    pub cells: Vec<String>,
}

// Bytes looked at to tell how a table is written, and read at a time.
const HEAD: u64 = 64 << 10;
const CHUNK: usize = 16 << 10;

impl Table {
    /// Opens the table, `-` for standard input, and reads its header row.
    pub fn open(path: &Path) -> Result<Table> {
        let mut file = opened(path)?;
        let shown = path.display();
        let unreadable = || format!("`{shown}` cannot be read");
        let encoding = encoding(&mut file).with_context(unreadable)?;
        let mut head = Vec::new();
        let again = file.try_clone().with_context(unreadable)?;
        Decoded::new(again, encoding).take(HEAD).read_to_end(&mut head).with_context(unreadable)?;
        file.rewind().with_context(unreadable)?;
        let Layout { separator, skip, lines } = layout(&head);
        let mut text = Decoded::new(file, encoding);
        io::copy(&mut Read::by_ref(&mut text).take(skip), &mut io::sink())
            .with_context(unreadable)?;
        let mut rows = ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text);
        let header = rows.headers().with_context(unreadable)?;
        let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        if header.iter().all(String::is_empty) {
            return Err(failure(
                Exit::Input,
                format!("`{shown}` has no header row\nhint: its first row must name the columns"),
            ));
        }
        Ok(Table { rows, header, encoding, separator, skipped: lines })
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// How it is written, in words.
    pub fn said(&self) -> String {
        let separator = match self.separator {
            b'\t' => "tabs".to_owned(),
            other => format!("`{}`", char::from(other)),
        };
        format!("{}, parted by {separator}", self.encoding.name())
    }

    /// The next row; none at the end.
    pub fn next(&mut self) -> Result<Option<Row>> {
        let mut record = StringRecord::new();
        let found = self.rows.read_record(&mut record).map_err(|error| {
            failure(Exit::Input, format!("the table cannot be read any further: {error}\nhint: what stands above was taken; see to that line, then import the file again"))
        })?;
        if !found {
            return Ok(None);
        }
        // Where it ends is certain: empty lines before it are no rows. A cell may hold several.
        let within = record.iter().flat_map(str::bytes).filter(|byte| *byte == b'\n').count();
        let end = self.rows.position().line() + self.skipped;
        let line = end.saturating_sub(1 + within as u64);
        Ok(Some(Row { line, cells: record.iter().map(str::to_owned).collect() }))
    }
}

// Standard input can be read once, and must be read twice.
fn opened(path: &Path) -> Result<File> {
    if path == Path::new("-") {
        let mut file = tempfile::tempfile().context("no temporary file can be made")?;
        io::copy(&mut io::stdin().lock(), &mut file).context("standard input cannot be kept")?;
        file.rewind()?;
        return Ok(file);
    }
    File::open(path).map_err(|error| {
        failure(
            Exit::InputMissing,
            format!(
                "`{}` cannot be read: {error}\nhint: name a table, or `-` for standard input",
                path.display()
            ),
        )
    })
}

/// By its mark, else by what is in it; the file stands at its beginning again.
fn encoding(file: &mut File) -> io::Result<&'static Encoding> {
    let mut head = Vec::new();
    Read::by_ref(file).take(HEAD).read_to_end(&mut head)?;
    file.rewind()?;
    if let Some((encoding, _)) = Encoding::for_bom(&head) {
        return Ok(encoding);
    }
    // Letters of the Latin alphabet have a zero for their other half.
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    if zeros(1) > head.len() / 5 {
        return Ok(UTF_16LE);
    }
    if zeros(0) > head.len() / 5 {
        return Ok(UTF_16BE);
    }
    let is_utf_8 = is_utf_8(file)?;
    file.rewind()?;
    Ok(if is_utf_8 { UTF_8 } else { WINDOWS_1252 })
}

fn is_utf_8(file: &mut File) -> io::Result<bool> {
    let mut bytes = Vec::new();
    loop {
        let read = Read::by_ref(file).take(CHUNK as u64).read_to_end(&mut bytes)?;
        match std::str::from_utf8(&bytes) {
            Ok(_) => bytes.clear(),
            // A character that is cut by the end of the chunk.
            Err(error) if error.error_len().is_none() && read > 0 => {
                bytes.drain(..error.valid_up_to());
            }
            Err(_) => return Ok(false),
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

struct Layout {
    separator: u8,
    /// Bytes, and lines, before the header row.
    skip: u64,
    lines: u64,
}

// The sign that parts most of the first row; a spreadsheet may say it in a row before (`sep=;`).
fn layout(head: &[u8]) -> Layout {
    if let Some(rest) = head.strip_prefix(b"sep=")
        && let Some(separator) = rest.first()
        && let Some(end) = head.iter().position(|byte| *byte == b'\n')
    {
        return Layout { separator: *separator, skip: end as u64 + 1, lines: 1 };
    }
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                counts.iter_mut().filter(|(sign, _)| sign == byte).for_each(|(_, n)| *n += 1);
            }
            _ => {}
        }
    }
    // Of equals the first: `max_by_key` would take the last.
    let best = counts.iter().rev().max_by_key(|(_, count)| *count);
    let separator = best.map_or(b',', |(separator, _)| *separator);
    Layout { separator, skip: 0, lines: 0 }
}

/// A file as UTF-8, without its byte order mark; what does not decode is shown as `�`. Each line ends
/// with LF, the last one too, so that lines can be counted.
struct Decoded {
    file: File,
    decoder: Decoder,
    text: Vec<u8>,
    at: usize,
    is_at_end: bool,
    last: u8,
}

impl Decoded {
    fn new(file: File, encoding: &'static Encoding) -> Decoded {
        let decoder = encoding.new_decoder_with_bom_removal();
        Decoded { file, decoder, text: Vec::new(), at: 0, is_at_end: false, last: b'\n' }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut bytes = [0; CHUNK];
        let read = self.file.read(&mut bytes)?;
        self.is_at_end = read == 0;
        let room = self.decoder.max_utf8_buffer_length(read).unwrap_or(CHUNK * 4);
        self.text.resize(room, 0);
        let (_, _, written, _) =
            self.decoder.decode_to_utf8(&bytes[..read], &mut self.text, self.is_at_end);
        self.text.truncate(written);
        self.end_lines();
        self.at = 0;
        Ok(())
    }

    fn end_lines(&mut self) {
        let last = &mut self.last;
        self.text.retain_mut(|byte| {
            let is_second_half = *byte == b'\n' && *last == b'\r';
            *last = *byte;
            if *byte == b'\r' {
                *byte = b'\n';
            }
            !is_second_half
        });
        if self.is_at_end && !matches!(self.last, b'\n' | b'\r') {
            self.text.push(b'\n');
        }
    }
}

impl Read for Decoded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() && !self.is_at_end {
            self.fill()?;
        }
        let some = (self.text.len() - self.at).min(out.len());
        out[..some].copy_from_slice(&self.text[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn table(bytes: &[u8]) -> Table {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(bytes).expect("it is written");
        Table::open(file.path()).expect("it is a table")
    }

    fn utf_16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    #[test]
    fn a_table_is_read_however_it_is_written() {
        let text = "Name;E-Mail\r\nZoë \"x\";z@x.example\r\n\r\n\"A;\"\"B\"\"\nC\";c@x.example\r\n";
        let marked = |mark: &[u8], text: Vec<u8>| [mark, &text].concat();
        let (latin, _, _) = WINDOWS_1252.encode(text);
        for (bytes, encoding) in [
            (text.as_bytes().to_vec(), "UTF-8"),
            (marked(b"\xef\xbb\xbf", text.into()), "UTF-8"),
            (marked(b"\xff\xfe", utf_16(text, false)), "UTF-16LE"),
            (marked(b"\xfe\xff", utf_16(text, true)), "UTF-16BE"),
            (utf_16(text, false), "UTF-16LE"),
            (utf_16(text, true), "UTF-16BE"),
            (latin.into_owned(), "windows-1252"),
        ] {
            let mut table = table(&bytes);
            assert_eq!(table.said(), format!("{encoding}, parted by `;`"));
            assert_eq!(table.header(), ["Name", "E-Mail"], "{encoding}");
            let mut next = || table.next().expect("it reads").map(|row| (row.line, row.cells));
            let row =
                |line, name: &str, mail: &str| Some((line, vec![name.to_owned(), mail.to_owned()]));
            assert_eq!(next(), row(2, "Zoë \"x\"", "z@x.example"), "{encoding}");
            assert_eq!(next(), row(4, "A;\"B\"\nC", "c@x.example"), "{encoding}");
            assert_eq!(next(), None);
        }
        // Lines of an old Mac, the last one without an end.
        let mut mac = table(b"name\r\rA\rB");
        let mut next = || mac.next().expect("it reads").map(|row| (row.line, row.cells[0].clone()));
        assert_eq!(next(), Some((3, "A".to_owned())));
        assert_eq!(next(), Some((4, "B".to_owned())));
        assert_eq!(next(), None);
    }

    #[test]
    fn the_separator_is_the_one_that_parts_the_header() {
        for (head, separator, lines) in [
            ("a,b;c,d\n", b',', 0),
            ("\"a,b,c\";d;e\n,,,,", b';', 0),
            ("a\tb\n", b'\t', 0),
            ("a|b|c\n", b'|', 0),
            ("alone\n", b',', 0),
            ("sep=;\r\na,b,c;d\n", b';', 1),
        ] {
            let layout = layout(head.as_bytes());
            assert_eq!((layout.separator, layout.lines), (separator, lines), "{head}");
        }
        assert_eq!(table(b"sep=;\r\nname;email\r\nA;a@x.example\r\n").header(), ["name", "email"]);
    }

    #[test]
    fn a_character_cut_by_a_chunk_is_whole_again() {
        let text = format!("name\n{}\n", "é".repeat(CHUNK));
        let mut table = table(text.as_bytes());
        assert!(table.said().starts_with("UTF-8"));
        let row = table.next().expect("it reads").expect("a row");
        assert_eq!(row.cells[0].chars().filter(|c| *c == 'é').count(), CHUNK);
    }
}
