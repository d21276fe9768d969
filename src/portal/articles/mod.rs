//! The knowledge base: Markdown files in a folder, read at the start and at each reload. Public ones
//! lie in the folder itself, those of a site in a folder with its name. What a browser asks for is
//! looked up among what was read: it never becomes a path.

mod folder;
mod markdown;
pub(super) mod pages;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::words::Locale;

use folder::read;

use super::Options;
use crate::mail::fold;

// Nobody looks for more in earnest.
const WORDS: usize = 8;
// Articles offered at a time.
const OFFERED: usize = 3;
// Shorter words stand in every text.
const TELLING: usize = 4;

/// All articles, and the pictures in them.
#[derive(Debug, Default)]
pub(super) struct Articles {
    // By site, name and language.
    articles: BTreeMap<Place, BTreeMap<Option<Locale>, Article>>,
    pictures: BTreeMap<Place, PathBuf>,
    /// The language of an article that names none.
    desks: Option<Locale>,
}

/// Where an article or a picture is: the folder of a site, or the one for everybody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The name of the site whose users may read it.
    pub(super) site: Option<String>,
    /// An article's file without language and ending; a picture's whole name.
    pub(super) name: String,
}

/// An article in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Article {
    pub(super) place: Place,
    /// `None` when neither its file nor the desk names one that there is.
    pub(super) locale: Option<Locale>,
    /// Its first heading.
    pub(super) title: String,
    /// How it begins.
    pub(super) summary: String,
    /// The rest of it.
    pub(super) html: String,
    /// Title and text folded, to look for words in.
    title_words: String,
    text_words: String,
    /// What of the title stands in capitals, folded.
    capitals: Vec<String>,
}

/// Something wrong with the articles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {said}; {hint}", .file.display())]
pub struct Flaw {
    /// The file, or the folder, that it is about.
    pub file: PathBuf,
    pub said: String,
    /// What to do.
    pub hint: &'static str,
}

/// What is wrong with the articles that a portal would show.
pub fn flaws(options: &Options) -> Vec<Flaw> {
    let Some(folder) = &options.articles else { return Vec::new() };
    match read(folder, Locale::parse(&options.locale)) {
        Ok((_, wrong)) => wrong,
        Err(flaw) => vec![flaw],
    }
}

/// The articles of the configuration. That they cannot be read keeps nobody from their tickets.
pub(super) fn of(options: &Options) -> Articles {
    let Some(folder) = &options.articles else { return Articles::default() };
    match read(folder, Locale::parse(&options.locale)) {
        Ok((articles, wrong)) => {
            for flaw in wrong {
                tracing::warn!("articles: {flaw}");
            }
            articles
        }
        Err(flaw) => {
            tracing::error!("articles: {flaw}");
            Articles::default()
        }
    }
}

impl Articles {
    /// The articles that users of `site` may read, each in the best language for `locale`, by title.
    pub(super) fn of(&self, site: Option<&str>, locale: Locale) -> Vec<&Article> {
        let mut readable: Vec<&Article> = self
            .articles
            .iter()
            .filter(|(place, _)| is_readable(place, site))
            .filter_map(|(_, versions)| self.best(versions, locale))
            .collect();
        readable.sort_by(|one, other| {
            (&one.title_words, &one.place).cmp(&(&other.title_words, &other.place))
        });
        readable
    }

    /// Those that hold all of `words`; those with the words in their title first.
    pub(super) fn search(&self, words: &str, site: Option<&str>, locale: Locale) -> Vec<&Article> {
        let words: Vec<String> = words.split_whitespace().take(WORDS).map(fold).collect();
        let mut found = self.of(site, locale);
        found.retain(|article| words.iter().all(|word| article.holds(word)));
        let in_title = |article: &Article| {
            words.iter().filter(|word| article.title_words.contains(word.as_str())).count()
        };
        found.sort_by_key(|article| std::cmp::Reverse(in_title(article)));
        found
    }

    /// A few that may help whoever writes about `subject`: a word of it stands in the title, or
    /// several in the text.
    pub(super) fn offered(
        &self,
        subject: &str,
        site: Option<&str>,
        locale: Locale,
    ) -> Vec<&Article> {
        let mut words: Vec<String> =
            subject.split(|c: char| !c.is_alphanumeric()).map(fold).collect();
        words.sort();
        words.dedup();
        let score = |article: &Article| -> usize {
            let of_word = |word: &String| {
                let is_telling = word.chars().count() >= TELLING;
                let in_title = is_telling && article.title_words.contains(word.as_str());
                if in_title || article.capitals.contains(word) {
                    return 2;
                }
                usize::from(is_telling && article.text_words.contains(word.as_str()))
            };
            words.iter().map(of_word).sum()
        };
        let mut scored: Vec<(usize, &Article)> = self
            .of(site, locale)
            .into_iter()
            .map(|article| (score(article), article))
            .filter(|(score, _)| *score >= 2)
            .collect();
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        scored.into_iter().take(OFFERED).map(|(_, article)| article).collect()
    }

    /// The article at a place, if users of `site` may read it.
    pub(super) fn article(
        &self,
        at: &Place,
        site: Option<&str>,
        locale: Locale,
    ) -> Option<&Article> {
        let versions = self.articles.get(at).filter(|_| is_readable(at, site))?;
        self.best(versions, locale)
    }

    /// The file of a picture, if users of `site` may see it.
    pub(super) fn picture(&self, at: &Place, site: Option<&str>) -> Option<&PathBuf> {
        self.pictures.get(at).filter(|_| is_readable(at, site))
    }

    /// Whether there is nothing to read.
    pub(super) fn is_empty(&self) -> bool {
        self.articles.is_empty()
    }

    // The reader's own language, then the desk's, then English, then any.
    fn best<'a>(
        &self,
        versions: &'a BTreeMap<Option<Locale>, Article>,
        locale: Locale,
    ) -> Option<&'a Article> {
        let own = versions.get(&Some(locale));
        let plain = || versions.get(&None);
        if self.desks == Some(locale) {
            return own.or_else(plain).or_else(|| versions.values().next());
        }
        own.or_else(plain)
            .or_else(|| versions.get(&self.desks))
            .or_else(|| versions.get(&Some(Locale::En)))
            .or_else(|| versions.values().next())
    }
}

impl Article {
    fn holds(&self, word: &str) -> bool {
        self.title_words.contains(word) || self.text_words.contains(word)
    }
}

fn is_readable(place: &Place, site: Option<&str>) -> bool {
    match &place.site {
        None => true,
        Some(of) => site == Some(of.as_str()),
    }
}

#[cfg(test)]
mod tests;
