//! The story as people read it, and the whole plan of a first contact.

use super::*;
use crate::triage::plan::Story;

fn steps(story: &Story) -> Vec<String> {
    let line = |step: &crate::triage::Step| match &step.key {
        Some(key) => format!("{}: {} ({key})", step.rule, step.said),
        None => format!("{}: {}", step.rule, step.said),
    };
    story.steps.iter().map(line).collect()
}

#[test]
fn the_story_of_a_first_contact() {
    let plan = plan(&mail_from(CLAIRE), &facts());
    insta::assert_json_snapshot!(plan.story);
}

#[test]
fn the_story_of_a_stranger_s_claim() {
    let message = InboundMessage { from: vec![named(STRANGER)], ..reply() };
    let plan = plan(&message, &Facts { user: None, sites: Vec::new(), ..about_ticket(None) });
    insta::assert_snapshot!(steps(&plan.story).join("\n"));
}

#[test]
fn the_story_of_a_machine_s_answer() {
    let mut message = reply();
    let said = "Auto-Submitted=auto-replied";
    message.signals.push(signal(crate::mail::Strength::Strong, "M-66", said));
    let plan = plan(&message, &about_ticket(Some(TicketRole::Requester)));
    insta::assert_snapshot!(steps(&plan.story).join("\n"));
}
