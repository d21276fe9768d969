//! What a `style` attribute says that matters to a reader of text. Read as written, declaration by
//! declaration: style sheets are not applied.

use super::token::Tag;

/// What the `style` of an element and its attribute `hidden` say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// The box that Outlook and those who follow it draw around the header of the message below: a
    /// thin line in one of two colours above it, and 3 points between (M-100).
    pub is_header_box: bool,
    /// The element asks not to be seen (M-17): hidden outright, or as the line above a newsletter
    /// that only previews show. `mso-hide` alone hides from Outlook what all others see.
    pub is_hidden: bool,
    /// The mark that Word draws before an item of a list.
    pub is_list_mark: bool,
    /// White space inside counts, as in `<pre>` (M-17).
    pub keeps_white_space: bool,
}

impl Style {
    pub fn of(tag: &Tag) -> Style {
        let mut read = Style { is_hidden: tag.is_hidden, ..Style::default() };
        let Some(style) = tag.style else { return read };
        let (mut is_flat, mut is_clipped) = (false, false);
        let (mut is_lined, mut is_coloured, mut is_padded) = (false, false, false);
        for (name, value) in declarations(style) {
            let has = |known: &str| name.eq_ignore_ascii_case(known);
            let is = |known: &str| value.eq_ignore_ascii_case(known);
            match name.len() {
                7 if has("display") => read.is_hidden |= is("none"),
                7 if has("opacity") => read.is_hidden |= is_zero(value),
                7 if has("padding") => is_padded |= is_three_points(value),
                8 if has("mso-list") => read.is_list_mark |= is("ignore"),
                8 if has("overflow") => is_clipped |= is("hidden"),
                10 if has("border-top") => {
                    is_lined |= lower(value).contains("solid");
                    is_coloured |= is_box_colour(value);
                }
                10 if has("max-height") => is_flat |= is_zero(value),
                10 if has("visibility") => read.is_hidden |= is("hidden"),
                11 if has("padding-top") => is_padded |= is_three_points(value),
                11 if has("white-space") => read.keeps_white_space = keeps_white_space(value),
                // A browser's editor takes `border-top` apart.
                12 if has("border-color") => is_coloured |= is_box_colour(value),
                12 if has("border-style") => is_lined |= lower(value).starts_with("solid none"),
                _ => {}
            }
        }
        read.is_hidden |= is_flat && is_clipped;
        read.is_header_box = is_lined && is_coloured && is_padded;
        read
    }
}

fn keeps_white_space(value: &str) -> bool {
    ["break-spaces", "pre", "pre-line", "pre-wrap"].contains(&lower(value).as_str())
}

fn is_box_colour(value: &str) -> bool {
    let value = lower(value);
    ["#b5c4df", "#e1e1e1", "rgb(181, 196, 223)", "rgb(225, 225, 225)"]
        .iter()
        .any(|colour| value.contains(colour))
}

fn is_three_points(value: &str) -> bool {
    let value = lower(value);
    value.starts_with("3.0pt") || value.starts_with("3pt")
}

fn is_zero(value: &str) -> bool {
    ["0", "0.0", "0px", "0pt"].contains(&value)
}

/// A style as it is written is short; a longer one is no client's.
const LONGEST: usize = 1024;
const MOST_DECLARATIONS: usize = 64;

fn declarations(style: &str) -> impl Iterator<Item = (&str, &str)> {
    let style = style.get(..LONGEST).unwrap_or(style);
    let declarations = style.split(';').take(MOST_DECLARATIONS);
    declarations.filter_map(|one| one.split_once(':')).map(|(name, value)| {
        let value = value.trim();
        (name.trim(), value.strip_suffix("!important").map_or(value, str::trim_end))
    })
}

fn lower(value: &str) -> String {
    value.get(..LONGEST).unwrap_or(value).to_ascii_lowercase()
}
