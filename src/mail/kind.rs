//! Collects the marks by which a machine or a list betrays itself (mail.md 4.4, 4.5), and weighs them.
//! Own mail and the exceptions that need settings are `triage`'s.

mod calendar;
mod collect;
pub mod phrases;
mod tables;
mod words;

pub(super) use collect::{Seen, collect};

/// One mark seen in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    pub strength: Strength,
    /// The rule it falls under, e.g. `M-66`.
    pub rule: &'static str,
    /// What was seen, e.g. `Auto-Submitted=auto-replied`; values cut at 80 characters (M-54).
    pub said: String,
    /// Whether it says that the mail answers something (M-70b): then it is an auto-reply rather
    /// than an automatic report.
    pub answers: bool,
}

/// How much one mark weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// `Auto-Submitted: no` (M-66): cancels all weak marks.
    Human,
    /// A mailing list's mark (M-71).
    List,
    /// Suffices alone (M-66…M-68).
    Strong,
    /// Two of these suffice (M-69).
    Weak,
}

/// That a message was written by a machine (M-66…M-70b).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Automatic {
    /// It answers something: an auto-reply, not a report (M-70b).
    pub answers: bool,
    /// The rules and what was seen, strongest first (M-54).
    pub evidence: Vec<String>,
}

/// Weighs the marks of machines: one strong one suffices, or two weak ones unless the message says
/// that a human wrote it (M-66…M-70b).
pub fn automatic(signals: &[Signal]) -> Option<Automatic> {
    let with = |strength| signals.iter().filter(move |signal| signal.strength == strength);
    let is_human = with(Strength::Human).next().is_some();
    let mut counted: Vec<&Signal> = with(Strength::Strong).collect();
    let is_strong = !counted.is_empty();
    if !is_human {
        counted.extend(with(Strength::Weak));
    }
    if !is_strong && counted.len() < 2 {
        return None;
    }
    Some(Automatic {
        answers: counted.iter().any(|signal| signal.answers),
        evidence: counted.iter().map(|signal| signal.evidence()).collect(),
    })
}

/// Whether a value of X-Auto-Response-Suppress asks for no automatic answer (M-72).
pub fn asks_for_silence(value: &str) -> bool {
    let value = value.to_lowercase();
    collect::words(&value).any(|word| tables::SILENCING.contains(&word))
}

/// The marks of mailing lists, as evidence; none when no list sent it (M-71).
pub fn list_marks(signals: &[Signal]) -> Vec<String> {
    let is_list = |signal: &&Signal| signal.strength == Strength::List;
    signals.iter().filter(is_list).map(Signal::evidence).collect()
}

impl Signal {
    /// The rule and what was seen, as it stands in `kind_evidence` (M-54).
    pub fn evidence(&self) -> String {
        format!("{} {}", self.rule, self.said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(strength: Strength, said: &str) -> Signal {
        Signal { strength, rule: "M-69", said: said.to_owned(), answers: said.contains("reply") }
    }

    #[test]
    fn m_69_one_strong_or_two_weak_marks_suffice() {
        let strong = signal(Strength::Strong, "reply");
        let weak = signal(Strength::Weak, "loop");
        let human = signal(Strength::Human, "no");
        let list = signal(Strength::List, "list");
        for (signals, is_automatic) in [
            (vec![], false),
            (vec![weak.clone()], false),
            (vec![weak.clone(), list.clone()], false),
            (vec![weak.clone(), weak.clone()], true),
            (vec![weak.clone(), weak.clone(), human.clone()], false),
            (vec![strong.clone()], true),
            (vec![strong.clone(), human.clone()], true),
            (vec![human.clone()], false),
        ] {
            assert_eq!(automatic(&signals).is_some(), is_automatic, "{signals:?}");
        }
        let found = automatic(&[weak, strong]).expect("strong");
        assert_eq!(found.evidence, ["M-69 reply", "M-69 loop"]);
        assert!(found.answers);
        assert_eq!(list_marks(&[list]), ["M-69 list"]);
    }

    #[test]
    fn m_69_m_71_no_list_mark_and_no_single_weak_mark_makes_a_machine() {
        let strengths = [Strength::List, Strength::Human];
        for lists in 0..4 {
            for others in 0..4 {
                let mut signals = vec![signal(strengths[0], "reply"); lists];
                signals.extend(vec![signal(strengths[1], "no"); others]);
                assert_eq!(automatic(&signals), None, "{signals:?}");
                signals.push(signal(Strength::Weak, "reply"));
                assert_eq!(automatic(&signals), None, "{signals:?}");
            }
        }
    }

    #[test]
    fn e_127_m_72_what_asks_for_silence() {
        for (value, is_asked) in [
            ("All", true),
            ("DR, RN, NRN, OOF, AutoReply", true),
            ("oof;autoreply", true),
            ("OOF", false),
            ("DR, NDR, RN, NRN", false),
            ("Allow", false),
            ("", false),
        ] {
            assert_eq!(asks_for_silence(value), is_asked, "{value}");
        }
    }
}
