//! Which parts of a message are its body (M-15, M-22).

use crate::mail::structure::{Contents, Part, Structure};

/// A piece of the body in one or two forms, each a list of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    pub plain: Vec<usize>,
    pub html: Vec<usize>,
}

/// The pieces of the body of the message at `root`, in order.
pub fn segments(structure: &Structure, root: usize) -> Vec<Segment> {
    // The recursion goes as deep as parts are nested: at most 100 levels (M-04).
    let part = &structure.parts[root];
    let children = match &part.contents {
        Contents::Message(_) => return Vec::new(),
        Contents::Leaf => return Vec::from_iter(leaf(part, root)),
        Contents::Multipart(children) if children.is_empty() => {
            return vec![Segment { plain: vec![root], html: Vec::new() }];
        }
        Contents::Multipart(children) => children,
    };
    match part.media_type() {
        "multipart/alternative" => alternative(structure, children),
        "multipart/related" => segments(structure, related_root(structure, part, children)),
        "multipart/signed" => segments(structure, children[0]),
        "multipart/encrypted" => Vec::new(),
        _ => children.iter().flat_map(|child| segments(structure, *child)).collect(),
    }
}

/// An inline text without a file name; a multipart without parts is one too (M-05).
fn leaf(part: &Part, id: usize) -> Option<Segment> {
    let has_name = || {
        part.disposition.text("filename", None).or(part.content_type.text("name", None)).is_some()
    };
    if part.disposition.value.starts_with("attachment") {
        return None;
    }
    match part.media_type() {
        "text/html" if !has_name() => Some(Segment { plain: Vec::new(), html: vec![id] }),
        "text/plain" if !has_name() => Some(Segment { plain: vec![id], html: Vec::new() }),
        kind if kind.starts_with("multipart/") => {
            Some(Segment { plain: vec![id], html: Vec::new() })
        }
        _ => None,
    }
}

/// The last child of each form wins: of two plain texts the last is the body (M-15).
fn alternative(structure: &Structure, children: &[usize]) -> Vec<Segment> {
    let mut chosen = Segment::default();
    for child in children {
        let found = segments(structure, *child);
        if found.iter().any(|segment| !segment.html.is_empty()) {
            // A text between two pieces of HTML is one of them.
            let form = |segment: Segment| {
                if segment.html.is_empty() { segment.plain } else { segment.html }
            };
            chosen.html = found.into_iter().flat_map(form).collect();
        } else if !found.is_empty() {
            chosen.plain = found.into_iter().flat_map(|segment| segment.plain).collect();
        }
    }
    if chosen == Segment::default() { Vec::new() } else { vec![chosen] }
}

/// The part that `start` names, else the first of the type that `type` names, else the first
/// (RFC 2387).
fn related_root(structure: &Structure, part: &Part, children: &[usize]) -> usize {
    let trimmed = |id: &[u8]| {
        let id = id.trim_ascii();
        let id = id.strip_prefix(b"<").unwrap_or(id);
        id.strip_suffix(b">").unwrap_or(id).to_vec()
    };
    let start = part.content_type.word("start").map(|id| trimmed(&id));
    let kind = part.content_type.keyword("type");
    let is_root = |child: &&usize| {
        let id = structure.parts[**child].fields.first("content-id").map(trimmed);
        start.is_some() && id == start
    };
    let is_kind = |child: &&usize| {
        kind.as_deref().is_some_and(|kind| structure.parts[**child].media_type() == kind)
    };
    let mut children = children.iter();
    let named = children.clone().find(is_root).or_else(|| children.clone().find(is_kind));
    *named.or_else(|| children.next()).expect("a multipart with parts has a first one")
}
