//! Reads a whole message (M-02…M-34, M-59, M-66…M-71). The order is: split and limit, decode the
//! header, choose the body, list what is attached, collect the marks.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use encoding_rs::Encoding;

use super::address::list::AddressList;
use super::attachment;
use super::authentication::Authentication;
use super::body;
use super::bounce;
use super::charset::Charset;
use super::complaint;
use super::date;
use super::excuse::is_excuse;
use super::forward;
use super::headers::{Fields, unfold};
use super::identity;
use super::kind;
use super::links;
use super::marks::Marks;
use super::reply::{Prefix, Scope, subject_prefix};
use super::smime;
use super::spam;
use super::structure::{Contents, Structure};
use super::thread::{Cut, keep_ends, read_ids};
use super::tnef;
use super::words;
use super::{Flag, Header, InboundMessage, MachineReport, NamedAddress, ReturnPath, Unreadable};
use crate::faults;

/// The longest subject, in characters (M-20).
const SUBJECT_LIMIT: usize = 500;

/// More than that many Received fields are a loop (M-04, M-58).
const RECEIVED_LIMIT: usize = 50;

/// Fields about the way that a message took: of a message wrapped in another they are taken from
/// the wrapping (M-06), and none of them makes the message itself.
const TRACE_FIELDS: [&str; 10] = [
    "authentication-results",
    "delivered-to",
    "envelope-to",
    "received",
    "return-path",
    "x-delivered-to",
    "x-envelope-to",
    "x-forwarded-for",
    "x-forwarded-to",
    "x-original-to",
];

/// Fields that name where a message was delivered (M-79 V1), in that order.
const DELIVERY_FIELDS: [&str; 7] = [
    "delivered-to",
    "x-delivered-to",
    "envelope-to",
    "x-envelope-to",
    "x-original-to",
    "x-forwarded-to",
    "x-forwarded-for",
];

/// Turns the bytes of a message into what it says, or says why it cannot be read (M-04, M-05).
///
/// Takes linear time and no recursion deeper than the limit of M-04; never panics.
pub fn read(raw: &[u8]) -> Result<InboundMessage, Unreadable> {
    // The readers of dates and charsets are others' code, and this one is not perfect either: one
    // message that breaks them is held, the others go on (P-12).
    catch_unwind(AssertUnwindSafe(|| read_message(raw))).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Unreadable::Reader(said.unwrap_or_else(|| "no reason given".to_owned())))
    })
}

fn read_message(raw: &[u8]) -> Result<InboundMessage, Unreadable> {
    faults::befall(raw);
    let structure = Structure::read(raw)?;
    let mut flags = BTreeSet::new();
    let (root, fields) = message(&structure, &mut flags);
    if structure.has_bad_line {
        flags.insert(Flag::BadHeaderLine);
    }
    if structure.has_long_boundary {
        flags.insert(Flag::Limit("boundary"));
    }
    let own = own_charset(&structure, root);
    let mut reader = HeaderReader { fields: &fields, own, flags };

    let part = &structure.parts[root];
    let written_body = structure.bytes(part);
    let content_hash = identity::content_hash(&fields, written_body, structure.line_end, own);
    let message_id = identity::written_id(&fields).unwrap_or_else(|| {
        reader.flags.insert(Flag::NoMessageId);
        identity::made_up_id(&content_hash)
    });
    let subject = reader.subject();
    if is_excuse(&fields, &subject) {
        return Err(Unreadable::Excuse);
    }
    let from = reader.from();
    let sender = reader.one("sender");
    let resent_from = reader.one("resent-from");
    reader.flag_others(&from, sender.as_ref(), resent_from.as_ref());
    let reply_to = reader.addresses("reply-to");
    let to = reader.addresses("to");
    let cc = reader.addresses("cc");
    let return_path = reader.return_path();
    let in_reply_to: Vec<_> = fields.all("in-reply-to").flat_map(read_ids).collect();
    let (in_reply_to, cut_reply) = keep_ends(in_reply_to);
    let (references, cut_references) =
        keep_ends(fields.all("references").flat_map(read_ids).collect());
    if cut_reply == Cut::Yes || cut_references == Cut::Yes {
        reader.flags.insert(Flag::Limit("references"));
    }
    let received = fields.all("received").count();
    if received > RECEIVED_LIMIT {
        reader.flags.insert(Flag::Limit("received"));
    }
    let delivered_to = reader.delivered_to();
    let mut headers = reader.headers();
    let mut flags = reader.flags;

    let has_references = !in_reply_to.is_empty() || !references.is_empty();
    let scope = if has_references || subject_prefix(&subject) == Prefix::Reply {
        Scope::Answer
    } else {
        Scope::Standalone
    };
    let winmails = tnef::open(&structure, root);
    let contents = smime::contents(&structure, root);
    let signed = smime::open(&contents);
    let body = body::read(&structure, root, scope, &winmails, &signed);
    let mut marks = Marks::default();
    marks.look_in(body.text.as_bytes());
    // The other form of the body may hold what this one lost.
    let secret_hashes = links::in_message(&structure, &headers, &body.text, |part, text| {
        if body.parts.contains(&part) {
            marks.look_in(text);
        }
    });
    marks.take_fields(&mut headers);
    let listed = attachment::list(&structure, root, &body, &winmails, &signed, own);
    flags.extend(body.flags.iter().cloned());
    if winmails.iter().any(|winmail| winmail.tnef.as_ref().is_none_or(|tnef| !tnef.is_whole)) {
        flags.insert(Flag::TnefUnreadable);
    }
    if listed.is_cut {
        flags.insert(Flag::Limit("attachments"));
    }
    let reported = bounce::read(&bounce::Seen {
        structure: &structure,
        root,
        fields: &fields,
        subject: &subject,
        from: &from,
        return_path: &return_path,
        text: &body.text,
    });
    let method = body.calendar.as_ref();
    let answer = method.filter(|method| matches!(method.as_str(), "counter" | "reply"));
    let signals = kind::collect(
        &fields,
        &kind::Seen {
            subject: &subject,
            from: &from,
            return_path: &return_path,
            has_references,
            calendar_answer: answer.map(|method| format!("METHOD={method}")).as_deref(),
            text: &body.text,
            challenge: reported.challenge.as_deref(),
        },
    );
    // M-68 goes before M-59: a challenge is an automatic reply, however it is shaped.
    let report = reported.report.filter(|_| !signals.iter().any(|signal| signal.rule == "M-68"));
    let report = report.map(|report| match report {
        MachineReport::Report { what: "arf", .. } => {
            complaint::read(&structure, root).map_or(report, MachineReport::Complaint)
        }
        other => other,
    });

    Ok(InboundMessage {
        size: raw.len() as u64,
        flags,
        content_hash,
        message_id,
        in_reply_to,
        references,
        date: date::read(&fields),
        subject: links::redacted(&subject).into_owned(),
        from,
        sender,
        reply_to,
        to,
        cc,
        resent_from,
        return_path,
        delivered_to,
        received,
        authentication: Authentication::read(&fields),
        spam: spam::marks(&fields),
        headers,
        marks,
        text: body.text,
        secret_hashes,
        text_from: body.from,
        text_marks: body.marks,
        html: body.html,
        attachments: listed.attachments,
        attached_message: forward::attached(&structure, root, own),
        signals,
        report,
    })
}

/// The part that is the message, and its fields. A message with nothing but another one inside is
/// unwrapped, one level (M-06): what makes the message is taken from the inner one, its way from the
/// outer one.
fn message<'a>(structure: &Structure<'a>, flags: &mut BTreeSet<Flag>) -> (usize, Fields<'a>) {
    let outer = &structure.parts[0].fields;
    let Contents::Message(root) = structure.parts[0].contents else {
        return (0, outer.clone());
    };
    let inner = &structure.parts[root].fields;
    if inner.0.is_empty() {
        return (0, outer.clone());
    }
    flags.insert(Flag::Unwrapped);
    let is_trace = |name: &str| {
        TRACE_FIELDS.iter().any(|trace| trace.eq_ignore_ascii_case(name))
            || spam::is_of_filter(name)
    };
    let has_id = identity::written_id(inner).is_some();
    let is_kept =
        |name: &str| is_trace(name) || (!has_id && name.eq_ignore_ascii_case("message-id"));
    let way = outer.0.iter().filter(|field| is_kept(field.name));
    let itself = inner.0.iter().filter(|field| !is_trace(field.name));
    (root, Fields(way.chain(itself).copied().collect()))
}

/// The first charset that the message declares (M-11).
fn own_charset(structure: &Structure, root: usize) -> Option<&'static Encoding> {
    structure.parts_of(root).into_iter().find_map(|part| {
        let name = structure.parts[part].content_type.keyword("charset")?;
        Charset::named(&name)?.in_header()
    })
}

struct HeaderReader<'a> {
    fields: &'a Fields<'a>,
    own: Option<&'static Encoding>,
    flags: BTreeSet<Flag>,
}

impl HeaderReader<'_> {
    /// Several Subject fields are joined with a space, and cut at 500 characters (M-20).
    fn subject(&self) -> String {
        let fields = self.fields.all("subject").map(|raw| words::decode_subject(raw, self.own));
        let subject = fields.filter(|subject| !subject.is_empty()).collect::<Vec<_>>().join(" ");
        match subject.char_indices().nth(SUBJECT_LIMIT) {
            Some((at, _)) => subject[..at].to_owned(),
            None => subject,
        }
    }

    /// Every address of every From field; a group is nobody (M-41).
    fn from(&mut self) -> Vec<NamedAddress> {
        let mut all: Vec<NamedAddress> = Vec::new();
        let mut fields = 0;
        for raw in self.fields.all("from") {
            let list = self.list(raw);
            if list.has_group {
                self.flags.insert(Flag::GroupInFrom);
                continue;
            }
            let entries = list.entries;
            let has_address = |entry: &NamedAddress| entry.address.contains('@');
            let is_any = entries.iter().any(has_address);
            let entries: Vec<_> =
                entries.into_iter().filter(|entry| !is_any || has_address(entry)).collect();
            if entries.len() > 1 && is_any {
                self.flags.insert(Flag::SeveralFrom);
            }
            if entries.is_empty() {
                continue;
            }
            fields += 1;
            let is_same = all.len() == entries.len()
                && all
                    .iter()
                    .zip(&entries)
                    .all(|(one, other)| one.address.eq_ignore_ascii_case(&other.address));
            if fields > 1 && !is_same {
                self.flags.insert(Flag::SeveralFromFields);
            }
            if fields == 1 || !is_same {
                all.extend(entries);
            }
        }
        if self.flags.contains(&Flag::GroupInFrom) { Vec::new() } else { all }
    }

    /// The addresses of all fields of that name; names that stand alone are none (M-28).
    fn addresses(&mut self, name: &str) -> Vec<NamedAddress> {
        let mut all = Vec::new();
        for raw in self.fields.all(name) {
            all.extend(
                self.list(raw).entries.into_iter().filter(|entry| !entry.address.is_empty()),
            );
        }
        let limit = super::address::list::ADDRESS_LIMIT;
        if all.len() > limit {
            self.flags.insert(Flag::Limit("addresses"));
            all.truncate(limit);
        }
        all
    }

    fn one(&mut self, name: &str) -> Option<NamedAddress> {
        self.addresses(name).into_iter().next()
    }

    fn list(&mut self, raw: &[u8]) -> AddressList {
        let list = AddressList::read(raw, self.own);
        if list.is_cut {
            self.flags.insert(Flag::Limit("addresses"));
        }
        list
    }

    /// M-40.
    fn flag_others(
        &mut self,
        from: &[NamedAddress],
        sender: Option<&NamedAddress>,
        resent_from: Option<&NamedAddress>,
    ) {
        if resent_from.is_some() {
            self.flags.insert(Flag::Resent);
        }
        let is_from = |sender: &NamedAddress| {
            from.iter().any(|from| from.address.eq_ignore_ascii_case(&sender.address))
        };
        if sender.is_some_and(|sender| !from.is_empty() && !is_from(sender)) {
            self.flags.insert(Flag::SentOnBehalf);
        }
    }

    /// The topmost Return-Path; one without brackets and address says nothing.
    fn return_path(&mut self) -> ReturnPath {
        let Some(raw) = self.fields.first("return-path") else { return ReturnPath::Absent };
        match AddressList::read(raw, self.own).entries.into_iter().next() {
            None => ReturnPath::Absent,
            Some(entry) if entry.address.is_empty() => match raw.contains(&b'<') {
                true => ReturnPath::Null,
                false => ReturnPath::Absent,
            },
            Some(entry) => ReturnPath::Address(entry.address),
        }
    }

    fn delivered_to(&mut self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for name in DELIVERY_FIELDS {
            for entry in self.addresses(name) {
                // X-Forwarded-For holds several, separated by spaces.
                all.extend(entry.address.split_whitespace().map(str::to_owned));
            }
        }
        all.extend(self.fields.all("received").filter_map(received_for));
        all.truncate(super::address::list::ADDRESS_LIMIT);
        let mut seen = BTreeSet::new();
        all.retain(|address| address.contains('@') && seen.insert(address.to_lowercase()));
        all
    }

    fn headers(&self) -> Vec<Header> {
        let header = |field: &super::headers::Field| Header {
            name: field.name.to_owned(),
            value: match field.name.eq_ignore_ascii_case("subject") {
                true => words::decode_subject(field.raw, self.own),
                false => words::decode(field.raw, self.own),
            },
        };
        self.fields.0.iter().map(header).collect()
    }
}

/// The address after `for` in a Received field.
fn received_for(raw: &[u8]) -> Option<String> {
    let line = unfold(raw);
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.find(|word| word.eq_ignore_ascii_case(b"for"))?;
    let word = String::from_utf8_lossy(words.next()?);
    let address = word.trim_end_matches(';').trim_start_matches('<').trim_end_matches('>');
    address.contains('@').then(|| address.to_owned())
}
