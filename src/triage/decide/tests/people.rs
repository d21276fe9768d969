//! Users and sites: E-77…E-89.

use super::*;
use crate::mail::Flag;
use crate::triage::facts::{CredentialsState, Room, SiteFacts, SiteMatch, UserFacts, UserStatus};
use crate::triage::policy::NameFrom;

fn with_user(user: UserFacts) -> Facts {
    Facts { user: Some(user), ..facts() }
}

#[test]
fn a_first_contact_makes_user_ticket_and_both_mails() {
    let plan = plan(&mail_from(CLAIRE), &facts());
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert_eq!(
        effects(&plan),
        [
            "CreateUser claire.johnson@myorg.example",
            "OpenTicket site-1",
            "AddMessage New",
            "Queue ticket_received",
            "Queue credentials",
        ]
    );
    let Some(Effect::CreateUser(user)) = plan.effects.first() else { panic!("a user") };
    assert_eq!((user.first_name.as_str(), user.last_name.as_str()), ("Claire", "Johnson"));
    assert!(user.derived && !user.is_primary);
}

#[test]
fn a_primary_user_is_made_as_one() {
    let site = SiteFacts { sender_is_primary: true, ..my_org() };
    let plan = plan(&mail_from(CLAIRE), &Facts { sites: vec![site], ..facts() });
    assert!(matches!(plan.effects.first(), Some(Effect::CreateUser(user)) if user.is_primary));
}

#[test]
fn e_69_m_45_whoever_stands_in_to_or_cc_is_not_made_a_user() {
    let cc: Vec<_> = (0..600).map(|n| named(&format!("c{n}@x.example"))).collect();
    let to = vec![named(DESK), named("undisclosed-recipients"), named("bob@x.example")];
    let plan = plan(&InboundMessage { to, cc, ..mail_from(CLAIRE) }, &facts());
    let made: Vec<String> =
        effects(&plan).into_iter().filter(|effect| effect.starts_with("CreateUser")).collect();
    assert_eq!(made, ["CreateUser claire.johnson@myorg.example"]);
}

#[test]
fn e_77_m_53_a_name_that_exists_stays_an_empty_one_is_filled() {
    let mut policy = policy();
    policy.users.name_from = NameFrom::HeaderThenAddress;
    let mut message = mail_from(CLAIRE);
    message.from[0].name = Some("Someone Else".to_owned());
    let known = plan_by(&message, &with_user(claire()), &policy);
    assert!(!has(&known, "FillName"));
    let first_only = UserFacts { last_name: String::new(), ..claire() };
    assert!(!has(&plan_by(&message, &with_user(first_only), &policy), "FillName"));
    let unnamed = UserFacts { first_name: String::new(), last_name: String::new(), ..claire() };
    let filled = plan_by(&message, &with_user(unnamed), &policy);
    assert!(has(&filled, "FillName Someone Else"));
    let story = filled.story.user.expect("a user");
    assert_eq!((story.name.as_str(), story.is_new), ("Someone Else", false));
    assert_eq!(story.name_from.as_deref(), Some("header"));
}

#[test]
fn e_79_t_54_mail_does_not_revive_an_account() {
    for status in [UserStatus::Deleted, UserStatus::Disabled] {
        let user = UserFacts { status, credentials: CredentialsState::Due, ..claire() };
        let plan = plan(&mail_from(CLAIRE), &with_user(user));
        assert_eq!(ended(&plan), "accepted/ticket_created", "{status:?}");
        assert_eq!(
            effects(&plan),
            ["OpenTicket site-1", "AddMessage New", "Queue ticket_received"]
        );
        let Some(Effect::OpenTicket(ticket)) = plan.effects.first() else { panic!("a ticket") };
        assert_eq!(ticket.user, None);
        assert!(plan.story.user.is_none());
    }
}

#[test]
fn e_79_a_deleted_user_is_no_colleague() {
    let user = UserFacts { status: UserStatus::Deleted, ..claire() };
    let plan = plan(&reply(), &Facts { user: Some(user), ..about_ticket(None) });
    assert_eq!(ended(&plan), "accepted/follow_up_linked");
}

#[test]
fn e_80_m_45_without_auto_create_unknown_senders_are_held() {
    let mut policy = policy();
    policy.users.auto_create = false;
    let held = plan_by(&mail_from(CLAIRE), &facts(), &policy);
    assert_eq!(ended(&held), "held/auto_create_off");
    assert!(held.effects.is_empty());
    assert_eq!(held.counts, Some(key(CLAIRE)));
    let known = plan_by(&mail_from(CLAIRE), &with_user(claire()), &policy);
    assert_eq!(ended(&known), "accepted/ticket_created");
    // Staff are known; a robot never gets a user.
    assert_eq!(ended(&plan_by(&mail_from(AGENT), &facts(), &policy)), "accepted/ticket_created");
    let robot = plan_by(&mail_from("no-reply@myorg.example"), &facts(), &policy);
    assert_eq!(ended(&robot), "accepted/staff_ticket_created");
}

#[test]
fn without_auto_create_an_unknown_correspondent_s_reply_is_added_without_a_user() {
    let mut policy = policy();
    policy.users.auto_create = false;
    let facts = Facts { user: None, ..about_ticket(Some(TicketRole::Correspondent)) };
    let plan = plan_by(&reply(), &facts, &policy);
    assert_eq!(ended(&plan), "accepted/reply_added");
    assert_eq!(effects(&plan), ["AddMessage Existing(7)"]);
}

#[test]
fn an_unknown_correspondent_who_replies_becomes_a_user() {
    let facts = Facts { user: None, ..about_ticket(Some(TicketRole::Correspondent)) };
    let plan = plan(&reply(), &facts);
    assert_eq!(
        effects(&plan),
        ["CreateUser claire.johnson@myorg.example", "AddMessage Existing(7)", "Queue credentials",]
    );
}

#[test]
fn user_ingestion_off_stops_new_tickets_and_no_reply() {
    let user = UserFacts { no_tickets: true, ..claire() };
    let stopped = plan(&mail_from(CLAIRE), &with_user(user.clone()));
    assert_eq!(ended(&stopped), "ignored/user_ingestion_off");
    assert!(stopped.effects.is_empty());
    let facts = about_ticket(Some(TicketRole::Requester));
    let replied = plan(&reply(), &Facts { user: Some(user), ..facts });
    assert_eq!(ended(&replied), "accepted/reply_added");
}

#[test]
fn beyond_limits_new_users_the_ticket_opens_and_the_user_is_owed() {
    let until = noon() + hours(1);
    let room = Room { new_users: Some(until), ..Room::default() };
    let plan = plan(&mail_from(CLAIRE), &Facts { room, ..facts() });
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert_eq!(
        effects(&plan),
        [
            format!("Owe {until}").as_str(),
            "OpenTicket site-1",
            "AddMessage New",
            "Queue ticket_received",
        ]
    );
    let user = plan.effects.iter().find_map(|effect| match effect {
        Effect::OpenTicket(ticket) => Some(ticket.user.clone()),
        _ => None,
    });
    assert_eq!(user, Some(None));
}

#[test]
fn e_88_m_110_a_user_of_the_default_site_moves_a_placed_one_stays() {
    let at_default = SiteFacts { matched_by: SiteMatch::Kept, ..default_site() };
    let user = UserFacts { site: at_default, ..claire() };
    let moved = plan(&mail_from(CLAIRE), &with_user(user.clone()));
    assert!(has(&moved, "MoveUser site-1"));
    assert!(has(&moved, "OpenTicket site-1"));
    let site = moved.story.site.expect("a site");
    assert_eq!((site.name.as_str(), site.matched_by.as_str()), ("My Org", "domain myorg.example"));
    let stays = |user: UserFacts, facts: Facts| {
        let plan = plan(&mail_from(CLAIRE), &Facts { user: Some(user), ..facts });
        assert!(!has(&plan, "MoveUser"));
        assert!(has(&plan, "OpenTicket site-0"));
    };
    stays(UserFacts { site_placed: true, ..user.clone() }, facts());
    stays(user.clone(), Facts { sites: Vec::new(), ..facts() });
    stays(UserFacts { status: UserStatus::Deleted, ..user }, facts());
}

#[test]
fn m_110_a_user_of_another_site_is_moved_only_by_staff() {
    let elsewhere = SiteFacts { id: "site-9".to_owned(), matched_by: SiteMatch::Kept, ..my_org() };
    let plan = plan(&mail_from(CLAIRE), &with_user(UserFacts { site: elsewhere, ..claire() }));
    assert!(!has(&plan, "MoveUser"));
    assert!(has(&plan, "OpenTicket site-9"));
}

#[test]
fn e_86_nobody_s_domain_is_the_default_site() {
    let plan = plan(&mail_from("claire@gmail.com"), &Facts { sites: Vec::new(), ..facts() });
    assert!(has(&plan, "OpenTicket site-0"));
    assert_eq!(plan.story.site.expect("a site").matched_by, "default");
}

#[test]
fn e_152_the_owner_of_a_bounced_address_writes() {
    let user = UserFacts { undeliverable: true, ..claire() };
    let plan = plan(&mail_from(CLAIRE), &with_user(user));
    assert!(has(&plan, "ClearUndeliverable claire.johnson@myorg.example"));
}

#[test]
fn m_44_a_robot_is_never_a_user_and_gets_no_mail() {
    let plan = plan(&mail_from("no-reply@myorg.example"), &facts());
    assert_eq!(ended(&plan), "accepted/staff_ticket_created");
    assert_eq!(effects(&plan), ["OpenTicket site-1", "AddMessage New"]);
    assert!(plan.flags.contains(&Flag::Robot));
}

#[test]
fn m_44_a_role_is_a_person_like_any_other() {
    let plan = plan(&mail_from("info@myorg.example"), &facts());
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(has(&plan, "Queue credentials"));
    assert!(plan.flags.contains(&Flag::Role));
}
