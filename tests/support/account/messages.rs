//! What is asked of the messages of a folder, and done to them.

use memchr::memmem;

use super::{Folder, Message, line};

impl Folder {
    pub(super) fn is_marked(&self, uid: u32) -> bool {
        self.messages.iter().any(|message| message.uid == uid && message.is_flagged("\\Deleted"))
    }

    pub(super) fn chosen(&self, set: &str) -> Vec<u32> {
        let last = self.messages.last().map_or(0, |message| message.uid);
        let number = |text: &str| if text == "*" { last } else { text.parse().unwrap_or(0) };
        let ranges: Vec<(u32, u32)> = set
            .split(|c: char| c == ',' || c.is_whitespace())
            .take_while(|part| !part.is_empty())
            .map(|part| {
                let (from, to) = part.split_once(':').unwrap_or((part, part));
                let (from, to) = (number(from), number(to));
                (from.min(to), from.max(to))
            })
            .collect();
        let is_chosen = |uid: &u32| ranges.iter().any(|(from, to)| (from..=to).contains(&uid));
        self.uids().into_iter().filter(is_chosen).collect()
    }

    pub(super) fn remove(&mut self, said: &mut Vec<u8>, goes: impl Fn(&Message) -> bool) {
        let mut index = 0;
        while index < self.messages.len() {
            if goes(&self.messages[index]) {
                self.messages.remove(index);
                line(said, &format!("* {} EXPUNGE", index + 1));
            } else {
                index += 1;
            }
        }
    }

    pub(super) fn store(&mut self, set: &str, rest: &str) {
        let uids = self.chosen(set);
        let (how, flags) = rest.split_once(' ').unwrap_or((rest, ""));
        for message in self.messages.iter_mut().filter(|m| uids.contains(&m.uid)) {
            for flag in flags.trim_matches(['(', ')']).split_whitespace() {
                message.flags.retain(|have| have != flag);
                if how.starts_with('+') {
                    message.flags.push(flag.to_owned());
                }
            }
        }
    }

    pub(super) fn fetch(&mut self, set: &str, items: &str, said: &mut Vec<u8>) {
        let uids = self.chosen(set);
        for (index, message) in self.messages.iter_mut().enumerate() {
            if !uids.contains(&message.uid) {
                continue;
            }
            said.extend_from_slice(
                format!("* {} FETCH (UID {}", index + 1, message.uid).as_bytes(),
            );
            for item in split(items.trim_matches(['(', ')'])) {
                message.item(item, said);
            }
            said.extend_from_slice(b")\r\n");
        }
    }
}

impl Message {
    pub fn is_flagged(&self, flag: &str) -> bool {
        self.flags.iter().any(|have| have.eq_ignore_ascii_case(flag))
    }

    fn item(&mut self, item: &str, said: &mut Vec<u8>) {
        let upper = item.to_ascii_uppercase();
        match upper.as_str() {
            "UID" => {}
            "FLAGS" => {
                said.extend_from_slice(format!(" FLAGS ({})", self.flags.join(" ")).as_bytes())
            }
            "INTERNALDATE" => {
                let date = match self.internal_date.as_str() {
                    "NIL" => "NIL".to_owned(),
                    date => format!("\"{date}\""),
                };
                said.extend_from_slice(format!(" INTERNALDATE {date}").as_bytes());
            }
            "RFC822.SIZE" => {
                said.extend_from_slice(format!(" RFC822.SIZE {}", self.raw.len()).as_bytes());
            }
            _ if upper.starts_with("BODY") => {
                if !upper.starts_with("BODY.PEEK") {
                    self.flags.push("\\Seen".to_owned());
                }
                let head = memmem::find(&self.raw, b"\r\n\r\n");
                let body_at = head.map_or(self.raw.len(), |at| at + 4);
                let section = &upper[upper.find('[').unwrap_or(0)..];
                let (section, partial) = section.split_once('<').unwrap_or((section, ""));
                let id = id_field(&self.raw[..body_at]);
                let whole = match section {
                    "[HEADER]" => &self.raw[..body_at],
                    "[HEADER.FIELDS (MESSAGE-ID)]" => &id,
                    "[TEXT]" => &self.raw[body_at..],
                    _ => &self.raw[..],
                };
                let (part, origin) = match partial.trim_end_matches('>').split_once('.') {
                    Some((from, count)) => {
                        let from: usize = from.parse().unwrap_or(0);
                        let to = from.saturating_add(count.parse().unwrap_or(0)).min(whole.len());
                        (&whole[from.min(to)..to], format!("<{from}>"))
                    }
                    None => (whole, String::new()),
                };
                let head = format!(" BODY{section}{origin} {{{}}}\r\n", part.len());
                said.extend_from_slice(head.as_bytes());
                said.extend_from_slice(part);
            }
            _ => {}
        }
    }
}

// What is asked for, one by one; what stands in brackets is one.
fn split(items: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = items.split(|c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == ' ' && depth == 0
    });
    parts.filter(|part| !part.is_empty()).collect()
}

// The field `Message-ID`, on one line, and the empty one after it.
fn id_field(head: &[u8]) -> Vec<u8> {
    let name = b"message-id:";
    let mut lines = head.split_inclusive(|byte| *byte == b'\n');
    let is_it =
        |line: &&[u8]| line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name);
    [lines.find(is_it).unwrap_or_default(), b"\r\n"].concat()
}
