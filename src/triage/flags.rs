//! Completes the flags of a message with those that only the settings and the facts can tell.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::facts::{Facts, Intake, Questions, Sender, SenderAnswer};
use super::policy::Policy;
use super::{attachments, names, sender};
use crate::mail::address::{domain_is_mixed_script, local_part};
use crate::mail::{Address, Flag, InboundMessage, ReturnPath, Spelling};

/// A Date later than this after the arrival is wrong (M-27).
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(10);

/// The start of 1990: no mail is older (M-27).
const OLDEST_DATE: i64 = 631_152_000;

/// What people read as an `@`: the sign itself, small, and as wide as a Japanese letter.
const AT_SIGNS: [char; 3] = ['@', '\u{fe6b}', '\u{ff20}'];

/// All flags of `message`.
pub fn completed(
    message: &InboundMessage,
    questions: &Questions,
    facts: &Facts,
    policy: &Policy,
) -> BTreeSet<Flag> {
    let mut flags = message.flags.clone();
    let mut set = |flag: Flag, holds: bool| {
        if holds {
            flags.insert(flag);
        }
    };
    let is_locked = |name: &str| attachments::locked(name, &policy.filters);
    set(Flag::AttachmentLocked, message.attachments.iter().any(|file| is_locked(&file.name)));
    set(Flag::AuthFailed, questions.dmarc.is_fail());
    set(Flag::SpamFlagged, !message.spam.is_empty());
    set(Flag::ForgedId, questions.signed.is_forged);
    set(Flag::DateRepaired, date_is_wrong(message.date.at, facts.arrived_at));
    set(Flag::MessageIdReused, facts.message_id_known && facts.duplicate_of.is_none());
    set(Flag::Resent, message.resent_from.is_some());
    set(Flag::SentOnBehalf, is_sent_on_behalf(message));
    set(Flag::TooLarge, facts.intake == Intake::Stub);
    if sender::has_different_from_fields(message) {
        set(Flag::SeveralFromFields, true);
    } else {
        set(Flag::SeveralFrom, sender::names_several(message));
    }
    if let SenderAnswer::Known(sender) = &questions.sender {
        set(Flag::AddressRepaired, is_repaired(message, sender));
        set(Flag::MixedScript, domain_is_mixed_script(sender.address.domain()));
        set(
            Flag::NameContainsAddress,
            usable_name(sender, policy).is_none() && sender.name.is_some(),
        );
        set(Flag::Robot, local_part::is_robot(sender.address.local()));
        set(Flag::Role, local_part::is_role(sender.address.local()));
        set(Flag::SenderFallback, sender.fallback);
        set(Flag::SenderRelayed, sender.relayed);
    }
    flags
}

/// The display name of `sender`, unless it shows an address that is not theirs (M-45, T-11).
pub fn usable_name<'a>(sender: &'a Sender, policy: &Policy) -> Option<&'a str> {
    let name = sender.name.as_deref()?;
    if !name.contains(AT_SIGNS) {
        return Some(name);
    }
    let shows_another = name
        .replace(AT_SIGNS, "@")
        .split(|c: char| c.is_whitespace() || "\"'<>()[],;:".contains(c))
        .filter_map(sender::good)
        .any(|shown| shown.key(names::plus_tag(&policy.users)) != sender.key);
    (!shows_another).then_some(name)
}

fn date_is_wrong(date: Option<Timestamp>, arrived_at: Timestamp) -> bool {
    date.is_none_or(|date| {
        date.as_second() < OLDEST_DATE || date.duration_since(arrived_at) > CLOCK_SKEW
    })
}

/// Whether the sender's address stands nowhere as it should, only in need of repair (M-29).
fn is_repaired(message: &InboundMessage, sender: &Sender) -> bool {
    let named = message.from.iter().chain(&message.reply_to).chain(&message.sender);
    let return_path = match &message.return_path {
        ReturnPath::Address(written) => Some(written),
        ReturnPath::Absent | ReturnPath::Null => None,
    };
    let spellings: Vec<Spelling> = named
        .map(|named| &named.address)
        .chain(return_path)
        .filter_map(|written| Address::repaired(written).ok())
        .filter(|(address, _)| *address == sender.address)
        .map(|(_, spelling)| spelling)
        .collect();
    !spellings.is_empty() && spellings.iter().all(|spelling| *spelling == Spelling::Repaired)
}

fn is_sent_on_behalf(message: &InboundMessage) -> bool {
    let Some(sender) = &message.sender else { return false };
    !message.from.iter().any(|from| from.address.eq_ignore_ascii_case(&sender.address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{NamedAddress, WrittenDate};
    use crate::triage::ask;
    use crate::triage::samples::*;

    fn flags_of(message: &InboundMessage, facts: &Facts) -> Vec<String> {
        let policy = policy();
        let questions = ask(message, MAILBOX, &policy, &keys());
        completed(message, &questions, facts, &policy).iter().map(Flag::name).collect()
    }

    #[test]
    fn an_ordinary_mail_has_none() {
        assert!(flags_of(&mail_from(CLAIRE), &facts()).is_empty());
    }

    #[test]
    fn e_56_m_27_a_date_nobody_can_believe_is_repaired() {
        let rows = [
            (None, true),
            (Some("1989-12-31T23:59:59Z"), true),
            (Some("1990-01-01T00:00:00Z"), false),
            (Some("2026-01-05T12:10:00Z"), false),
            (Some("2026-01-05T12:10:01Z"), true),
        ];
        for (written, repaired) in rows {
            let at = written.map(|written| written.parse().expect("a time"));
            let date = WrittenDate { at, written: None };
            let message = InboundMessage { date, ..mail_from(CLAIRE) };
            let flags = flags_of(&message, &facts());
            assert_eq!(flags.contains(&"date_repaired".to_owned()), repaired, "{written:?}");
        }
    }

    #[test]
    fn e_67_m_29_a_sender_whose_address_was_repaired_is_flagged() {
        let is_flagged = |message: &InboundMessage| {
            flags_of(message, &facts()).contains(&"address_repaired".to_owned())
        };
        for written in
            ["mailto:x@y.example", "[mailto:x@y.example]", "'x@y.example'", "x@y.example."]
        {
            assert!(is_flagged(&mail_from(written)), "{written}");
            let reply_to = vec![named(written)];
            let fallback = InboundMessage { reply_to, ..mail_from("nobody") };
            assert!(is_flagged(&fallback), "{written} in Reply-To");
        }
        assert!(!is_flagged(&mail_from(CLAIRE)));
        // Somebody else's spelling says nothing of the sender.
        let reply_to = vec![named("mailto:other@y.example")];
        assert!(!is_flagged(&InboundMessage { reply_to, ..mail_from(CLAIRE) }));
    }

    #[test]
    fn m_45_t_11_a_name_that_shows_another_address_is_flagged_and_not_used() {
        let policy = policy();
        let name_is_used = |name: &str| {
            let from = NamedAddress { name: Some(name.to_owned()), ..named("evil@evil.example") };
            let message = InboundMessage { from: vec![from], ..mail_from("evil@evil.example") };
            let questions = ask(&message, MAILBOX, &policy, &keys());
            let flags = completed(&message, &questions, &facts(), &policy);
            !flags.contains(&Flag::NameContainsAddress)
        };
        assert!(!name_is_used("victim@good.example"));
        assert!(!name_is_used("\"Victim\" (victim@good.example)"));
        assert!(!name_is_used("victim\u{ff20}good.example"));
        assert!(name_is_used("Evil @ Work"));
        assert!(name_is_used("evil@evil.example"));
    }

    #[test]
    fn m_44_m_40_m_09_and_the_rest() {
        assert_eq!(flags_of(&mail_from("info@myorg.example"), &facts()), ["role"]);
        assert_eq!(flags_of(&mail_from("no-reply@myorg.example"), &facts()), ["robot"]);
        let message = InboundMessage {
            sender: Some(named("secretary@myorg.example")),
            resent_from: Some(named("boss@myorg.example")),
            ..mail_from(CLAIRE)
        };
        assert_eq!(flags_of(&message, &facts()), ["resent", "sent_on_behalf"]);
        let facts = Facts { message_id_known: true, intake: Intake::Stub, ..facts() };
        assert_eq!(flags_of(&mail_from(CLAIRE), &facts), ["message_id_reused", "too_large"]);
    }

    #[test]
    fn m_108_a_domain_that_mixes_scripts_is_flagged() {
        assert_eq!(flags_of(&mail_from("a@cоntoso.example"), &facts()), ["mixed_script"]);
    }
}
