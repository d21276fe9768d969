//! The built-in templates as they are written: one file a language, from which the text and the
//! HTML of every mail are made, so that the two never say different things and all mail looks alike.
//!
//! A template begins with `## name`, then come `Subject:`, perhaps `Preview:` (what a list of mails
//! shows beside the subject) and `Look:` (`letter`: a person writes; `staff`: to people of the
//! desk), then its blocks, an empty line between two. What a block is, its first character says:
//!
//! | | |
//! |---|---|
//! | `\| Label: {{ name }}` | a fact, several of them one below the other |
//! | `> Label: {{ url }}` | a button, and its address to copy |
//! | `! {{ name }}` | words of a person, as they are |
//! | `" {{ name }}` | words of a person, set apart |
//! | `~ …` | small print |
//! | `-- …` | the foot of the mail |
//! | `&` | the closing phrase, and who writes |
//! | anything else | a paragraph |
//!
//! A fact, a button, words or a line of the foot whose value is empty is left out.

use crate::outbox::markup;
use crate::outbox::snippets::{MOMENT, known};
use crate::outbox::values::is_secret;

// Columns of the text, short enough to be quoted once or twice.
const WIDTH: usize = 72;
// Few times are longer where a name stands for one.
const LONG_TIME: &str = "22. November 2026, 10:00 Uhr (CEST)";

/// A built-in template: its name and its two forms, each with a `Subject:` as in a file.
pub struct Composed {
    pub name: String,
    pub text: String,
    pub html: String,
}

/// The templates that a language's file holds.
pub fn composed(written: &str) -> Vec<Composed> {
    let mut sections = written.split("\n## ").map(|section| {
        let (name, rest) = section.split_once('\n').expect("a section has lines");
        (name.trim_start_matches("## ").trim(), rest)
    });
    let (_, phrases) = sections.next().expect("the phrases come first");
    let phrases = Phrases {
        closing: header(phrases, "Closing").expect("a language has a closing phrase"),
        copy: header(phrases, "Copy").expect("a language says what to copy"),
    };
    sections.map(|(name, section)| compose(name, section, phrases)).collect()
}

/// What the mails of a language share.
#[derive(Clone, Copy)]
struct Phrases<'a> {
    closing: &'a str,
    copy: &'a str,
}

/// Who writes to whom.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Letter,
    Notice,
    Staff,
}

fn compose(name: &str, section: &str, phrases: Phrases<'_>) -> Composed {
    let (head, body) = section.split_once("\n\n").expect("an empty line follows the head");
    let subject = header(head, "Subject").expect("a template has a subject");
    let look = match header(head, "Look") {
        Some("letter") => Look::Letter,
        Some("staff") => Look::Staff,
        _ => Look::Notice,
    };
    let mut text = format!("Subject: {subject}\n\n");
    let mut html = text.clone();
    if let Some(preview) = header(head, "Preview") {
        html.push_str(&format!("<div style=\"{HIDDEN}\">{}</div>\n", markup::inline(preview)));
    }
    if look != Look::Letter {
        html.push_str(&when(&["portal.name"], &paragraph_of("brand", BRAND, "{{ portal.name }}")));
    }
    for block in body.trim().split("\n\n") {
        let block = Block { written: block, phrases };
        text.push_str(&block.text());
        html.push_str(&block.html());
    }
    Composed { name: name.to_owned(), text, html }
}

struct Block<'a> {
    written: &'a str,
    phrases: Phrases<'a>,
}

impl Block<'_> {
    fn text(&self) -> String {
        let Block { written, phrases } = self;
        let written = *written;
        match written.as_bytes()[0] {
            b'|' => {
                let lines = facts(written, |label, value| format!("{label}: {value}\n"));
                when(&fact_needs(written), &format!("{lines}\n"))
            }
            b'>' => {
                let (label, url) = labelled(&written[2..]);
                when(&needs(url), &format!("{label}:\n{url}\n\n"))
            }
            b'!' | b'"' => when(&needs(written), &format!("{}\n\n", &written[2..])),
            b'~' => format!("{}\n\n", wrapped(&written[2..])),
            b'-' => foot(written, |line| format!("{}\n", wrapped(line))) + "\n",
            b'&' => {
                format!("{}\n{}\n", phrases.closing, when(&["portal.name"], "{{ portal.name }}\n"))
            }
            _ => format!("{}\n\n", wrapped(written)),
        }
    }

    fn html(&self) -> String {
        let Block { written, phrases } = self;
        let written = *written;
        match written.as_bytes()[0] {
            b'|' => {
                let rows = facts(written, row);
                let table = format!(
                    "<table {TABLE} class=\"facts\" width=\"100%\" style=\"{FACTS}\">\n\
                     {rows}</table>\n"
                );
                when(&fact_needs(written), &table)
            }
            b'>' => {
                let (label, url) = labelled(&written[2..]);
                when(&needs(url), &button(label, url, phrases.copy))
            }
            b'!' => when(&needs(written), &paragraph_of("words", WORDS, &written[2..])),
            b'"' => when(&needs(written), &paragraph_of("quote", QUOTE, &written[2..])),
            b'~' => paragraph_of("quiet", QUIET, &written[2..]),
            b'-' => {
                let lines = foot(written, |line| format!("{}<br>\n", shown(line)));
                format!("<div class=\"foot quiet\" style=\"{FOOT}\">\n{lines}</div>\n")
            }
            b'&' => {
                let name = when(&["portal.name"], "{{ portal.name }}\n");
                format!(
                    "<p style=\"{PARAGRAPH}\">{}<br>\n{name}</p>\n",
                    markup::escaped(phrases.closing)
                )
            }
            _ => format!("<p style=\"{PARAGRAPH}\">{}</p>\n", shown(written)),
        }
    }
}

fn paragraph_of(class: &str, style: &str, inner: &str) -> String {
    format!("<div class=\"{class}\" style=\"{style}\">{}</div>\n", shown(inner))
}

fn row(label: &str, value: &str) -> String {
    let style = if value.contains("portal.password") { SECRET } else { VALUE };
    format!(
        "<tr><td class=\"label quiet\" style=\"{LABEL}\">{}</td>\
         <td class=\"value\" style=\"{style}\">{}</td></tr>\n",
        markup::escaped(label.trim_end()),
        markup::inline(value)
    )
}

fn button(label: &str, url: &str, copy: &str) -> String {
    let (label, copy) = (markup::escaped(label.trim_end()), markup::escaped(copy));
    format!(
        "<table {TABLE} class=\"buttons\" style=\"{BUTTON}\"><tr><td class=\"button\" style=\"{BUTTON_CELL}\">\
         <a href=\"{url}\" style=\"{BUTTON_LINK}\">{label}</a></td></tr></table>\n\
         <p class=\"quiet\" style=\"{QUIET}\">{copy}<br>\n\
         <span style=\"word-break:break-all\">{url}</span></p>\n"
    )
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The facts of a block, each as `shown` has it. One that stands alone is left out with its block.
fn facts(block: &str, shown: impl Fn(&str, &str) -> String) -> String {
    let is_alone = block.lines().count() == 1;
    let line = |(label, value): (&str, &str)| match is_alone {
        true => shown(label, value),
        false => when(&needs(value), &shown(label, value)),
    };
    lines_of_facts(block).map(line).collect()
}

/// What a block of facts needs; nothing when one of them is there in any case.
fn fact_needs(block: &str) -> Vec<&str> {
    let needs: Vec<Vec<&str>> = lines_of_facts(block).map(|(_, value)| needs(value)).collect();
    if needs.iter().any(Vec::is_empty) { Vec::new() } else { needs.concat() }
}

fn lines_of_facts(block: &str) -> impl Iterator<Item = (&str, &str)> {
    block.lines().map(|line| labelled(line.trim_start_matches("| ")))
}

fn labelled(line: &str) -> (&str, &str) {
    line.split_once(": ").expect("a label and a value stand here")
}

fn foot(block: &str, written: impl Fn(&str) -> String) -> String {
    let lines = block.lines().map(|line| line.trim_start_matches("-- "));
    lines.map(|line| when(&needs(line), &written(line))).collect()
}

/// The names without which there is nothing to say. A secret is there whenever its template is sent.
fn needs(value: &str) -> Vec<&str> {
    let tags = value.split("{{").skip(1).filter_map(|tag| tag.split("}}").next());
    tags.map(|tag| tag.split('|').next().unwrap_or_default().trim())
        .filter(|name| !is_secret(name))
        .take(1)
        .collect()
}

/// `inner`, left out when all of `names` are empty. A line that holds nothing but a tag is no line
/// of the mail (see `template::engine`).
fn when(names: &[&str], inner: &str) -> String {
    if names.is_empty() {
        return inner.to_owned();
    }
    format!("{{% if {} %}}\n{inner}{{% endif %}}\n", names.join(" or "))
}

/// A text on one line as HTML; what stands between backticks is to be typed.
fn shown(text: &str) -> String {
    let line = text.lines().collect::<Vec<_>>().join(" ");
    let parts = line.split('`').map(markup::inline).enumerate();
    parts.map(|(n, part)| if n % 2 == 1 { format!("<code>{part}</code>") } else { part }).collect()
}

/// `text` in lines of at most [`WIDTH`] columns, as far as its words allow; a name counts as its
/// sample does.
fn wrapped(text: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in words(text) {
        let width = width(&word);
        if column > 0 && column + 1 + width > WIDTH {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(&word);
        column += width;
    }
    out
}

// A name and what touches it are one word, and so is what is to be typed.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in text.split([' ', '\n']) {
        match words.last_mut() {
            Some(last) if is_open => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        is_open = words.last().is_some_and(|last| {
            last.rfind("{{") > last.rfind("}}") || last.matches('`').count() % 2 == 1
        });
    }
    words
}

fn width(word: &str) -> usize {
    let Some((before, rest)) = word.split_once("{{ ") else { return word.chars().count() };
    let (name, after) = rest.split_once(" }}").unwrap_or((rest, ""));
    let sample = match known(name) {
        Some(variable) if variable.sample == MOMENT => LONG_TIME.chars().count(),
        Some(variable) => variable.sample.chars().count(),
        None => name.len(),
    };
    before.chars().count() + sample + width(after)
}

const TABLE: &str = "role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"";
const HIDDEN: &str = "display:none;max-height:0;overflow:hidden;mso-hide:all;opacity:0";
const BRAND: &str = "margin:0 0 24px;padding:0 0 14px;border-bottom:1px solid #e3e6ea;\
                     color:#1d4f9e;font-size:15px;font-weight:600";
const PARAGRAPH: &str = "margin:0 0 16px";
const WORDS: &str = "margin:0 0 16px;overflow-wrap:anywhere";
const QUOTE: &str = "margin:0 0 20px;padding:2px 0 2px 16px;border-left:3px solid #c3d3ea;\
                     overflow-wrap:anywhere";
const QUIET: &str = "margin:0 0 16px;color:#5b636e;font-size:14px;line-height:20px";
const FACTS: &str = "margin:0 0 20px;background:#f2f5f9;border-radius:8px;border-collapse:separate;\
                     padding:6px 0";
const LABEL: &str = "padding:5px 12px 5px 16px;width:32%;color:#5b636e;font-size:14px;\
                     line-height:22px;vertical-align:top";
const VALUE: &str = "padding:5px 16px 5px 4px;font-weight:600;line-height:22px;\
                     vertical-align:top;overflow-wrap:anywhere";
const SECRET: &str = "padding:5px 16px 5px 4px;font-weight:600;line-height:22px;\
                      vertical-align:top;font-family:Consolas,Menlo,monospace;font-size:17px;\
                      letter-spacing:.04em";
const BUTTON: &str = "margin:4px 0 14px";
const BUTTON_CELL: &str = "border-radius:8px;background:#1d5fbf;mso-padding-alt:12px 26px";
const BUTTON_LINK: &str = "display:inline-block;padding:12px 26px;border-radius:8px;\
                           background:#1d5fbf;color:#ffffff;font-weight:600;text-decoration:none";
const FOOT: &str = "margin:24px 0 0;padding:14px 0 10px;border-top:1px solid #e3e6ea;color:#5b636e;\
                    font-size:13px;line-height:20px";
