//! Reads what spam filters wrote into the header. Only that a mail *is* spam: whoever writes that
//! into their own mail harms nobody else, so it does not matter which server the field is from. That
//! a mail is none anybody can write, and it counts for nothing.

use super::headers::Fields;
use super::words;

/// Characters shown of a value (M-54).
const SAID: usize = 80;

/// How a field says that the mail is spam.
enum Says {
    /// One of these words stands first.
    First(&'static [&'static str]),
    /// One of these `name:value` stands between the semicolons.
    Item(&'static [&'static str]),
    /// A number, at least this one.
    Number(u32),
    /// The word is one of the parts of `rule=…`, between underscores.
    Rule(&'static str),
}

/// The fields of the filters that are met, in the order of their names.
const FIELDS: [(&str, Says); 13] = [
    ("X-Barracuda-Spam-Flag", Says::First(&["yes"])),
    // Bogofilter.
    ("X-Bogosity", Says::First(&["spam", "yes"])),
    ("X-DSPAM-Result", Says::First(&["spam"])),
    // Exchange Online: found to be spam, by its filter (SPM), by a list of the recipient (SKB) or by
    // a rule of theirs (SKS).
    ("X-Forefront-Antispam-Report", Says::Item(&["sfv:skb", "sfv:sks", "sfv:spm"])),
    // Google Workspace, where its administrator asks for them.
    ("X-Gm-Phishy", Says::First(&["1"])),
    ("X-Gm-Spam", Says::First(&["1"])),
    ("X-MailScanner-SpamCheck", Says::First(&["spam"])),
    // Exchange; its firewall takes the field off mail from outside.
    ("X-MS-Exchange-Organization-SCL", Says::Number(5)),
    ("X-Proofpoint-Spam-Details", Says::Rule("spam")),
    ("X-Rspamd-Action", Says::First(&["add", "reject", "rewrite"])),
    // Rspamd.
    ("X-Spam", Says::First(&["yes"])),
    // SpamAssassin, and what took its fields over.
    ("X-Spam-Flag", Says::First(&["true", "yes"])),
    ("X-Spam-Status", Says::First(&["yes"])),
];

/// Whether a field is a spam filter's: of a wrapped message the wrapping's count (M-06).
pub fn is_of_filter(name: &str) -> bool {
    FIELDS.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// What says that the message is spam, e.g. `X-Spam-Flag=YES`; nothing when no field does (E-146).
pub fn marks(fields: &Fields) -> Vec<String> {
    let mut marks = Vec::new();
    for field in &fields.0 {
        let known = FIELDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(field.name));
        let Some((name, says)) = known else { continue };
        let value = words::decode(field.raw, None);
        let value: String = value.chars().take(SAID * 4).collect();
        if says.holds(&value.to_lowercase()) {
            let said: String = value.chars().take(SAID).collect();
            let mark = format!("{name}={said}");
            if !marks.contains(&mark) && marks.len() < FIELDS.len() {
                marks.push(mark);
            }
        }
    }
    marks
}

impl Says {
    fn holds(&self, value: &str) -> bool {
        let words = |text: &'static str| move |c: char| c.is_whitespace() || text.contains(c);
        let first = value.split(words(",;(")).find(|word| !word.is_empty()).unwrap_or_default();
        match self {
            Says::First(known) => known.contains(&first),
            Says::Item(known) => value.split(';').any(|item| known.contains(&item.trim())),
            Says::Number(least) => first.parse::<u32>().is_ok_and(|number| number >= *least),
            Says::Rule(word) => value
                .split_whitespace()
                .filter_map(|item| item.strip_prefix("rule="))
                .any(|rule| rule.split('_').any(|part| part == *word)),
        }
    }
}

#[cfg(test)]
mod tests {
    fn marks_of(field: &str) -> Vec<String> {
        let raw = format!("From: a@x.example\n{field}\n\nHi\n");
        crate::mail::read(raw.as_bytes()).expect("it can be read").spam
    }

    #[test]
    fn e_146_each_filter_says_in_its_own_way_that_a_mail_is_spam() {
        for field in [
            "X-Spam-Flag: YES",
            "x-spam-flag: yes",
            "X-Spam-Flag: TRUE",
            "X-Spam-Status: Yes, score=12.3 required=5.0 tests=BAYES_99",
            "X-Spam-Status:\n Yes, score=12.3",
            "X-Spam: Yes",
            "X-Bogosity: Spam, tests=bogofilter, spamicity=0.99",
            "X-DSPAM-Result: Spam",
            "X-Barracuda-Spam-Flag: YES",
            "X-Forefront-Antispam-Report: CIP:192.0.2.1;CTRY:US;LANG:en;SCL:5;SFV:SPM;H:x;",
            "X-Forefront-Antispam-Report: CIP:192.0.2.1; SFV:SKS;",
            "X-MS-Exchange-Organization-SCL: 5",
            "X-MS-Exchange-Organization-SCL: 9",
            "X-Rspamd-Action: add header",
            "X-Rspamd-Action: reject",
            "X-Proofpoint-Spam-Details: rule=inbound_spam_definite policy=inbound score=100",
            "X-Proofpoint-Spam-Details: rule=spam policy=default score=99",
            "X-MailScanner-SpamCheck: spam, SpamAssassin (score=9)",
            "X-Gm-Spam: 1",
        ] {
            assert_eq!(marks_of(field).len(), 1, "{field}");
        }
    }

    #[test]
    fn what_says_otherwise_counts_for_nothing_on_either_side() {
        for field in [
            "X-Spam-Flag: NO",
            "X-Spam-Flag:",
            "X-Spam-Status: No, score=-1.9 required=5.0 tests=YES",
            "X-Spam-Level: *********",
            "X-Spam-Score: 20",
            "X-Bogosity: Ham, tests=bogofilter, spamicity=0.00",
            "X-Forefront-Antispam-Report: CIP:192.0.2.1;SCL:1;SFV:NSPM;",
            "X-Microsoft-Antispam: BCL:9;",
            "X-MS-Exchange-Organization-SCL: -1",
            "X-MS-Exchange-Organization-SCL: 1",
            "X-Rspamd-Action: no action",
            "X-Rspamd-Action: greylist",
            "X-Proofpoint-Spam-Details: rule=inbound_notspam policy=inbound score=0",
            "X-MailScanner-SpamCheck: not spam, SpamAssassin (score=0)",
            "X-Gm-Spam: 0",
        ] {
            assert!(marks_of(field).is_empty(), "{field}");
        }
        let both = "X-Spam-Flag: NO\nX-Spam-Status: Yes, score=9\nX-Spam-Status: Yes, score=9";
        assert_eq!(marks_of(both), ["X-Spam-Status=Yes, score=9"]);
    }

    #[test]
    fn m_06_of_a_wrapped_message_the_marks_of_the_wrapping_count() {
        let raw = "X-Spam-Status: No\nContent-Type: message/rfc822\n\n\
                   From: a@x.example\nX-Spam-Status: Yes\n\nHi\n";
        assert!(crate::mail::read(raw.as_bytes()).expect("it can be read").spam.is_empty());
    }
}
