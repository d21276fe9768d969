//! Where the links of HTML lead, and whether a reader need be told.

use std::borrow::Cow;

use super::entity;

/// An address worth showing: not a place in the same text, not a script.
pub fn shown_href(href: &str) -> Option<String> {
    let href: Cow<str> = entity::decode(href);
    let href: String = href.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let lower = href.get(..11).unwrap_or(&href).to_ascii_lowercase();
    let is_shown = !lower.is_empty()
        && !["#", "cid:", "data:", "javascript:"].iter().any(|scheme| lower.starts_with(scheme));
    is_shown.then_some(href)
}

/// Whether the text of a link is its address already.
pub fn is_same_place(text: &str, href: &str) -> bool {
    let bare = |place: &str| {
        let place = place.trim().trim_end_matches('/').to_lowercase();
        let schemes = ["https://", "http://", "mailto:", "tel:"];
        let place = schemes.iter().find_map(|scheme| place.strip_prefix(scheme)).unwrap_or(&place);
        place.strip_prefix("www.").unwrap_or(place).to_owned()
    };
    let href = href.strip_prefix("mailto:").map_or(href, |to| to.split('?').next().unwrap_or(to));
    bare(text) == bare(href)
}
