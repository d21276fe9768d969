//! Reads the JSON notices of Amazon SES (M-59, M-62 source 2).

use serde_json::Value;

use super::{Bounce, BouncedRecipient, MachineReport};
use crate::mail::MessageId;

/// The bounce or complaint that a text is, if it is such a notice.
pub fn read(text: &str) -> Option<MachineReport> {
    let text = text.trim_start();
    if !text.starts_with('{') || !text.contains("\"notificationType\"") {
        return None;
    }
    // The notice may be followed by a footer.
    let notice = serde_json::Deserializer::from_str(text).into_iter::<Value>().next()?.ok()?;
    let kind = notice["notificationType"].as_str()?;
    let evidence = format!("M-59 notificationType={}", kind.chars().take(80).collect::<String>());
    match kind {
        "Bounce" => {
            let bounced = notice["bounce"]["bouncedRecipients"].as_array();
            Some(MachineReport::Bounce(Bounce {
                recipients: bounced.into_iter().flatten().filter_map(recipient).collect(),
                given_message_id: None,
                original_message_id: notice["mail"]["commonHeaders"]["messageId"]
                    .as_str()
                    .and_then(MessageId::parse),
                evidence: vec![evidence],
            }))
        }
        "Complaint" => Some(MachineReport::Report { what: "arf", evidence }),
        _ => None,
    }
}

fn recipient(bounced: &Value) -> Option<BouncedRecipient> {
    let text = |name: &str| bounced[name].as_str().map(str::to_owned);
    Some(BouncedRecipient {
        address: text("emailAddress")?,
        action: text("action").map(|action| action.to_lowercase()),
        status: text("status"),
        diagnostic: text("diagnosticCode"),
    })
}
