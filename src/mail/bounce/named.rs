//! Finds whom a notice in words speaks of (M-62 source 3, M-63), and what it says of them (M-63b).

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::tables::{CUE, DELAY, HINT, RECIPIENT};
use super::writer::collapsed;
use super::{BouncedRecipient, dsn, status};
use crate::mail::address::scan::{Found, addresses};

/// More recipients than any notice names one by one.
const RECIPIENT_LIMIT: usize = 200;

/// Bytes that are looked at of what is said about one recipient.
const PART_LIMIT: usize = 4096;

/// Bytes beyond which a line is no sentence about the addresses in it.
const LINE_LIMIT: usize = 1000;

/// Lines with words between a cue and the first address (M-63a).
const CUE_REACH: usize = 2;

/// Characters before an address in which words tell whose it is.
const REACH: usize = 120;

/// Characters before an address in which words tell that it is nobody's who failed.
const HINT_REACH: usize = 50;

/// How much is kept of what was said of a recipient.
const DIAGNOSTIC_LIMIT: usize = 500;

/// A notice in words: its text above the returned message.
pub struct Notice<'a> {
    text: &'a str,
    /// Where each line begins, and the line.
    lines: Vec<(usize, &'a str)>,
    /// The lines that name an address, by the address in lower case.
    naming: HashMap<String, Vec<usize>>,
}

/// A recipient that a notice names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub address: String,
    /// The part of the text that is about this one, the address first.
    part: Range<usize>,
}

impl<'a> Notice<'a> {
    pub fn of(text: &'a str) -> Notice<'a> {
        let mut lines = Vec::new();
        let mut naming: HashMap<String, Vec<usize>> = HashMap::new();
        let mut start = 0;
        for written in text.split_inclusive('\n') {
            let line = written.trim_end();
            let is_sentence = line.len() <= LINE_LIMIT;
            for found in addresses(line).filter(|_| is_sentence) {
                let named = naming.entry(found.address.to_lowercase()).or_default();
                if named.last() != Some(&lines.len()) {
                    named.push(lines.len());
                }
            }
            lines.push((start, line));
            start += written.len();
        }
        Notice { text, lines, naming }
    }

    /// The recipients by the first pattern of M-63 that finds any; `strangers` (lower case) are who
    /// the notice is from and to, who count only where it lists addresses.
    pub fn recipients(&self, strangers: &[String]) -> Vec<Named> {
        let mut starts = self.listed();
        if starts.len() > 1 {
            // An answer of a server that begins a line with who sent the mail is no entry.
            let is_stranger = |(_, address): &(usize, &str)| is_stranger(address, strangers);
            if !starts.iter().all(is_stranger) {
                starts.retain(|start| !is_stranger(start));
            }
        }
        let groups = self.groups();
        let failed = groups.iter().filter(|group| !group.is_success);
        let written: Vec<&str> = failed.filter_map(|group| group.address.as_deref()).collect();
        if starts.is_empty() {
            starts.extend(written.into_iter().map(|address| (0, address)));
        }
        if starts.is_empty() {
            starts = self.told(strangers);
        }
        self.parted(&starts)
    }

    /// The parts of the text about recipients known from elsewhere: from a line that begins with the
    /// address of one to the next such line.
    pub fn parts_about(&self, recipients: &[BouncedRecipient]) -> Vec<Named> {
        let known: HashSet<String> =
            recipients.iter().map(|recipient| recipient.address.to_lowercase()).collect();
        let mut starts = Vec::new();
        for (start, line) in &self.lines {
            let address = Entry::begins(line).map(|entry| entry.found.address);
            if let Some(address) = address.filter(|address| known.contains(&address.to_lowercase()))
            {
                starts.push((*start, address));
            }
        }
        self.parted(&starts)
    }

    /// The delivery status fields that stand in the text itself (M-63c).
    pub fn groups(&self) -> Vec<dsn::Group> {
        let is_recipient = |(_, line): &(usize, &str)| {
            let line = line.trim_start().as_bytes();
            [&b"final-recipient:"[..], b"original-recipient:"]
                .iter()
                .any(|name| line.get(..name.len()).is_some_and(|l| l.eq_ignore_ascii_case(name)))
        };
        if !self.lines.iter().any(is_recipient) {
            return Vec::new();
        }
        // Indented fields would be read as folded ones.
        let bare: String = self.lines.iter().flat_map(|(_, line)| [line.trim(), "\n"]).collect();
        dsn::groups(bare.as_bytes())
    }

    /// What is said of a recipient, on one line.
    pub fn diagnostic(&self, named: &Named) -> Option<String> {
        let part = self.said_in(named);
        let said = part.trim_start();
        let said = addresses(said.lines().next().unwrap_or_default())
            .next()
            .map_or(said, |found| &said[found.at.end..])
            .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '.' | ',' | ';'));
        let paragraph = said.split("\n\n").next().unwrap_or_default();
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        let said: String = words.join(" ").chars().take(DIAGNOSTIC_LIMIT).collect();
        (!said.is_empty()).then_some(said)
    }

    fn said_in(&self, named: &Named) -> &'a str {
        let part = &self.text[named.part.clone()];
        &part[..part.floor_char_boundary(PART_LIMIT)]
    }

    /// The code that the text states for an address: where it names the address, else in its part;
    /// when it speaks of nobody else, anywhere (M-63b).
    pub fn stated(&self, address: &str, part: Option<&Named>, is_only: Only) -> Option<String> {
        let lines = self.naming.get(&address.to_lowercase());
        let lines = lines.into_iter().flatten().map(|line| self.lines[*line].1);
        let naming = lines.collect::<Vec<_>>().join("\n");
        status::stated(&naming)
            .or_else(|| status::stated(self.said_in(part?)))
            .or_else(|| (is_only == Only::Yes).then(|| status::stated(self.text)).flatten())
    }

    /// What the words amount to when there is no code, and the words (M-63b).
    pub fn derived(&self, part: Option<&Named>, is_only: Only) -> Option<(&'static str, String)> {
        part.and_then(|part| status::derived(self.said_in(part)))
            .or_else(|| (is_only == Only::Yes).then(|| status::derived(self.text)).flatten())
    }

    /// Whether the mail is still on its way (M-63b).
    pub fn is_about_delay(&self) -> bool {
        DELAY.is_match(&collapsed(self.text, self.text.len()))
    }

    /// M-63a, M-63b: lists of addresses after a cue, and lines that `<address>:` begins.
    fn listed(&self) -> Vec<(usize, &'a str)> {
        let mut starts = Vec::new();
        let mut reach = 0;
        // The indentation of the list that is being read.
        let mut column = None;
        for (start, line) in &self.lines {
            if line.is_empty() || starts.len() == RECIPIENT_LIMIT {
                continue;
            }
            if let Some(entry) = Entry::begins(line) {
                let is_entry = entry.is_labelled()
                    || reach > 0
                    || (column == Some(entry.column) && entry.is_closed());
                if is_entry {
                    column = Some(entry.column);
                    reach = 0;
                    starts.push((*start, entry.found.address));
                    continue;
                }
            } else if reach > 0
                && let Some(found) = named_entry(line)
            {
                column = None;
                reach = 0;
                starts.push((*start, found.address));
                continue;
            }
            reach = if CUE.is_match(line) { CUE_REACH } else { reach.saturating_sub(1) };
        }
        starts
    }

    /// M-63d: addresses that words on their line, or the code of an SMTP answer, make recipients;
    /// M-63e: else the first one.
    fn told(&self, strangers: &[String]) -> Vec<(usize, &'a str)> {
        let is_dotted = |address: &str| {
            address.rsplit_once('@').is_some_and(|(_, domain)| domain.contains('.'))
        };
        let others = self.others(strangers);
        let mut told: Vec<&Other> = others.iter().filter(|other| other.is_told).collect();
        if told.is_empty() {
            told.extend(others.iter().find(|other| is_dotted(other.address)));
        }
        told.iter().take(RECIPIENT_LIMIT).map(|other| (other.start, other.address)).collect()
    }

    /// The addresses that may be a recipient's, with what stands before them on their line. One that
    /// is called somebody else's in one place is so everywhere.
    fn others(&self, strangers: &[String]) -> Vec<Other<'a>> {
        let mut hinted = HashSet::new();
        let mut others = Vec::new();
        for (at, (start, line)) in self.lines.iter().enumerate() {
            let mut behind = 0;
            for found in addresses(line) {
                if others.len() + hinted.len() == RECIPIENT_LIMIT {
                    break;
                }
                let before = last(&line[behind..found.at.start], REACH);
                // Words often break off right before the address.
                let is_first = at > 0 && line[..found.at.start].trim().is_empty();
                let above = if is_first { last(self.lines[at - 1].1, REACH) } else { "" };
                behind = found.at.end;
                let is_hint = |before: &str| HINT.is_match(last(before, HINT_REACH));
                if is_hint(above) || is_hint(before) {
                    hinted.insert(found.address.to_lowercase());
                } else if !is_stranger(found.address, strangers) && !is_system(found.address) {
                    let is_answer = found.at.start > 0 && is_reply_code(line);
                    let is_told =
                        is_answer || RECIPIENT.is_match(before) || RECIPIENT.is_match(above);
                    others.push(Other { start: *start, address: found.address, is_told });
                }
            }
        }
        others.retain(|other| !hinted.contains(&other.address.to_lowercase()));
        others
    }

    /// Each recipient once, with the text up to where the next one begins.
    fn parted(&self, starts: &[(usize, &str)]) -> Vec<Named> {
        let mut all: Vec<Named> = Vec::new();
        // From the end, so that each knows where the next one begins.
        let (mut next, mut last) = (self.text.len(), self.text.len());
        for (start, address) in starts.iter().rev() {
            if *start != last {
                (next, last) = (last, *start);
            }
            all.push(Named { address: (*address).to_owned(), part: *start..next });
        }
        all.reverse();
        let mut known = HashSet::new();
        all.retain(|named| known.insert(named.address.to_lowercase()));
        all
    }
}

/// An address that stands anywhere in the text.
struct Other<'a> {
    /// Where its line begins.
    start: usize,
    address: &'a str,
    /// Words say that it is a recipient's.
    is_told: bool,
}

/// Whether a notice speaks of one recipient only: then all it says is about that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    No,
    Yes,
}

/// A line that an address begins.
struct Entry<'a> {
    found: Found<'a>,
    /// How far it is indented.
    column: usize,
    /// What follows the address.
    rest: &'a str,
}

impl<'a> Entry<'a> {
    fn begins(line: &'a str) -> Option<Entry<'a>> {
        let is_bullet = |c: char| c.is_whitespace() || matches!(c, '*' | '•' | '·' | '-' | '>');
        let bare = line.trim_start_matches(is_bullet);
        let column = line.len() - bare.len();
        let mut found = addresses(line);
        let found = found.next()?;
        let is_x400 = bare.starts_with("c=") && line[..found.at.start].ends_with("SMTP=");
        let is_first = found.at.start <= column || is_x400;
        let rest = &line[found.at.end..];
        is_first.then_some(Entry { found, column, rest })
    }

    /// `<address>:`, which qmail, Postfix and their kin write (M-63b).
    fn is_labelled(&self) -> bool {
        let ends = [":", "...", " (expanded from", " (generated from"];
        self.found.is_bracketed && ends.iter().any(|end| self.rest.starts_with(end))
    }

    /// Whether what follows may stand behind an entry of a list.
    fn is_closed(&self) -> bool {
        let rest = self.rest.trim_start();
        rest.is_empty()
            || rest.starts_with([':', ';', ',', '(', '[', '<', '-'])
            || rest.starts_with("...")
            || rest.starts_with("on ")
    }
}

/// An entry that gives a name first: `Claire Johnson (claire@x.example)`.
fn named_entry(line: &str) -> Option<Found<'_>> {
    let found = addresses(line).next()?;
    let before = line[..found.at.start].trim();
    let is_enclosed = found.is_bracketed || before.ends_with('(');
    let is_entry = is_enclosed && !is_system(found.address);
    let is_name = before.chars().count() <= 64 && !before.contains(':') && !HINT.is_match(before);
    let rest = line[found.at.end..].trim_start_matches([')', ':']);
    (is_entry && is_name && (rest.trim().is_empty() || rest.starts_with("<mailto:")))
        .then_some(found)
}

/// Whether a line gives the answer of a server: `550 <a@x.example>... unknown`, `<<< 550 …`.
fn is_reply_code(line: &str) -> bool {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || c == '<');
    let code = line.as_bytes();
    matches!(code, [b'4' | b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-' | b':', ..])
}

fn is_stranger(address: &str, strangers: &[String]) -> bool {
    strangers.iter().any(|stranger| stranger.eq_ignore_ascii_case(address))
}

/// Addresses that speak for a mail system.
fn is_system(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default();
    ["mailer-daemon", "postmaster"].iter().any(|name| local.eq_ignore_ascii_case(name))
}

/// The last characters of a text.
fn last(text: &str, count: usize) -> &str {
    match text.char_indices().rev().nth(count) {
        Some((at, _)) => &text[at..],
        None => text,
    }
}
