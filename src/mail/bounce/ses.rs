//! Reads the JSON notices of Amazon SES (M-59, M-62 source 2).

use serde_json::Value;

use super::{Bounce, BouncedRecipient, MachineReport, cut};
use crate::mail::MessageId;

/// The bounce or complaint that a text is, if it is such a notice.
pub fn read(text: &str) -> Option<MachineReport> {
    let text = text.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let notice = parse(text)?;
    // SNS may wrap the notice in one of its own, as a string.
    let notice = match notice["Message"].as_str() {
        Some(inner) if inner.trim_start().starts_with('{') => parse(inner)?,
        _ => notice,
    };
    let named = |name| notice[name].as_str().map(|kind| (name, kind));
    let (name, kind) = named("notificationType").or_else(|| named("eventType"))?;
    let evidence = format!("M-59 {name}={}", cut(kind));
    let bounce = |recipients| {
        let ids = &notice["mail"]["commonHeaders"]["messageId"];
        Some(MachineReport::Bounce(Bounce {
            recipients,
            given_message_id: None,
            original_message_id: ids.as_str().and_then(MessageId::parse),
            evidence: vec![evidence.clone()],
        }))
    };
    match kind {
        "Bounce" => {
            let status = match notice["bounce"]["bounceType"].as_str() {
                Some("Permanent") => Some("5.0.0"),
                Some("Transient") => Some("4.0.0"),
                _ => None,
            };
            bounce(recipients(&notice["bounce"]["bouncedRecipients"], "failed", status))
        }
        "Complaint" => Some(MachineReport::Report { what: "arf", evidence }),
        "Delivery" => Some(MachineReport::Report { what: "dsn-success", evidence }),
        "DeliveryDelay" => {
            let delayed = &notice["deliveryDelay"]["delayedRecipients"];
            bounce(recipients(delayed, "delayed", Some("4.4.7")))
        }
        _ => None,
    }
}

/// The JSON value that a text begins with; it may be followed by a footer, and broken by a server
/// that sends no line over 998 bytes (`!`, a line break, a space).
fn parse(text: &str) -> Option<Value> {
    let first =
        |text: &str| serde_json::Deserializer::from_str(text).into_iter::<Value>().next()?.ok();
    first(text).or_else(|| {
        let joined = text.replace("!\n ", "").replace('\n', "");
        first(&joined)
    })
}

fn recipients(list: &Value, action: &str, status: Option<&str>) -> Vec<BouncedRecipient> {
    let recipient = |bounced: &Value| {
        let text = |name: &str| bounced[name].as_str().map(str::to_owned);
        Some(BouncedRecipient {
            address: text("emailAddress")?,
            action: text("action").map(|own| own.to_lowercase()).or(Some(action.to_owned())),
            status: text("status").or_else(|| status.map(str::to_owned)),
            diagnostic: text("diagnosticCode"),
        })
    };
    list.as_array().into_iter().flatten().filter_map(recipient).collect()
}
