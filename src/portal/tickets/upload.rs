//! A form with files. It is read piece by piece: what is too much is read past and told, so that
//! nobody loses the text that they wrote beside it.

use minijinja::{Value, context};
use tokio::sync::OwnedSemaphorePermit;

use super::body::{Part, Parts};
use crate::counter::Upload;
use crate::faults;
use crate::portal::form::TOKEN;
use crate::portal::{Portal, Trouble, Visitor};

/// Files that one form may bring.
pub(super) const FILES: usize = 10;
// Bytes of all of them together.
const LARGEST: u64 = 25_000_000;
// Base64 makes four bytes of three, and lines of them; the text and the headers come on top.
const GROWTH: (u64, u64) = (5, 7);
// What our forms send, besides files.
const FIELDS: [&str; 4] = [TOKEN, "once", "subject", "text"];
/// Characters of a text.
const LONGEST_TEXT: usize = 50_000;
const LONGEST_LINE: usize = 4_000;

/// What came with a form.
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) files: Vec<Upload>,
    /// What is the same when the same form is sent twice.
    pub(super) once: String,
    /// What there was too much of.
    pub(super) beyond: Option<Beyond>,
    /// The memory that the files take.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// Too much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beyond {
    Bytes,
    Files,
    Text,
}

/// What files a form takes, for its words.
pub(super) fn limits(portal: &Portal) -> Value {
    context! { files => FILES, megabytes => largest(portal) / 1_000_000 }
}

fn largest(portal: &Portal) -> u64 {
    let (of, whole) = GROWTH;
    LARGEST.min(portal.counter.largest() / whole * of)
}

impl Written {
    /// Reads a form of this visitor. Nothing of it is kept before its token was seen.
    pub(super) async fn read(
        portal: &Portal,
        visitor: &Visitor,
        mut form: Parts,
    ) -> Result<Written, Trouble> {
        let mut written = Written {
            subject: String::new(),
            text: String::new(),
            files: Vec::new(),
            once: String::new(),
            beyond: None,
            room: None,
        };
        let mut left = largest(portal);
        let mut named = Vec::new();
        let mut is_ours = false;
        while let Some(mut field) = form.next().await? {
            let name = field.name().to_owned();
            if name == "files" && is_ours {
                written.take_file(portal, &mut field, &mut left).await?;
                continue;
            }
            // T-28; and nobody reads a field that is not of our form (T-52).
            if named.contains(&name) || !FIELDS.contains(&&*name) {
                return Err(Trouble::Malformed);
            }
            let most = if name == "text" { 4 * LONGEST_TEXT } else { LONGEST_LINE };
            let value = text(&mut field, most).await?;
            match name.as_str() {
                TOKEN => {
                    visitor.must_have_made(value.as_deref().unwrap_or_default())?;
                    is_ours = true;
                }
                // Whoever is logged in and sends no token first did not use our form.
                _ if !is_ours => return Err(Trouble::Malformed),
                "once" => written.once = value.ok_or(Trouble::Malformed)?,
                "subject" => written.subject = value.ok_or(Trouble::Malformed)?,
                "text" => match value {
                    Some(text) if text.chars().count() <= LONGEST_TEXT => written.text = text,
                    Some(text) => {
                        written.text = text.chars().take(LONGEST_TEXT).collect();
                        written.beyond = Some(Beyond::Text);
                    }
                    None => written.beyond = Some(Beyond::Text),
                },
                _ => return Err(Trouble::Malformed),
            }
            named.push(name);
        }
        if !is_ours {
            return Err(Trouble::Forged);
        }
        Ok(written)
    }

    async fn take_file(
        &mut self,
        portal: &Portal,
        field: &mut Part<'_>,
        left: &mut u64,
    ) -> Result<(), Trouble> {
        let name = field.file_name().to_owned();
        let content_type = field.content_type().to_owned();
        let mut bytes = Vec::new();
        while let Some(piece) = field.chunk().await? {
            let length = piece.len() as u64;
            if self.beyond.is_none() && length <= *left {
                *left -= length;
                self.make_room(portal, length)?;
                bytes.extend_from_slice(&piece);
                continue;
            }
            // Its text is worth an answer, its files are not kept.
            self.beyond = self.beyond.or(Some(Beyond::Bytes));
            (self.files, self.room, bytes) = (Vec::new(), None, Vec::new());
        }
        // A browser sends an empty file when none was chosen.
        if self.beyond.is_some() || (name.is_empty() && bytes.is_empty()) {
            return Ok(());
        }
        if self.files.len() >= FILES && faults::stands("T-37-files") {
            self.beyond = Some(Beyond::Files);
            (self.files, self.room) = (Vec::new(), None);
            return Ok(());
        }
        self.files.push(Upload { name, content_type, bytes });
        Ok(())
    }

    fn make_room(&mut self, portal: &Portal, bytes: u64) -> Result<(), Trouble> {
        let more = portal.room_now(bytes).ok_or(Trouble::Busy)?;
        match &mut self.room {
            Some(room) => room.merge(more),
            None => self.room = Some(more),
        }
        Ok(())
    }
}

/// A field as text; `None` when it is longer than anybody writes.
async fn text(field: &mut Part<'_>, most: usize) -> Result<Option<String>, Trouble> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await? {
        if bytes.len() + piece.len() <= most {
            bytes.extend_from_slice(&piece);
        } else {
            bytes.resize(most + 1, 0);
        }
    }
    if bytes.len() > most {
        return Ok(None);
    }
    String::from_utf8(bytes).map(Some).map_err(|_| Trouble::Malformed)
}
