//! One message on its way to a decision: what is known, what is to be done so far, and the story
//! that is told of it.

use std::collections::{BTreeSet, HashSet};

use crate::mail::reply::Scope;
use crate::mail::{AddressKey, Flag, InboundMessage};
use crate::triage::facts::{Facts, Questions, SiteFacts, SiteMatch, UserFacts, UserStatus};
use crate::triage::plan::{
    Decision, Effect, Outcome, OutgoingStory, Plan, Reason, SiteStory, Step, Story, Verdict,
};
use crate::triage::policy::{MailboxPolicy, Policy};
use crate::triage::{flags, sites, text};

/// A message and what is known of it, and what comes of it.
pub struct Case<'a> {
    pub message: &'a InboundMessage,
    pub questions: &'a Questions,
    pub facts: &'a Facts,
    pub policy: &'a Policy,
    /// All flags of the message.
    pub flags: BTreeSet<Flag>,
    pub effects: Vec<Effect>,
    /// Who counts against the limits, once it is known that the message counts.
    pub counts: Option<AddressKey>,
    pub story: Story,
}

impl<'a> Case<'a> {
    /// Nothing is decided, and its flags are complete.
    pub fn new(
        message: &'a InboundMessage,
        questions: &'a Questions,
        facts: &'a Facts,
        policy: &'a Policy,
    ) -> Case<'a> {
        Case {
            message,
            questions,
            facts,
            policy,
            flags: flags::completed(message, questions, facts, policy),
            effects: Vec::new(),
            counts: None,
            story: Story::default(),
        }
    }

    /// What is to be done, and its story.
    pub fn plan(self, verdict: Verdict) -> Plan {
        let number = self.story.ticket.number;
        let mut tickets = self.facts.tickets.iter();
        let ticket = tickets.find(|ticket| Some(ticket.number) == number);
        let scope = if number.is_some() { Scope::Answer } else { Scope::Standalone };
        let nothing = HashSet::new();
        let known = ticket.map_or(&nothing, |ticket| &ticket.known);
        Plan {
            verdict,
            effects: self.effects,
            reply: text::reply(self.message, self.questions, scope, known),
            counts: self.counts,
            story: Story { flags: self.flags.iter().map(Flag::name).collect(), ..self.story },
            flags: self.flags.into_iter().collect(),
        }
    }

    /// Tells that `rule` applied.
    pub fn say(&mut self, rule: &str, said: impl Into<String>) {
        self.story.steps.push(Step { rule: rule.to_owned(), said: said.into(), key: None });
    }

    /// Tells that `rule` applied, and that the configuration key `key` decided.
    pub fn say_by(&mut self, rule: &str, key: &str, said: impl Into<String>) {
        let key = Some(key.to_owned());
        self.story.steps.push(Step { rule: rule.to_owned(), said: said.into(), key });
    }

    /// Tells of a mail of ours: queued, or withheld by a rule.
    pub fn tell_outgoing(&mut self, template: &str, to: String, withheld: Option<&str>) {
        self.story.outgoing.push(OutgoingStory {
            template: template.to_owned(),
            to,
            withheld: withheld.map(str::to_owned),
        });
    }

    /// Tells which site the ticket belongs to; `from` says whence it is kept.
    pub fn tell_site(&mut self, site: &SiteFacts, from: &str) {
        let matched_by = match &site.matched_by {
            SiteMatch::Address => "address".to_owned(),
            SiteMatch::Default => "default".to_owned(),
            SiteMatch::Domain(domain) => format!("domain {domain}"),
            SiteMatch::Kept => from.to_owned(),
        };
        self.story.site = Some(SiteStory { name: site.name.clone(), matched_by });
    }

    /// The mailbox the message came to; `None` once it was taken out of the configuration.
    pub fn mailbox(&self) -> Option<&'a MailboxPolicy> {
        self.policy.mailboxes.get(&self.questions.mailbox)
    }

    /// The sender's account, if it may be used (T-54).
    pub fn active_user(&self) -> Option<&'a UserFacts> {
        self.facts.user.as_ref().filter(|user| user.status == UserStatus::Active)
    }

    /// The site that a user of the default site, never placed by a person, now belongs to (M-110).
    pub fn new_home(&self) -> Option<&'a SiteFacts> {
        let user = self.active_user()?;
        let matched = sites::matched(self.facts);
        let moves = user.site.is_default
            && !user.site_placed
            && matched.matched_by != SiteMatch::Default
            && matched.id != user.site.id;
        moves.then_some(matched)
    }

    /// The site of the sender: their account's, else the one their address leads to.
    pub fn home(&self) -> &'a SiteFacts {
        self.new_home()
            .or(self.facts.user.as_ref().map(|user| &user.site))
            .unwrap_or_else(|| sites::matched(self.facts))
    }
}

/// The end of a walk.
pub fn decided(outcome: Outcome, reason: Reason) -> Verdict {
    Verdict::Decided(Decision { outcome, reason })
}
