//! What of a mail leads its answers and its bounces back (M-74…M-77): the reply address, the
//! envelope sender, the token at its end, the fields by which we know it again.

use crate::mail::Address;
use crate::outbox::{SenderOptions, Tagging, markup};
use crate::store::mailboxes::Tags;
use crate::store::outbox::Letter;
use crate::triage::keys::SigningKey;
use crate::triage::plan::MailCause;

/// Whether the text of a mail about a ticket ends with its token (`threading.use_body_token`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyToken {
    Absent,
    Written,
}

/// The marks of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    /// What all mail about the ticket refers to, without brackets.
    pub anchor: Option<String>,
    /// `None` is `<>`.
    pub envelope_from: Option<String>,
    pub loop_mark: String,
    pub reply_to: Option<Address>,
    pub token: Option<String>,
}

impl Marks {
    /// The marks of a mail that leaves in the name of `sender`.
    pub fn of(
        letter: &Letter,
        sender: &SenderOptions,
        key: &SigningKey,
        token: BodyToken,
    ) -> Marks {
        let ticket = letter.ticket.as_ref().map(|ticket| ticket.number);
        let domain = letter.message_id.rsplit('@').next().unwrap_or_default();
        let mailbox = Address::parse(&sender.mailbox_address).ok();
        let reply_to = mailbox
            .as_ref()
            .filter(|_| is_tagged(sender.reply_address, letter.tags))
            .and_then(|mailbox| match &letter.cause {
                // M-76b: an agent's answers are told from everybody else's.
                MailCause::News { agent: Some(agent), .. } => {
                    key.agent_address(ticket.unwrap_or(0), agent, mailbox)
                }
                _ => key.reply_address(ticket.unwrap_or(0), mailbox),
            });
        let envelope_from = mailbox.and_then(|mailbox| match sender.envelope {
            // For relays that take no `<>`. Whoever answers it gets no answer.
            Tagging::Never => Some(mailbox.to_string()),
            tagging if is_tagged(tagging, letter.tags) => {
                key.bounce_address(letter.id, &mailbox).map(|address| address.to_string())
            }
            // A person's mail may be answered, and its bounces are known by what they return (M-64).
            _ if matches!(letter.cause, MailCause::Words { .. }) => Some(mailbox.to_string()),
            _ => None,
        });
        Marks {
            anchor: ticket.map(|number| key.message_id(number, 0, domain)),
            envelope_from,
            loop_mark: key.loop_mark(),
            reply_to,
            token: ticket
                .filter(|_| token == BodyToken::Written)
                .map(|number| key.body_token(number)),
        }
    }

    /// `text` with the token as its last line.
    pub fn text(&self, text: &str) -> String {
        match &self.token {
            Some(token) => format!("{}\n\n{token}\n", text.trim_end()),
            None => text.to_owned(),
        }
    }

    /// `html` with the token as its last line, small.
    pub fn html(&self, html: &str) -> String {
        let Some(token) = &self.token else { return html.to_owned() };
        let line = format!("<div style=\"{TOKEN_STYLE}\">{}</div>\n", markup::escaped(token));
        // Before the last end of the body; a document may leave that out.
        let end = html.to_ascii_lowercase().rfind("</body>").unwrap_or(html.len());
        format!("{}{line}{}", &html[..end], &html[end..])
    }
}

/// Whether an agent's answer to a notice is known as theirs when it comes back to `sender` (M-81).
pub fn answers_by_mail(letter: &Letter, sender: &SenderOptions) -> bool {
    sender.proves_senders || is_tagged(sender.reply_address, letter.tags)
}

fn is_tagged(tagging: Tagging, tags: Tags) -> bool {
    match tagging {
        Tagging::Always => true,
        Tagging::Auto => tags == Tags::Arrive,
        Tagging::Never => false,
    }
}

// Grey on light and on dark, and narrow enough for a telephone.
const TOKEN_STYLE: &str =
    "margin:8px auto 0;max-width:560px;color:#8b929a;font:10px/14px monospace;text-align:center";
