//! Reads the folder of articles. Whatever is wrong with one file keeps no other from being read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::words::Locale;
use super::markdown::{self, Target};
use super::{Article, Articles, Flaw, Place};
use crate::mail::fold;

// More is no article that a person wrote.
const LARGEST: u64 = 1 << 20;
const LARGEST_PICTURE: u64 = 20 << 20;
const MOST: usize = 10_000;
const PICTURES: [&str; 5] = ["gif", "jpeg", "jpg", "png", "webp"];
// Characters of how an article begins.
const SUMMARY: usize = 180;

/// Reads all articles below `folder`; and what is wrong with some of them, or why there are none.
/// `desks` is the language of those that name none.
pub(super) fn read(folder: &Path, desks: Option<Locale>) -> Result<(Articles, Vec<Flaw>), Flaw> {
    let unreadable = |error: io::Error| Flaw {
        file: folder.to_owned(),
        said: format!("the folder of articles cannot be read: {error}"),
        hint: "`portal.articles` names a folder that guichet may read; take the key out if there is none",
    };
    let root = fs::canonicalize(folder).map_err(unreadable)?;
    let mut found = Found { root, texts: Vec::new(), pictures: BTreeMap::new(), wrong: Vec::new() };
    found.look(folder, None).map_err(unreadable)?;
    let Found { mut texts, pictures, mut wrong, .. } = found;
    texts.sort_by(|one, other| one.path.cmp(&other.path));
    let names: BTreeSet<Place> = texts.iter().map(|text| text.place.clone()).collect();
    let mut articles: BTreeMap<Place, BTreeMap<Option<Locale>, Article>> = BTreeMap::new();
    for text in texts {
        let is_there = |target: &Target| match target {
            Target::Article(place) => names.contains(place),
            Target::Picture(place) => pictures.contains_key(place),
        };
        let rendered = markdown::render(&text.markdown, text.place.site.as_deref(), &is_there);
        let flaw = |said| Flaw {
            file: text.path.clone(),
            said,
            hint: "write the whole address of a page, or put what it names into the folder",
        };
        wrong.extend(rendered.wrong.into_iter().map(flaw));
        let title = rendered.title.unwrap_or_else(|| text.place.name.clone());
        let article = Article {
            title_words: fold(&title),
            text_words: fold(&rendered.text),
            summary: beginning(&rendered.paragraphs),
            place: text.place.clone(),
            locale: text.locale.or(desks),
            capitals: capitals(&title),
            html: rendered.html,
            title,
        };
        articles.entry(text.place).or_default().insert(text.locale, article);
    }
    Ok((Articles { articles, pictures, desks }, wrong))
}

struct Found {
    /// Without links in its path.
    root: PathBuf,
    texts: Vec<Text>,
    pictures: BTreeMap<Place, PathBuf>,
    wrong: Vec<Flaw>,
}

struct Text {
    path: PathBuf,
    place: Place,
    locale: Option<Locale>,
    markdown: String,
}

impl Found {
    fn look(&mut self, folder: &Path, site: Option<&str>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                self.say(&path, "its name is not UTF-8, so it is left out", "rename it");
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            if self.texts.len() + self.pictures.len() >= MOST {
                let said = format!("only the first {MOST} files are read");
                self.say(folder, &said, "take out what nobody reads");
                return Ok(());
            }
            if let Err(error) = self.take(&path, &name, site) {
                let hint = "the user that guichet runs as must be allowed to read it";
                self.say(&path, &format!("it cannot be read: {error}"), hint);
            }
        }
        Ok(())
    }

    fn take(&mut self, path: &Path, name: &str, site: Option<&str>) -> io::Result<()> {
        // A link that leads out would publish what lies elsewhere.
        let real = fs::canonicalize(path)?;
        if !real.starts_with(&self.root) {
            let said = "it is a link that leads out of the folder, so it is left out";
            self.say(path, said, "copy what it leads to into the folder");
            return Ok(());
        }
        let kind = fs::metadata(&real)?;
        if kind.is_dir() {
            match site {
                None => self.look(path, Some(name))?,
                Some(_) => {
                    let said = "a site's folder has no folders, so it is left out";
                    self.say(path, said, "put its files beside it");
                }
            }
            return Ok(());
        }
        let place = |name: &str| Place { site: site.map(str::to_owned), name: name.to_owned() };
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let ending = ending.to_ascii_lowercase();
        if PICTURES.contains(&ending.as_str()) {
            if kind.len() > LARGEST_PICTURE {
                let hint = "save it smaller: everybody who reads the article loads it";
                self.say(path, "it is larger than 20 MB, so it is left out", hint);
                return Ok(());
            }
            self.pictures.insert(place(name), real);
        } else if ending == "md" && kind.len() > LARGEST {
            self.say(path, "it is larger than 1 MB, so it is left out", "make several of it");
        } else if ending == "md" {
            let (name, locale) = language_of(stem);
            match String::from_utf8(fs::read(&real)?) {
                Ok(markdown) => {
                    if has_front_matter(&markdown) {
                        let hint = "take it out: the title is the first heading, the language stands \
                                    in the name, as in `vpn.fr.md`";
                        self.say(
                            path,
                            "what stands between `---` at its top is shown as text",
                            hint,
                        );
                    }
                    let (path, place) = (path.to_owned(), place(name));
                    self.texts.push(Text { path, place, locale, markdown });
                }
                Err(_) => {
                    self.say(
                        path,
                        "it is not written in UTF-8, so it is left out",
                        "save it as UTF-8",
                    );
                }
            }
        }
        Ok(())
    }

    fn say(&mut self, path: &Path, said: &str, hint: &'static str) {
        self.wrong.push(Flaw { file: path.to_owned(), said: said.to_owned(), hint });
    }
}

/// Whether a text begins with what other programs keep there about an article.
fn has_front_matter(markdown: &str) -> bool {
    let mut lines = markdown.lines().map(str::trim_end);
    lines.next() == Some("---")
        && lines.take_while(|line| *line != "---").any(|line| line.contains(':'))
}

/// `vpn.fr` is `vpn` in French, `v1.2` is not.
pub(super) fn language_of(stem: &str) -> (&str, Option<Locale>) {
    let Some((name, tag)) = stem.rsplit_once('.') else { return (stem, None) };
    let is_tag = |locale: &Locale| {
        let region = tag.strip_prefix(locale.as_str());
        region.is_some_and(|region| region.is_empty() || region.starts_with(['-', '_']))
    };
    match Locale::parse(tag).filter(is_tag) {
        Some(locale) if !name.is_empty() => (name, Some(locale)),
        _ => (stem, None),
    }
}

/// The words of a title that stand in capitals, folded: `VPN` tells something, short as it is.
fn capitals(title: &str) -> Vec<String> {
    title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 1 && !word.chars().any(char::is_lowercase))
        .map(fold)
        .collect()
}

fn beginning(text: &str) -> String {
    let words = text.split_whitespace();
    let mut summary = String::new();
    for word in words {
        if summary.chars().count() + word.chars().count() >= SUMMARY {
            summary.push('…');
            break;
        }
        if !summary.is_empty() {
            summary.push(' ');
        }
        summary.push_str(word);
    }
    summary
}
