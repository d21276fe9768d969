//! The mails of ours that a person's message causes: the acknowledgement of a new ticket (M-72),
//! and the credentials of a new user (threats §6). Never to a machine.

use super::case::Case;
use super::tickets::Opening;
use crate::mail::kind::asks_for_silence;
use crate::mail::{Address, AddressKey, Flag, MessageId, ReturnPath};
use crate::triage::credentials::{self, Account, Application, Code, Recipient};
use crate::triage::facts::{
    CredentialsState, Door, Intake, Sender, SiteFacts, TicketFacts, UserFacts,
};
use crate::triage::plan::{Effect, Kind, MailCause, OutgoingMail, TOO_LARGE, TicketRef, UserRef};
use crate::triage::policy::MailboxPolicy;
use crate::triage::{recipients, sender as fields};

/// The template of the acknowledgement.
const ACKNOWLEDGEMENT: &str = "ticket_received";
/// The template of what staff writes to a requester.
const ANSWER: &str = "ticket_reply";

/// Acknowledges a person's new ticket, once, unless M-72 forbids it; of a mail that was too large by
/// saying so (M-04).
pub fn acknowledge(
    case: &mut Case,
    sender: &Sender,
    site: &SiteFacts,
    user: Option<&UserRef>,
    opening: Opening,
) {
    let answer = match case.facts.intake {
        Intake::Stub => Answer {
            template: TOO_LARGE,
            ticket: TicketRef::New,
            rule: "M-04",
            said: "the sender of a new ticket is told that the mail was too large",
        },
        Intake::Backfill | Intake::Mailbox => Answer {
            template: ACKNOWLEDGEMENT,
            ticket: TicketRef::New,
            rule: "M-72",
            said: "a new ticket of a person is acknowledged",
        },
    };
    send(case, sender, site, user, opening, &answer);
}

/// Tells the sender of a reply that was too large (M-04), unless M-72 forbids it.
pub fn tell_too_large(
    case: &mut Case,
    sender: &Sender,
    site: &SiteFacts,
    user: Option<&UserRef>,
    ticket: TicketRef,
) {
    if case.facts.intake == Intake::Stub {
        let said = "the sender of a reply is told that it was too large";
        let answer = Answer { template: TOO_LARGE, ticket, rule: "M-04", said };
        send(case, sender, site, user, Opening::Plain, &answer);
    }
}

/// An automatic answer to a person.
struct Answer {
    template: &'static str,
    ticket: TicketRef,
    rule: &'static str,
    said: &'static str,
}

fn send(
    case: &mut Case,
    sender: &Sender,
    site: &SiteFacts,
    user: Option<&UserRef>,
    opening: Opening,
    answer: &Answer,
) {
    let Some(mailbox) = mailbox(case) else { return };
    let to = sender.address.to_string();
    if let Some(silence) = silence(case, opening, answer) {
        case.tell_outgoing(answer.template, to, Some(silence.rule));
        match silence.key {
            Some(key) => case.say_by(silence.rule, key, silence.said),
            None => case.say(silence.rule, silence.said),
        }
        return;
    }
    case.say(answer.rule, answer.said);
    case.tell_outgoing(answer.template, to, None);
    let mail = OutgoingMail {
        template: answer.template.to_owned(),
        to: sender.address.clone(),
        user: user.cloned(),
        ticket: Some(answer.ticket),
        mailbox: mailbox.name.clone(),
        message_id_domain: mailbox.message_id_domain.clone(),
        locale: locale(case, site),
        site: site.id.clone(),
        cause: MailCause::Answer {
            parent: case.message.message_id.clone(),
            parent_references: parent_references(case),
        },
    };
    case.effects.push(Effect::Queue(mail));
}

/// Sends the user their credentials if they are due and nothing speaks against it; notes what does.
pub fn credentials(
    case: &mut Case,
    sender: &Sender,
    user: Option<&UserRef>,
    site: &SiteFacts,
    opening: Opening,
) {
    let Some(user) = user else { return };
    // Whoever writes in the portal can log in.
    if let Door::Portal { .. } = case.questions.door {
        return;
    }
    let existing = match user {
        UserRef::Existing(_) => case.active_user(),
        UserRef::New => None,
    };
    if existing.is_some_and(|user| user.credentials != CredentialsState::Due) {
        return;
    }
    if !credentials::are_mailed(case.policy) {
        case.say_by("C-06", "credentials.send", "no credentials are mailed");
        return;
    }
    let Some(mailbox) = mailbox(case) else { return };
    let template = case.policy.credentials.template.clone();
    let to = existing.map_or(&sender.address, |user| &user.address).clone();
    if let Opening::Stranger(_) = opening {
        let said = "no credentials: the sender claims a ticket that is not theirs";
        case.say("M-81", said);
        return withhold(case, &template, to.to_string(), user, "M-81");
    }
    let codes = credentials::judge(&Application {
        message: case.message,
        kind: case.story.kind.unwrap_or(Kind::Person),
        sender,
        dmarc: &case.questions.dmarc,
        flags: &case.flags,
        mailbox,
        account: existing.map_or(Account::New, Account::Existing),
        site,
        facts: case.facts,
        policy: case.policy,
    });
    for code in &codes {
        let said = format!("no credentials with this message: {}", code.said());
        match code.key() {
            Some(key) => case.say_by(code.as_str(), key, said),
            None => case.say(code.as_str(), said),
        }
    }
    if let Some(first) = codes.first() {
        withhold(case, &template, to.to_string(), user, first.as_str());
        if codes == [Code::C10]
            && let Some(until) = credentials::room_at(&case.facts.budget)
        {
            case.effects.push(Effect::Owe { until });
        }
        return;
    }
    case.say_by("C-01…C-14", "credentials.send", "nothing speaks against sending credentials");
    queue_credentials(case, mailbox, template, to, user, site);
}

/// Sends the user for whom staff writes their credentials, if they are due. Of the gate only what
/// concerns the account itself applies: nobody's mail is being answered (threats §6).
pub fn credentials_by_hand(
    case: &mut Case,
    requester: &Sender,
    user: Option<&UserRef>,
    site: &SiteFacts,
) {
    let Some(user) = user else { return };
    let existing = match user {
        UserRef::Existing(_) => case.active_user(),
        UserRef::New => None,
    };
    if wants_no_answer(case)
        || existing.is_some_and(|user| user.credentials != CredentialsState::Due)
    {
        return;
    }
    if !credentials::are_mailed(case.policy) {
        case.say_by("C-06", "credentials.send", "no credentials are mailed");
        return;
    }
    let Some(mailbox) = mailbox(case) else { return };
    let template = case.policy.credentials.template.clone();
    let to = existing.map_or(&requester.address, |user| &user.address).clone();
    let recipient = Recipient::of(&to, existing, &case.facts.budget);
    let codes = credentials::judge_by_hand(&recipient, case.policy);
    for code in &codes {
        case.say(code.as_str(), format!("no credentials yet: {}", code.said()));
    }
    if let Some(first) = codes.first() {
        withhold(case, &template, to.to_string(), user, first.as_str());
        if codes == [Code::C10]
            && let Some(until) = credentials::room_at(&case.facts.budget)
        {
            case.effects.push(Effect::Owe { until });
        }
        return;
    }
    case.say("C-06", "whoever is made a user by hand gets their credentials at once");
    queue_credentials(case, mailbox, template, to, user, site);
}

/// Sends the requester of a ticket what staff wrote for them, as written by a person: at once, and
/// whatever holds automatic mail back.
pub fn answer(case: &mut Case, ticket: &TicketFacts, agent: Option<AddressKey>) {
    let Some(requester) = &ticket.requester else { return };
    let policy = case.policy;
    let mailboxes = [&requester.mailbox, &case.questions.mailbox];
    let Some(mailbox) = mailboxes.iter().find_map(|name| policy.mailboxes.get(*name)) else {
        case.say_by("M-81", "mailbox", "no mail goes out: its mailbox is no longer configured");
        return;
    };
    let to = requester.address.to_string();
    case.say("M-81", format!("`{to}`, whose ticket it is, gets it by mail"));
    case.tell_outgoing(ANSWER, to, None);
    let of_site = || ticket.site.locale.clone();
    let locale = requester.locale.clone().or_else(of_site).unwrap_or_else(|| policy.locale.clone());
    case.effects.push(Effect::Queue(OutgoingMail {
        template: ANSWER.to_owned(),
        to: requester.address.clone(),
        user: requester.user.clone().map(UserRef::Existing),
        ticket: Some(TicketRef::Existing(ticket.number)),
        mailbox: mailbox.name.clone(),
        message_id_domain: mailbox.message_id_domain.clone(),
        locale,
        site: ticket.site.id.clone(),
        cause: MailCause::Words { agent, thread: requester.thread.clone() },
    }));
}

fn queue_credentials(
    case: &mut Case,
    mailbox: &MailboxPolicy,
    template: String,
    to: Address,
    user: &UserRef,
    site: &SiteFacts,
) {
    case.tell_outgoing(&template, to.to_string(), None);
    let mail = OutgoingMail {
        template,
        to,
        user: Some(user.clone()),
        // A thread of its own (T-22).
        ticket: None,
        mailbox: mailbox.name.clone(),
        message_id_domain: mailbox.message_id_domain.clone(),
        locale: locale(case, site),
        site: site.id.clone(),
        cause: MailCause::Notice,
    };
    case.effects.push(Effect::Queue(mail));
}

/// Withholds the credentials of the writer of what staff forwarded (M-106): their first own message
/// brings them.
pub fn withhold_until_they_write(case: &mut Case, original: &Sender, user: Option<&UserRef>) {
    let Some(user) = user else { return };
    let existing = match user {
        UserRef::Existing(_) => case.active_user(),
        UserRef::New => None,
    };
    if existing.is_some_and(|user| user.credentials != CredentialsState::Due)
        || !credentials::are_mailed(case.policy)
    {
        return;
    }
    let to = existing.map_or(&original.address, |user| &user.address).to_string();
    let template = case.policy.credentials.template.clone();
    withhold(case, &template, to, user, "M-106");
}

fn withhold(case: &mut Case, template: &str, to: String, user: &UserRef, code: &str) {
    case.tell_outgoing(template, to, Some(code));
    let (user, code) = (user.clone(), code.to_owned());
    case.effects.push(Effect::WithholdCredentials { user, code });
}

/// Why a ticket is opened without a word to its sender.
struct Silence {
    rule: &'static str,
    key: Option<&'static str>,
    said: &'static str,
}

/// The first reason of M-72 that holds.
fn silence(case: &Case, opening: Opening, answer: &Answer) -> Option<Silence> {
    let because = |rule, said| Some(Silence { rule, key: None, said });
    let by = |rule, key, said| Some(Silence { rule, key: Some(key), said });
    if case.facts.intake == Intake::Backfill {
        return because("C-14", "not acknowledged: imported as old mail");
    }
    if let Opening::Stranger(_) = opening {
        return because("M-81", "not acknowledged: the sender claims a ticket that is not theirs");
    }
    if wants_no_answer(case) {
        return because("M-72", "not acknowledged: the mail asks for no automatic answers");
    }
    if case.message.return_path == ReturnPath::Null {
        return because("R-03", "not acknowledged: its return path is empty");
    }
    if case.flags.contains(&Flag::SenderFallback) {
        return because("M-72", "not acknowledged: From names no good sender, another field does");
    }
    if case.flags.contains(&Flag::SeveralFrom) {
        return because("M-72", "not acknowledged: From names several senders");
    }
    if !recipients::is_addressed_to_us(case.message, case.policy) {
        let said = "not acknowledged: none of the addresses that it was sent to is known as ours";
        return by("M-72", recipients::UNKNOWN_KEY, said);
    }
    if recipients::is_old(case.facts, case.policy) {
        let said = "not acknowledged: it arrived too long ago";
        return by("M-72", "credentials.max_age", said);
    }
    if case.facts.room.auto_mails.is_some() {
        let said = "not acknowledged: the address has had enough automatic mail for now";
        return by("M-72", "limits.auto_mails_per_address", said);
    }
    if let TicketRef::Existing(number) = answer.ticket
        && case.facts.told_too_large.contains(&number)
    {
        return because("M-72", "not told again: the sender was told the same of this ticket");
    }
    None
}

/// Whether X-Auto-Response-Suppress holds All or AutoReply.
pub fn wants_no_answer(case: &Case) -> bool {
    fields::values(case.message, "X-Auto-Response-Suppress").any(asks_for_silence)
}

/// the references of the answered mail, or its single In-Reply-To.
fn parent_references(case: &Case) -> Vec<MessageId> {
    match (case.message.references.as_slice(), case.message.in_reply_to.as_slice()) {
        ([], [only]) => vec![only.clone()],
        (references, _) => references.to_vec(),
    }
}

fn locale(case: &Case, site: &SiteFacts) -> String {
    let of_user = case.active_user().and_then(|user: &UserFacts| user.locale.clone());
    of_user.or_else(|| site.locale.clone()).unwrap_or_else(|| case.policy.locale.clone())
}

/// The mailbox that mail goes out from; says so when there is none any more.
fn mailbox<'a>(case: &mut Case<'a>) -> Option<&'a MailboxPolicy> {
    let mailbox = case.mailbox();
    if mailbox.is_none() {
        case.say_by("M-72", "mailbox", "no mail goes out: the mailbox is no longer configured");
    }
    mailbox
}
