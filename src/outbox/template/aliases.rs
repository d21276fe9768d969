//! More names for snippets, as the administrator's file of aliases says.

use super::{Options, Problem};
use crate::outbox::snippets::{Snippets, VARIABLES, known, nearest};

/// Lets the names of the file `templates.aliases` stand for variables too: one
/// `"Nom du client final" = "site.name"` a line.
pub fn read(options: &Options, snippets: &mut Snippets, problems: &mut Vec<Problem>) {
    let Some(path) = &options.templates.aliases else { return };
    let file = path.display().to_string();
    const SHAPE: &str = "write one `\"snippet\" = \"variable\"` a line, \
                         e.g. `\"Client final\" = \"site.name\"`";
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("the aliases `{file}` cannot be read: {error}");
            let hint = "make the file, or take `templates.aliases` out".to_owned();
            problems.push(Problem::error(&file, (1, 1), message, hint));
            return;
        }
    };
    let mut refuse = |at: usize, message: String, hint: String| {
        problems.push(Problem::error(&file, place_of(&text, at), message, hint));
    };
    let table = match toml::de::DeTable::parse(&text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            refuse(at, error.message().to_owned(), SHAPE.to_owned());
            return;
        }
    };
    for (alias, variable) in table.iter() {
        let at = alias.span().start;
        let Some(name) = variable.get_ref().as_str() else {
            refuse(
                at,
                format!("`{alias}` names no variable", alias = alias.get_ref()),
                SHAPE.to_owned(),
            );
            continue;
        };
        let Some(variable) = known(name) else {
            let names = VARIABLES.iter().map(|variable| variable.name);
            let hint = nearest(name, names)
                .map_or_else(|| SHAPE.to_owned(), |near| format!("did you mean `{near}`?"));
            refuse(at, format!("`{}` is no variable", name.escape_debug()), hint);
            continue;
        };
        if let Err(meant) = snippets.alias(alias.get_ref(), variable) {
            refuse(
                at,
                format!("`{{[{}]}}` means `{meant}` already", alias.get_ref()),
                "choose another name".to_owned(),
            );
        }
    }
}

fn place_of(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
