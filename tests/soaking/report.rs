//! What a soak found: its figures, and all that is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::rig::{Rig, USER};

/// The figures of a run.
#[derive(Debug, Default)]
pub struct Report {
    figures: Vec<(&'static str, String)>,
    /// What must not be, a sentence each.
    pub wrong: Vec<String>,
    /// What is set aside in sight, as P-03 has it: mails between their end and its answer at two
    /// kills. Nothing else is wrong with a desk that has some.
    pub set_aside: Vec<String>,
}

impl Report {
    /// Looks at everything once the work has come to its end.
    pub fn of(rig: &mut Rig, kills: usize, seed: u64, took: Duration) -> Report {
        let mut report = Report::default();
        report.figure("seed", seed);
        report.figure("kills", kills);
        report.figure("fewest messages decided between two kills", rig.fewest);
        report.messages(rig);
        report.mailboxes(rig);
        report.mails(rig);
        report.books(rig);
        report.figure("longest recovery, restart to first decision", seconds(rig.longest_recovery));
        report.figure("peak memory of the daemon", format!("{} MiB", rig.peak / 1024));
        report.figure("time", seconds(took));
        report
    }

    fn messages(&mut self, rig: &mut Rig) {
        let expected = &rig.feed.expected;
        self.figure("messages fed", expected.fed);
        let stored = rig.books.count("SELECT COUNT(*) FROM message");
        self.figure("messages stored", stored);
        self.must("messages stored", stored, expected.fed);
        let accepted = rig.books.rows(
            "SELECT subject, COUNT(*) FROM decision WHERE outcome = 'accepted' GROUP BY subject",
        );
        let accepted: BTreeMap<&str, &str> =
            accepted.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
        let lost = |subject: &&String| !accepted.contains_key(subject.as_str());
        let lost: Vec<&String> = expected.subjects.iter().filter(lost).collect();
        let twice: Vec<_> = accepted.iter().filter(|(_, times)| **times != "1").collect();
        self.figure("messages lost", lost.len());
        self.figure("messages acted on twice", twice.len());
        self.none(format!("lost: {lost:?}"), lost.len());
        self.none(format!("acted on twice: {twice:?}"), twice.len());
        let held = rig.books.count("SELECT COUNT(*) FROM message WHERE state = 'held'");
        self.figure("messages held", held);
        self.none(format!("{held} messages are held and need an operator"), held);
        let rows = rig.books.rows("SELECT reason, COUNT(*) FROM decision GROUP BY reason");
        let reasons: BTreeMap<&str, i64> =
            rows.iter().map(|row| (row[0].as_str(), row[1].parse().expect("a number"))).collect();
        if reasons != expected.reasons {
            self.wrong.push(format!("decided {reasons:?}, and not {:?}", expected.reasons));
        }
        let tickets = rig.books.count("SELECT COUNT(*) FROM ticket");
        let users = rig.books.count("SELECT COUNT(*) FROM person WHERE made_by = 'mail'");
        self.figure("tickets", tickets);
        self.figure("users", users);
        let opened = expected.reasons.get("ticket_created").copied().unwrap_or(0);
        self.must("tickets", tickets, usize::try_from(opened).expect("a count"));
        self.must("users", users, expected.users);
    }

    // What is decided is gone from where it came, and moved once.
    fn mailboxes(&mut self, rig: &mut Rig) {
        for part in ["new", "cur"] {
            let files = std::fs::read_dir(rig.desk.maildir().join(part)).expect("a maildir");
            self.must("files left in the maildir", files.count(), 0);
        }
        let left = rig.dovecot.list(USER, "INBOX").len();
        self.must("messages left in the IMAP mailbox", left, 0);
        let moved = rig.dovecot.list(USER, "done").len();
        self.must("messages moved to `done`", moved, rig.delivered.1);
    }

    fn mails(&mut self, rig: &mut Rig) {
        let rows = rig.books.rows("SELECT message_id, state, bounced_at FROM outbox");
        let (mut never, mut lost, mut parked, mut open) = (0, 0, 0, 0);
        for row in &rows {
            let times = rig.arrived.get(row[0].trim_matches(['<', '>'])).copied().unwrap_or(0);
            let (state, has_bounced) = (row[1].as_str(), !row[2].is_empty());
            parked += usize::from(state == "parked");
            never += usize::from(times == 0);
            lost += usize::from(times == 0 && state != "parked");
            open += usize::from(!(state == "sent" || state == "parked" || has_bounced));
        }
        let twice = rig.arrived.values().filter(|times| **times == 2).count();
        let oftener = rig.arrived.values().filter(|times| **times > 2).count();
        let two_ids = rig.books.count(
            "SELECT COUNT(*) FROM (SELECT 1 FROM outbox GROUP BY template, ticket, person, message \
             HAVING COUNT(*) > 1) AS double",
        );
        self.figure("mails", rows.len());
        self.figure("mails that arrived", rig.arrived.len());
        self.figure("mails that arrived twice, with one Message-ID", twice);
        self.figure("mails that arrived oftener", oftener);
        self.figure("mails with two Message-IDs", two_ids);
        self.figure("mails that never arrived", never);
        self.figure("mails parked", parked);
        self.none(format!("{oftener} mails arrived more than twice"), oftener);
        self.none(format!("{two_ids} mails have two Message-IDs"), two_ids);
        self.none(format!("{lost} mails never arrived, and are not parked"), lost);
        if parked > 0 {
            let said = format!("{parked} mails are parked, {never} of them never arrived");
            self.set_aside.push(said);
        }
        self.none(format!("{open} mails are neither sent nor parked"), open);
        self.must("mails that arrived, or are parked", rig.arrived.len() + never, rows.len());
    }

    fn books(&mut self, rig: &Rig) {
        for (what, words) in [("audit", &["audit"][..]), ("db verify", &["db", "verify"])] {
            let output = rig.desk.run(words);
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            self.figure(what, said.lines().last().unwrap_or_default());
            self.none(format!("`{what}` says: {said}"), usize::from(!output.status.success()));
        }
    }

    fn figure(&mut self, what: &'static str, value: impl fmt::Display) {
        self.figures.push((what, value.to_string()));
    }

    fn must(&mut self, what: &str, found: usize, expected: usize) {
        self.none(format!("{what}: {found}, and not {expected}"), found.abs_diff(expected));
    }

    fn none(&mut self, what: String, count: usize) {
        if count > 0 {
            self.wrong.push(what);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, value) in &self.figures {
            writeln!(f, "{what:<56} {value}")?;
        }
        if self.wrong.is_empty() {
            writeln!(f, "nothing lost, nothing twice")?;
        }
        self.wrong.iter().try_for_each(|wrong| writeln!(f, "WRONG: {wrong}"))?;
        self.set_aside.iter().try_for_each(|said| writeln!(f, "SET ASIDE: {said}"))
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
