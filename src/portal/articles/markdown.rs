//! An article as HTML. What is written as HTML in it is shown as it stands; links lead to web pages,
//! mail addresses and what lies in the same folder, and pictures come from there alone (T-29, T-30).

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::super::percent;
use super::super::plain::{REL, escape};
use super::Place;
use super::folder::language_of;
use crate::faults;

/// What a link within the articles leads to.
pub(super) enum Target {
    Article(Place),
    Picture(Place),
}

/// An article, taken apart.
pub(super) struct Rendered {
    /// Its first heading.
    pub title: Option<String>,
    /// All but a heading at its top.
    pub html: String,
    /// The words of it.
    pub text: String,
    /// Those of its paragraphs: no headings, tables, or lines of a program; all words where it has
    /// no paragraph.
    pub paragraphs: String,
    /// What in it does not work, a sentence each.
    pub wrong: Vec<String>,
}

/// Renders an article that lies in the folder of `site`; `is_there` says what its links may lead to.
pub(super) fn render(
    markdown: &str,
    site: Option<&str>,
    is_there: &dyn Fn(&Target) -> bool,
) -> Rendered {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut writer = Writer {
        site,
        is_there,
        events: Vec::new(),
        links: Vec::new(),
        picture: None,
        heading: None,
        is_in_paragraph: false,
        rendered: Rendered {
            title: None,
            html: String::new(),
            text: String::new(),
            paragraphs: String::new(),
            wrong: Vec::new(),
        },
    };
    for event in Parser::new_ext(markdown, options) {
        writer.take(event);
    }
    let Writer { events, mut rendered, .. } = writer;
    html::push_html(&mut rendered.html, events.into_iter());
    if rendered.paragraphs.trim().is_empty() {
        rendered.paragraphs.clone_from(&rendered.text);
    }
    rendered
}

struct Writer<'a> {
    site: Option<&'a str>,
    is_there: &'a dyn Fn(&Target) -> bool,
    events: Vec<Event<'a>>,
    /// Of each link that is open, whether it is one in the HTML too.
    links: Vec<bool>,
    /// The picture that is being read, and the words for it.
    picture: Option<(String, String)>,
    /// The first heading, while it is being read.
    heading: Option<Heading>,
    is_in_paragraph: bool,
    rendered: Rendered,
}

struct Heading {
    text: String,
    is_at_top: bool,
}

impl<'a> Writer<'a> {
    fn take(&mut self, event: Event<'a>) {
        if self.picture.is_some() && !matches!(event, Event::End(TagEnd::Image)) {
            if let (Some(text), Some((_, alt))) = (text_of(&event), &mut self.picture) {
                alt.push_str(text);
            }
            return;
        }
        if let Some(text) = text_of(&event) {
            match &mut self.heading {
                Some(heading) => heading.text.push_str(text),
                None => self.rendered.text.push_str(text),
            }
            if self.is_in_paragraph {
                self.rendered.paragraphs.push_str(text);
            }
        }
        match event {
            Event::Start(Tag::Paragraph) => self.is_in_paragraph = true,
            Event::End(TagEnd::Paragraph) => {
                self.is_in_paragraph = false;
                self.rendered.paragraphs.push(' ');
            }
            _ => {}
        }
        match event {
            Event::Start(Tag::Heading { level, .. }) => self.open_heading(level),
            Event::End(TagEnd::Heading(level)) => self.close_heading(level),
            Event::Start(Tag::Link { dest_url, .. }) => self.open_link(&dest_url),
            Event::End(TagEnd::Link) => {
                if self.links.pop() == Some(true) {
                    self.html("</a>".to_owned());
                }
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                self.picture = Some((dest_url.into_string(), String::new()));
            }
            Event::End(TagEnd::Image) => self.close_picture(),
            // T-29: shown, not obeyed.
            Event::Html(text) | Event::InlineHtml(text) if faults::stands("T-29-articles") => {
                self.push(Event::Text(text));
            }
            Event::Start(Tag::HtmlBlock) => self.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => self.push(Event::End(TagEnd::Paragraph)),
            // How columns are aligned would be a style of its own.
            Event::Start(Tag::Table(columns)) => {
                self.push(Event::Html("<div class=\"scroll\" tabindex=\"0\">".into()));
                let columns = columns.iter().map(|_| pulldown_cmark::Alignment::None).collect();
                self.push(Event::Start(Tag::Table(columns)));
            }
            Event::End(TagEnd::Table) => {
                self.push(Event::End(TagEnd::Table));
                self.push(Event::Html("</div>".into()));
            }
            Event::End(end) => {
                // Words of two paragraphs are two words.
                self.rendered.text.push(' ');
                self.push(Event::End(end));
            }
            event => self.push(event),
        }
    }

    // The page has its own first heading: the title.
    fn open_heading(&mut self, level: HeadingLevel) {
        if self.rendered.title.is_none() && self.heading.is_none() {
            let is_at_top = self.events.is_empty();
            self.heading = Some(Heading { text: String::new(), is_at_top });
            if is_at_top {
                return;
            }
        }
        let (level, id, classes, attrs) = (below(level), None, Vec::new(), Vec::new());
        self.push(Event::Start(Tag::Heading { level, id, classes, attrs }));
    }

    fn close_heading(&mut self, level: HeadingLevel) {
        self.rendered.text.push(' ');
        if let Some(heading) = self.heading.take() {
            let title = heading.text.trim().to_owned();
            self.rendered.title = Some(title).filter(|title| !title.is_empty());
            if heading.is_at_top {
                // Its words and signs went into the title.
                self.events.clear();
                return;
            }
        }
        self.push(Event::End(TagEnd::Heading(below(level))));
    }

    fn open_link(&mut self, written: &str) {
        match self.link(written) {
            Some(href) => {
                let mut tag = String::from("<a href=\"");
                escape(&href, &mut tag);
                tag.push_str(if href.contains(':') { "\" rel=\"" } else { "\"" });
                if href.contains(':') {
                    tag.push_str(REL);
                    tag.push('"');
                }
                tag.push('>');
                self.links.push(true);
                self.html(tag);
            }
            None => {
                let why = "it is neither `https:`, `http:` nor `mailto:`, and no article or picture in \
                           the folder";
                self.refuse(written, why);
                self.links.push(false);
            }
        }
    }

    fn close_picture(&mut self) {
        let Some((written, alt)) = self.picture.take() else { return };
        let place = self.place(&written);
        let picture = place.map(Target::Picture).filter(|target| (self.is_there)(target));
        let Some(Target::Picture(place)) = picture else {
            if !faults::stands("T-30") {
                return self.html(format!("<img src=\"{written}\">"));
            }
            let why = "pictures are shown from the folder alone, and it has none there";
            self.refuse(&written, why);
            self.push(Event::Text(alt.into()));
            return;
        };
        let mut tag = String::from("<img src=\"");
        escape(&self.relative(&place), &mut tag);
        tag.push_str("\" alt=\"");
        escape(&alt, &mut tag);
        tag.push_str("\" loading=\"lazy\">");
        self.html(tag);
    }

    /// Where a link leads: elsewhere, or to what lies in the folder.
    fn link(&self, written: &str) -> Option<String> {
        if written.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return None;
        }
        let scheme = written.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((scheme, _)) = scheme.split_once(':') {
            let known = ["http", "https", "mailto"];
            let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(scheme))
                || !faults::stands("T-29-links");
            return is_known.then(|| written.to_owned());
        }
        let path = written.split(['?', '#']).next().unwrap_or_default();
        let place = self.place(path)?;
        let target = match place.name.strip_suffix(".md") {
            Some(stem) => {
                let name = language_of(stem).0.to_owned();
                Target::Article(Place { site: place.site, name })
            }
            None => Target::Picture(place),
        };
        (self.is_there)(&target).then(|| match &target {
            Target::Article(place) | Target::Picture(place) => self.relative(place),
        })
    }

    /// What a relative path names: `x.md` beside it, `../x.md` above it, `Contoso/x.md` below it.
    fn place(&self, written: &str) -> Option<Place> {
        let path = percent::decoded(written)?;
        let path = path.strip_prefix("./").unwrap_or(&path);
        let (site, name) = match (self.site, path.split_once('/')) {
            (site, None) => (site, path),
            (Some(_), Some(("..", name))) => (None, name),
            (None, Some((site, name))) => (Some(site), name),
            (Some(_), Some(_)) => return None,
        };
        let is_name = !name.is_empty() && !name.contains('/') && name != "..";
        is_name.then(|| Place { site: site.map(str::to_owned), name: name.to_owned() })
    }

    /// The path from this article's page to a place.
    fn relative(&self, place: &Place) -> String {
        let name = percent::encoded(&place.name);
        match (self.site, &place.site) {
            (Some(_), None) => format!("../{name}"),
            (None, Some(site)) => format!("./{}/{name}", percent::encoded(site)),
            // With the dot no name reads as a scheme.
            _ => format!("./{name}"),
        }
    }

    fn refuse(&mut self, written: &str, why: &str) {
        let written = written.escape_debug();
        self.rendered.wrong.push(format!("`{written}` is shown as text: {why}"));
    }

    fn html(&mut self, tag: String) {
        self.push(Event::InlineHtml(CowStr::from(tag)));
    }

    fn push(&mut self, event: Event<'a>) {
        self.events.push(event);
    }
}

fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        level => level,
    }
}

fn text_of<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    match event {
        Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) | Event::Text(text) => {
            Some(text)
        }
        Event::HardBreak | Event::SoftBreak => Some(" "),
        _ => None,
    }
}
