//! What the flags of a message say, in words.

/// A flag in words, its name behind them; of a name that nobody knows any more, the name.
pub fn said(name: &str) -> String {
    match SAID.binary_search_by_key(&name, |row| row.0) {
        Ok(at) => format!("{} ({name})", SAID[at].1),
        Err(_) => name.to_owned(),
    }
}

const SAID: [(&str, &str); 36] = [
    ("address_repaired", "the sender's address was written wrongly, and put right"),
    ("attachment_locked", "it brings a file of a kind that may do harm"),
    ("auth_failed", "the sender's domain disowns it"),
    ("bad_header_line", "lines of its header are no fields"),
    ("body_unreadable", "its body is broken, so the whole message is attached"),
    ("calendar", "it is about an appointment"),
    ("charset_repaired", "its letters are not of the charset that it names"),
    ("date_repaired", "nobody can believe its date: its arrival stands in its place"),
    ("encrypted", "it is encrypted"),
    ("forged_id", "it holds an id of ours with a wrong signature"),
    ("forwarded_by_staff", "staff forwards what somebody else wrote"),
    ("group_in_from", "its From names a group, which nobody can be"),
    ("limit_addresses", "it names more addresses than are read"),
    ("limit_attachments", "it brings more files than are listed"),
    ("limit_boundary", "a boundary between its parts is longer than is read"),
    ("limit_links", "its links are longer than is shown"),
    ("limit_received", "it passed more servers than are looked at"),
    ("limit_references", "it refers to more messages than are looked at"),
    ("limit_text", "its text is longer than is shown: the rest is attached"),
    ("message_id_reused", "another message has its Message-ID"),
    ("mixed_script", "the sender's domain mixes letters of several alphabets"),
    ("name_contains_address", "the sender's name shows another address"),
    ("no_message_id", "it has no Message-ID of its own"),
    ("no_text", "it has no text"),
    ("resent", "somebody sent it on as it was"),
    ("robot", "its sender is a robot, by the address"),
    ("role", "its sender is a role, such as an office, by the address"),
    ("sender_fallback", "From is of no use: the sender was taken from another field"),
    ("sender_relayed", "a list in front of the mailbox says who sent it"),
    ("sent_on_behalf", "somebody sent it for the one in From"),
    ("several_from", "its From names several people"),
    ("several_from_fields", "it has several From fields"),
    ("spam_flagged", "a spam filter marked it"),
    ("tnef_unreadable", "its winmail.dat cannot be read whole"),
    ("too_large", "it is too large: only its header and first text were read"),
    ("unwrapped", "it is a message that holds another one, which was read in its place"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_told_in_words() {
        assert!(SAID.is_sorted_by_key(|row| row.0));
        // The names stand where the flags are declared, one a line.
        let declared = include_str!("../../mail/mod.rs");
        let declared = declared.split_once("pub fn name(&self)").expect("the names").1;
        let declared = declared.split_once("name.to_owned()").expect("their end").0;
        let names = declared.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
        let untold: Vec<&str> =
            names.filter(|name| SAID.iter().all(|(told, _)| told != name)).collect();
        assert!(untold.is_empty(), "{untold:?}");
        assert_eq!(said("robot"), "its sender is a robot, by the address (robot)");
        assert_eq!(said("gone"), "gone");
    }
}
