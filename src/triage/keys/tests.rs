use proptest::prelude::*;

use super::*;

fn key(id: char, byte: u8) -> SigningKey {
    SigningKey::new(id, [byte; 32]).expect("a name of a key")
}

fn ring() -> Keyring {
    Keyring::new(vec![key('b', 2), key('a', 1)])
}

fn address(written: &str) -> Address {
    Address::parse(written).expect("an address")
}

fn desk() -> Address {
    address("Support@helpdesk.example")
}

fn id(written: &str) -> MessageId {
    MessageId::parse(written).expect("a usable id")
}

fn agent() -> AddressKey {
    AddressKey("anna@helpdesk.example".to_owned())
}

/// Every mark of ours, as text.
fn marks() -> Vec<String> {
    let key = key('b', 2);
    vec![
        key.message_id(4711, 123_456, "helpdesk.example"),
        key.reply_address(4711, &desk()).expect("it is short").to_string(),
        key.bounce_address(123_456, &desk()).expect("it is short").to_string(),
        key.body_token(4711),
    ]
}

/// Whether any reader takes `text` for a mark with a good MAC.
fn verifies(ring: &Keyring, text: &str) -> bool {
    let own_id = MessageId::parse(text).and_then(|id| ring.message_id(&id));
    let tagged = Address::parse(text).ok().and_then(|address| ring.address(&address));
    matches!(own_id, Some(Mark::Valid(_)))
        || matches!(tagged, Some(Mark::Valid(_)))
        || matches!(ring.body_token(text), Some(Mark::Valid(_)))
        || ring.is_own_loop(text)
        || ring.probe(text, &desk()).is_some()
}

#[test]
fn m_73_a_mac_is_the_first_128_bits_over_the_purpose_and_the_fields_in_base32() {
    // Computed by hand: HMAC-SHA-256 of `guichet/1/body/4711` under 32 bytes of 1.
    let token = key('a', 1).body_token(4711);
    assert_eq!(token.len(), "[g1a-4711-]".len() + 26);
    let mac = token.trim_end_matches(']').rsplit('-').next().expect("a mac");
    assert_eq!(mac, "7l3udxnarg2xplq3bfjso5i5di");
}

#[test]
fn m_74_a_message_id_says_its_ticket_and_its_mail() {
    let written = key('b', 2).message_id(4711, 123_456, "HelpDesk.example");
    assert!(written.starts_with("g1b.4711.2n9c."), "{written}");
    assert!(written.ends_with("@helpdesk.example"));
    let own = OwnId { ticket: 4711, mail: 123_456 };
    assert_eq!(ring().message_id(&id(&written)), Some(Mark::Valid(own)));
    assert_eq!(ring().message_id(&id(&written.to_uppercase())), Some(Mark::Valid(own)));
    let elsewhere = written.replace("helpdesk", "evil");
    assert_eq!(ring().message_id(&id(&elsewhere)), Some(Mark::Forged));
    let anchor = key('a', 1).message_id(7, 0, "x.example");
    assert_eq!(ring().message_id(&id(&anchor)), Some(Mark::Valid(OwnId { ticket: 7, mail: 0 })));
}

#[test]
fn m_75_m_76_an_address_says_its_mailbox_and_its_ticket_or_mail() {
    let reply = key('b', 2).reply_address(4711, &desk()).expect("it is short");
    assert!(reply.local().starts_with("Support+r1b-4711-"));
    let valid = |tag| {
        let mailbox = AddressKey("support@helpdesk.example".to_owned());
        Some(Mark::Valid(TaggedAddress { mailbox, tag }))
    };
    assert_eq!(ring().address(&reply), valid(Tag::Reply { ticket: 4711 }));
    let shouted = address(&format!("{}@helpdesk.example", reply.local().to_uppercase()));
    assert_eq!(ring().address(&shouted), valid(Tag::Reply { ticket: 4711 }));
    let bounce = key('a', 1).bounce_address(35, &desk()).expect("it is short");
    assert!(bounce.local().starts_with("Support+b1a-z-"));
    assert_eq!(ring().address(&bounce), valid(Tag::Bounce { mail: 35 }));
    // Of one mailbox, it says nothing at another; and none is the other's kind.
    let moved = address(&format!("{}@other.example", reply.local()));
    assert_eq!(ring().address(&moved), Some(Mark::Forged));
    let turned = address(&bounce.to_string().replace("+b1", "+r1").replace("-z-", "-35-"));
    assert_eq!(ring().address(&turned), Some(Mark::Forged));
}

#[test]
fn m_76b_an_agent_s_reply_address_is_known() {
    let good = key('b', 2).agent_address(4711, &agent(), &desk()).expect("it is short").to_string();
    let name = agent_name(&agent());
    let written = |agent: &str| ring().address(&address(&good.replace(&name, agent)));
    let tag = Tag::Agent { ticket: 4711, agent: name.clone() };
    let mailbox = AddressKey("support@helpdesk.example".to_owned());
    assert_eq!(written(&name), Some(Mark::Valid(TaggedAddress { mailbox, tag })));
    assert_eq!(written("abcdefgi"), Some(Mark::Forged));
    assert_eq!(written("abcdefg1"), None);
    // The first 40 bits of SHA-256, by `printf anna@helpdesk.example | sha256sum`.
    assert_eq!(name, "ky56alrp");
}

#[test]
fn m_76_a_long_local_part_carries_no_mark() {
    let mailbox = |length: usize| address(&format!("{}@x.example", "s".repeat(length)));
    let key = key('a', 1);
    // `+b1a-`, one digit, `-` and the MAC are 33 characters.
    assert!(key.bounce_address(1, &mailbox(31)).is_some());
    assert!(key.bounce_address(1, &mailbox(32)).is_none());
    assert!(key.reply_address(4711, &mailbox(28)).is_some());
    assert!(key.reply_address(4711, &mailbox(29)).is_none());
}

#[test]
fn a_mailbox_with_a_plus_of_its_own_gets_its_answers() {
    let mailbox = address("office+help@x.example");
    let reply = key('a', 1).reply_address(7, &mailbox).expect("it is short");
    let Some(Mark::Valid(found)) = ring().address(&reply) else { panic!("a mark") };
    assert_eq!(found.mailbox.0, "office+help@x.example");
}

#[test]
fn m_77_a_body_token_says_its_ticket() {
    let token = key('a', 1).body_token(4711);
    assert_eq!(ring().body_token(&token), Some(Mark::Valid(4711)));
    assert_eq!(ring().body_token(&token.replace("4711", "4712")), Some(Mark::Forged));
    assert_eq!(ring().body_token(&token[1..]), None);
}

#[test]
fn m_73_an_old_key_verifies_and_an_unknown_one_does_not() {
    let token = key('a', 1).body_token(7);
    assert_eq!(Keyring::new(vec![key('a', 1)]).body_token(&token), Some(Mark::Valid(7)));
    assert_eq!(Keyring::new(vec![key('c', 1)]).body_token(&token), Some(Mark::Forged));
    // Two keys may have one name once all names were used.
    let both = Keyring::new(vec![key('a', 9), key('a', 1)]);
    assert_eq!(both.body_token(&token), Some(Mark::Valid(7)));
    assert_eq!(Keyring::default().body_token(&token), Some(Mark::Forged));
}

#[test]
fn t_06_what_is_unsigned_or_of_another_form_is_no_mark() {
    let good = key('b', 2).message_id(7, 1, "helpdesk.example");
    let mac = good.split(['.', '@']).nth(3).expect("a mac");
    for written in [
        "7@helpdesk.example".to_owned(),
        "g1b.7.1@helpdesk.example".to_owned(),
        format!("g1.7.1.{mac}@helpdesk.example"),
        format!("g0b.7.1.{mac}@helpdesk.example"),
        format!("g1b.07.1.{mac}@helpdesk.example"),
        format!("g1b.+7.1.{mac}@helpdesk.example"),
        format!("g1b.-7.1.{mac}@helpdesk.example"),
        format!("g1b.7.1.{}@helpdesk.example", &mac[1..]),
        format!("g1b.7.1.{mac}a@helpdesk.example"),
        format!("g1b.7.1.{mac}.x@helpdesk.example"),
        format!("g1b.99999999999999999999.1.{mac}@helpdesk.example"),
        format!("g1b.7.1.{mac}"),
    ] {
        assert_eq!(ring().message_id(&id(&written)), None, "{written}");
    }
}

#[test]
fn m_57_m_58_the_fields_of_our_own_mail_say_so() {
    let key = key('b', 2);
    assert!(ring().is_own_loop(&format!(" {} ", key.loop_mark())));
    assert!(
        !Keyring::new(vec![SigningKey::new('b', [7; 32]).expect("a key")])
            .is_own_loop(&key.loop_mark())
    );
    let probe = key.probe_mark(&desk(), 1_800_000_000);
    assert_eq!(ring().probe(&probe, &desk()), Some(1_800_000_000));
    assert_eq!(ring().probe(&probe, &address("other@helpdesk.example")), None);
    assert_eq!(ring().probe(&probe.replace("1800000000", "1800000001"), &desk()), None);
}

#[test]
fn a_key_never_shows_itself() {
    assert_eq!(format!("{:?}", ring()), "Keyring([SigningKey(b), SigningKey(a)])");
    assert!(SigningKey::new('A', [1; 32]).is_none());
    assert!(SigningKey::new('-', [1; 32]).is_none());
}

proptest! {
    #[test]
    fn any_text_is_a_mark_or_none(text in "\\PC{0,80}|\\[?[grba]1[a-z0-9][-.0-9a-z+@\\]]{0,60}") {
        prop_assert!(!verifies(&ring(), &text));
    }

    #[test]
    fn a_changed_character_never_verifies(which in 0..4usize, at in any::<prop::sample::Index>(), to in "[a-z0-9.@+\\[\\]-]") {
        let mark = &marks()[which];
        let at = at.index(mark.len());
        let changed = format!("{}{to}{}", &mark[..at], &mark[at + 1..]);
        prop_assert_eq!(verifies(&ring(), &changed), changed.eq_ignore_ascii_case(mark));
    }

    #[test]
    fn every_number_comes_back(ticket in 0..i64::MAX, mail in 0..i64::MAX) {
        let written = key('a', 1).message_id(ticket, mail, "x.example");
        let own = OwnId { ticket, mail };
        prop_assert_eq!(ring().message_id(&id(&written)), Some(Mark::Valid(own)));
    }

    #[test]
    fn a_mac_is_written_one_way(bytes in any::<[u8; 16]>()) {
        let written = form::base32(&bytes);
        prop_assert_eq!(form::mac(&written), Some(bytes));
        prop_assert_eq!(written.len(), 26);
    }
}
