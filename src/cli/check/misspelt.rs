//! Files that nothing is written with and nobody reads, because they are named like something else,
//! but for a letter. What is like nothing may be somebody's own: sites come and go in the store.

use std::collections::BTreeSet;
use std::path::Path;

use super::of_file;
use crate::config::{self, Problem, Settings, Severity};
use crate::outbox::Templates;
use crate::outbox::template::{Origin, Owner, Template, folder_of};
use crate::portal;

/// Templates with nearly the name of one that is built in, or nearly that of a site.
pub fn templates(templates: &Templates, settings: &Settings) -> Vec<Problem> {
    let of = |origin| templates.all().filter(move |template| template.origin() == origin);
    let built_in: BTreeSet<&str> = of(Origin::BuiltIn).map(Template::name).collect();
    let quick = settings.quick_replies.iter().map(|reply| reply.template.as_str());
    let named: BTreeSet<&str> =
        quick.chain([settings.policy.credentials.template.as_str()]).collect();
    let folders: Vec<String> = sites(settings).map(folder_of).collect();
    let mut problems = Vec::new();
    let mut told = BTreeSet::new();
    for template in of(Origin::Dir) {
        let (name, file) = (template.name(), Path::new(template.file()));
        let is_known = built_in.contains(name) || named.contains(name);
        if let Some(nearest) = config::nearest(name, built_in.iter().copied())
            && !is_known
        {
            let said = format!("no mail is written with a template `{name}`");
            problems.push(warning(file, said, nearest));
        }
        let Owner::Site(folder) = template.owner() else { continue };
        if let Some(nearest) = nearest_site(folder, &folders)
            && told.insert(folder)
        {
            let file = file.parent().unwrap_or(file);
            problems.push(warning(file, format!("no site is called `{folder}`"), nearest));
        }
    }
    problems
}

/// Folders of articles with nearly the name of a site.
pub fn articles(portal: &portal::Options, settings: &Settings) -> Vec<Problem> {
    let folder = portal.articles.as_deref();
    let Some(Ok(entries)) = folder.map(std::fs::read_dir) else { return Vec::new() };
    let sites: Vec<String> = sites(settings).map(str::to_owned).collect();
    let mut folders: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    folders.sort();
    let problem = |path: &std::path::PathBuf| {
        let name = path.file_name()?.to_str()?;
        let nearest = nearest_site(name, &sites)?;
        Some(warning(path, format!("no site is called `{name}`"), nearest))
    };
    folders.iter().filter_map(problem).collect()
}

fn sites(settings: &Settings) -> impl Iterator<Item = &str> {
    settings.sites.iter().map(|declared| declared.site.name.as_str())
}

fn nearest_site<'a>(name: &str, sites: &'a [String]) -> Option<&'a str> {
    let is_one = sites.iter().any(|site| site == name);
    config::nearest(name, sites.iter().map(String::as_str)).filter(|_| !is_one)
}

fn warning(file: &Path, said: String, nearest: &str) -> Problem {
    of_file(Severity::Warning, file, said, &format!("did you mean `{nearest}`?"))
}
