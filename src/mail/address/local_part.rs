//! Tells role and robot mailboxes by their local part (M-44, R-04).

use super::without_tag;

/// Local parts of mailboxes that several people read.
const ROLES: [&str; 24] = [
    "abuse",
    "accounts",
    "admin",
    "administrator",
    "billing",
    "contact",
    "help",
    "helpdesk",
    "hostmaster",
    "hr",
    "info",
    "invoice",
    "it",
    "jobs",
    "mail",
    "marketing",
    "office",
    "press",
    "sales",
    "security",
    "service",
    "support",
    "team",
    "webmaster",
];

/// Local parts behind which nobody reads.
const ROBOTS: [&str; 11] = [
    "alert",
    "alerts",
    "bounce",
    "bounces",
    "daemon",
    "mailer-daemon",
    "nobody",
    "notification",
    "notifications",
    "postmaster",
    "root",
];

/// The same, however the words are joined.
const SILENT: [&str; 2] = ["donotreply", "noreply"];

/// Whether the mailbox is a role's (M-44): a person like any other, only flagged.
pub fn is_role(local: &str) -> bool {
    let local = without_tag(local).to_lowercase();
    ROLES.contains(&local.as_str())
}

/// Whether the mailbox is a robot's (M-44): never made a user, never sent automatic mail.
pub fn is_robot(local: &str) -> bool {
    let local = without_tag(local).to_lowercase();
    let joined: String = local.chars().filter(|c| !matches!(c, '-' | '.' | '_')).collect();
    ROBOTS.contains(&local.as_str())
        || SILENT.contains(&joined.as_str())
        || local.starts_with("owner-")
        || local.ends_with("-request")
        || local.ends_with("-bounces")
}

#[cfg(test)]
mod tests {
    use super::{is_robot, is_role};

    #[test]
    fn m_44_roles_and_robots_are_told_by_their_local_part() {
        for role in ["info", "INFO", "it", "support+x", "webmaster", "abuse"] {
            assert!(is_role(role) && !is_robot(role), "{role}");
        }
        for robot in [
            "no-reply",
            "NoReply",
            "no_reply",
            "donotreply",
            "Do-Not-Reply",
            "do_not_reply+7",
            "do.not-reply",
            "owner-list",
            "list-request",
            "list-bounces",
            "root",
            "alerts",
            "postmaster",
            "bounces+123-abc",
            "notification",
        ] {
            assert!(is_robot(robot) && !is_role(robot), "{robot}");
        }
        for person in ["claire.johnson", "information", "rooty", "no-replyx", "+info", "owner"] {
            assert!(!is_role(person) && !is_robot(person), "{person}");
        }
    }
}
