//! The story of a decision as a support lead reads it: who wrote, what kind of mail it is, which
//! site and which ticket it belongs to, what was sent or withheld; below each answer the reasons,
//! with the rule and the configuration key that decided.

use std::fmt::Write;

use super::super::output::{escape, escape_lines};
use super::{Told, flags, written_at};
use crate::mail::reply::{Confidence, Reply, SegmentKind};
use crate::mail::{AttachmentSource, BouncedRecipient, MachineReport, NamedAddress};
use crate::triage::Step;
use crate::triage::plan::{Decision, Kind, Outcome, Reason, Story};

/// The story in words.
pub fn text(told: &Told) -> String {
    let mut page = Page::default();
    page.opening(told);
    for chapter in CHAPTERS {
        let titles = chapter.titles(told);
        let steps = told.story.steps.iter().filter(|step| Chapter::of(step) == chapter);
        let mut reasons: Vec<String> = steps.map(reason).collect();
        if chapter == Chapter::Kind {
            // What was seen says more than the step that sums it up.
            reasons = evidence(told.story);
            reasons.extend(bounced(told));
        }
        page.chapter(chapter.label(), &titles, &reasons);
    }
    page.text_of(told);
    page.0
}

/// A question that the story answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chapter {
    Kind,
    Mail,
    Noticed,
    Outcome,
    Site,
    Ticket,
    Who,
}

/// In the order of the walk (M-01).
const CHAPTERS: [Chapter; 7] = [
    Chapter::Who,
    Chapter::Kind,
    Chapter::Outcome,
    Chapter::Site,
    Chapter::Ticket,
    Chapter::Mail,
    Chapter::Noticed,
];

impl Chapter {
    /// The question that a step answers, by the rule that it names.
    fn of(step: &Step) -> Chapter {
        let key = step.key.as_deref().unwrap_or_default();
        let rule = step.rule.as_str();
        let number = rule.strip_prefix("M-").map(|rest| rest.trim_end_matches(char::is_alphabetic));
        match number.and_then(|number| number.parse::<u32>().ok()) {
            _ if key == "agent.notify" => Chapter::Mail,
            Some(4 | 65 | 72 | 106) => Chapter::Mail,
            Some(1 | 55) if key.starts_with("users.") => Chapter::Who,
            Some(1 | 9 | 55 | 64) => Chapter::Outcome,
            Some(2..=27 | 88..=102) => Chapter::Noticed,
            Some(28..=53) => Chapter::Who,
            Some(73..=87 | 103..=105) => Chapter::Ticket,
            Some(54..=71) => Chapter::Kind,
            Some(107..=111) => Chapter::Site,
            _ if rule.starts_with("C-") || rule == "R-03" => Chapter::Mail,
            // Whose word counts, not what becomes of it.
            _ if key == "filters.authserv_id" => Chapter::Who,
            _ if key.starts_with("filters.") => Chapter::Outcome,
            _ if rule.starts_with("R-") || rule.starts_with("T-") => Chapter::Who,
            _ => Chapter::Outcome,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Chapter::Kind => "Kind",
            Chapter::Mail => "Mail",
            Chapter::Noticed => "Noticed",
            Chapter::Outcome => "Outcome",
            Chapter::Site => "Site",
            Chapter::Ticket => "Ticket",
            Chapter::Who => "Who",
        }
    }

    /// The answers; none when the story does not come to the question.
    fn titles(self, told: &Told) -> Vec<String> {
        let story = told.story;
        match self {
            Chapter::Kind => story.kind.map(kind).into_iter().collect(),
            Chapter::Mail => story
                .outgoing
                .iter()
                .map(|mail| {
                    let (to, template) = (escape(&mail.to), &mail.template);
                    match &mail.withheld {
                        None => format!("`{template}` goes to {to}"),
                        Some(rule) => format!("`{template}` to {to} is withheld ({rule})"),
                    }
                })
                .collect(),
            Chapter::Noticed => noticed(told),
            Chapter::Outcome => vec![outcome(told)],
            Chapter::Site => {
                let how = |by: &str| match by {
                    "ticket" | "user" => format!("that of the {by}"),
                    by => format!("by {}", escape(by)),
                };
                let site = story.site.as_ref();
                site.map(|site| format!("{}, {}", escape(&site.name), how(&site.matched_by)))
                    .into_iter()
                    .collect()
            }
            Chapter::Ticket => ticket(told).into_iter().collect(),
            Chapter::Who => vec![who(told)],
        }
    }
}

fn who(told: &Told) -> String {
    if let Some(user) = &told.story.user {
        let who = if user.is_new { "a new user" } else { "a known user" };
        return format!("{} <{}>, {who}", escape(&user.name), escape(&user.address));
    }
    let from = told.message.and_then(|message| message.from.first());
    let is_unclear = told.decision.is_some_and(|decision| decision.reason == Reason::NoSender);
    match (from, told.decision) {
        _ if is_unclear => "unclear".to_owned(),
        (None, _) => "nobody that it names".to_owned(),
        (Some(from), None) => named(from),
        (Some(from), Some(_)) => format!("{}, no user", named(from)),
    }
}

fn kind(kind: Kind) -> String {
    let said = match kind {
        Kind::AutoGenerated => "the report of a machine",
        Kind::AutoReply => "an automatic reply",
        Kind::Bounce => "a bounce: mail could not, or not yet, be delivered",
        Kind::List => "the mail of a mailing list",
        Kind::Own => "mail of our own",
        Kind::Person => "a person's mail",
        Kind::Report => "a report of delivery, reading or abuse",
    };
    said.to_owned()
}

/// What was seen, the rule behind it.
fn evidence(story: &Story) -> Vec<String> {
    let entry = |entry: &String| match entry.split_once(' ') {
        Some((rule, seen)) => format!("{} ({rule})", escape(seen)),
        None => escape(entry),
    };
    story.kind_evidence.iter().map(entry).collect()
}

/// Who did not get a mail that came back, and why (M-62, M-63b).
fn bounced(told: &Told) -> Vec<String> {
    let Some(MachineReport::Bounce(bounce)) = told.message.and_then(|read| read.report.as_ref())
    else {
        return Vec::new();
    };
    let recipient = |recipient: &BouncedRecipient| {
        let said = [&recipient.action, &recipient.status, &recipient.diagnostic];
        let said: Vec<String> = said.into_iter().flatten().map(|said| escape(said)).collect();
        format!("recipient {}: {} (M-62)", escape(&recipient.address), said.join(", "))
    };
    bounce.recipients.iter().map(recipient).collect()
}

fn ticket(told: &Told) -> Option<String> {
    let ticket = &told.story.ticket;
    let opens = told.decision.is_some_and(|decision| decision.reason.opens_ticket());
    let mut said = match (ticket.number, opens) {
        (Some(number), true) => format!("{number}, opened with this mail"),
        (Some(number), false) => format!("{number}"),
        (None, true) => "a new one".to_owned(),
        (None, false) => return None,
    };
    if let Some(how) = ticket.matched_by.as_deref().filter(|_| !opens) {
        let how = match how {
            "body_token" => "the token in its text",
            "message_id" => "the id of a mail of ours",
            "reference" => "a message that it names",
            "reply_address" => "the tagged address that it came to",
            "subject_tag" => "the number in its subject",
            how => how,
        };
        let _ = write!(said, ", found by {how}");
    }
    if let Some(linked) = ticket.linked_to {
        let _ = write!(said, ", linked to ticket {linked} for staff only");
    }
    Some(said)
}

fn noticed(told: &Told) -> Vec<String> {
    let mut noticed: Vec<String> = told.story.flags.iter().map(|flag| flags::said(flag)).collect();
    for attachment in told.message.iter().flat_map(|message| &message.attachments) {
        let kind = if attachment.inline { "shown in the text" } else { "attached" };
        let (name, place) = (escape(&attachment.name), place(&attachment.source));
        noticed.push(format!("{name}, {} bytes, {kind}{place}", attachment.size));
    }
    noticed
}

/// Where an attachment was found, if not beside the text.
fn place(source: &AttachmentSource) -> &'static str {
    match source {
        AttachmentSource::InSigned { .. } => ", inside the signed message (M-15)",
        AttachmentSource::InTnef { .. } => ", inside a `winmail.dat` (M-21)",
        AttachmentSource::PieceOfText { .. } | AttachmentSource::Uuencoded { .. } => {
            ", inside the text (M-19)"
        }
        AttachmentSource::RestOfText { .. } => ", what is beyond the limit of a text (M-04)",
        AttachmentSource::Part { .. } | AttachmentSource::Whole => "",
    }
}

/// What becomes, or became, of it; in a sentence and in the words of interfaces §4.
fn outcome(told: &Told) -> String {
    let Some(decision) = told.decision else {
        return "none yet: it waits to be decided".to_owned();
    };
    let Decision { outcome, reason } = decision;
    format!("{} ({}, {})", sentence(decision), outcome.as_str(), reason.as_str())
}

fn sentence(decision: Decision) -> &'static str {
    match decision.reason {
        Reason::AuthFailed if decision.outcome == Outcome::Held => {
            "held for staff: the sender's domain disowns it"
        }
        Reason::AuthFailed => "ignored: the sender's domain disowns it",
        Reason::AutoCreateOff => {
            "held for staff: the sender is unknown, and users are not made by mail"
        }
        Reason::AutoGenerated => "ignored: reports of machines are not wanted",
        Reason::AutoReply => "ignored: an automatic reply that belongs to no ticket",
        Reason::AutoReplyAttached => "noted on its ticket; nobody is told",
        Reason::BeforeStart => "ignored: it is older than the beginning of the mailbox",
        Reason::BounceAttached => "noted where the mail belongs that came back",
        Reason::BounceUnmatched => "ignored: a bounce that belongs to no mail of ours",
        Reason::Dropped => "dropped by staff",
        Reason::Duplicate => "ignored: the same mail came in before",
        Reason::FollowUpLinked => "opens a new ticket, linked to an older one",
        Reason::InternalError => "held for staff: guichet failed on it, which is our fault",
        Reason::LoopDetected => "ignored: it runs in circles",
        Reason::MailingList => "ignored: mail of lists is not wanted",
        Reason::NoSender => "held for staff: it does not say for certain who sent it",
        Reason::OwnMessage => "ignored: it is our own",
        Reason::ParseFailed => "held for staff: it cannot be read",
        Reason::ReplyAdded => "added to its ticket",
        Reason::Report => "ignored: a report that nothing follows from",
        Reason::RuleHeld => "held for staff by a rule",
        Reason::RuleIgnored => "ignored by a rule",
        Reason::SenderDenied => "ignored: its sender is not let in",
        Reason::SenderNotParticipant => "held for staff: it claims a ticket as staff, unproven",
        Reason::SpamFlagged if decision.outcome == Outcome::Held => {
            "held for staff: the mail server calls it spam"
        }
        Reason::SpamFlagged => "ignored: the mail server calls it spam",
        Reason::StaffTicketCreated => "opens a ticket for staff alone; nobody else is told",
        Reason::TicketCreated => "opens a new ticket",
        Reason::TicketReopened => "added to its ticket, which opens again",
        Reason::UserIngestionOff => "ignored: mail of this user is not made into tickets",
    }
}

/// A step as a reason: what was said, the rule, the key that decided.
fn reason(step: &Step) -> String {
    let said = escape(&step.said);
    match &step.key {
        Some(key) => format!("{said} ({}, `{key}`)", step.rule),
        None => format!("{said} ({})", step.rule),
    }
}

/// What the ticket does not show at once, or why it shows all (M-99).
fn folded(reply: &Reply) -> Option<String> {
    if reply.visible.trim() == reply.normalised.trim() {
        let is_unsure = reply.confidence == Confidence::Low;
        return is_unsure.then(|| "shown whole: what is new in it cannot be told apart".to_owned());
    }
    let mut parts: Vec<String> = Vec::new();
    for segment in &reply.segments {
        let is_kept = matches!(
            segment.kind,
            SegmentKind::Forward | SegmentKind::InlineQuote | SegmentKind::Reply
        );
        let lines = reply.normalised[segment.range.clone()].trim().lines().count();
        if !is_kept && lines > 0 {
            let lines = if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
            let kind = match segment.kind {
                SegmentKind::Quoted => "quoted text",
                kind => kind.name(),
            };
            parts.push(format!("{lines} of {kind} ({})", segment.rule));
        }
    }
    (!parts.is_empty()).then(|| format!("folded: {}", parts.join(", ")))
}

fn subject(subject: &str) -> String {
    if subject.is_empty() { "(no subject)".to_owned() } else { escape(subject) }
}

fn named(from: &NamedAddress) -> String {
    match &from.name {
        Some(name) => format!("{} <{}>", escape(name), escape(&from.address)),
        None => escape(&from.address),
    }
}

impl Reason {
    /// Whether a decision with this reason opens a ticket.
    fn opens_ticket(self) -> bool {
        matches!(self, Reason::FollowUpLinked | Reason::StaffTicketCreated | Reason::TicketCreated)
    }
}

/// The text so far. Writing to a `String` cannot fail.
#[derive(Default)]
struct Page(String);

impl Page {
    fn opening(&mut self, told: &Told) {
        let Some(message) = told.message else { return };
        let from = message.from.first().map_or_else(|| "Somebody".to_owned(), named);
        let at = written_at(message, told).strftime("%Y-%m-%d %H:%M UTC");
        let _ = writeln!(self.0, "  {from} wrote on {at}: {}\n", subject(&message.subject));
    }

    fn chapter(&mut self, label: &str, titles: &[String], reasons: &[String]) {
        let mut label = label;
        for title in titles {
            let _ = writeln!(self.0, "  {label:9}{title}");
            label = "";
        }
        for reason in reasons {
            // A chapter without an answer of its own is told by its reasons.
            let _ = match label {
                "" => writeln!(self.0, "  {:9}- {reason}", ""),
                label => writeln!(self.0, "  {label:9}- {reason}"),
            };
            label = "";
        }
    }

    fn text_of(&mut self, told: &Told) {
        let reply = told.reply.filter(|reply| !reply.visible.trim().is_empty());
        let Some(reply) = reply else { return };
        self.0.push('\n');
        for line in escape_lines(reply.visible.trim()).lines() {
            let _ = writeln!(self.0, "  | {line}");
        }
        if let Some(folded) = folded(reply) {
            let _ = writeln!(self.0, "  {folded}");
        }
    }
}
