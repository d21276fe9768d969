//! The pages of the knowledge base. What is public is read without a login; what is of a site is not
//! there for anybody else.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use minijinja::{Value, context};

use super::{Article, Place};
use crate::portal::form::{Asked, Named};
use crate::portal::tickets::files::handed_out;
use crate::portal::{Answer, LoggedIn, Portal, Trouble, Visitor, percent};

// Characters that are looked for.
const LONGEST: usize = 100;

/// The pages of articles.
pub(in crate::portal) fn pages() -> Router<Arc<Portal>> {
    Router::new()
        .route("/articles", get(list))
        .route("/articles/{name}", get(public))
        .route("/articles/{site}/{name}", get(of_site))
}

/// `GET /portal/articles`.
async fn list(State(portal): State<Arc<Portal>>, visitor: Visitor, query: Asked) -> Answer {
    if portal.options.articles.is_none() {
        return Err(Trouble::NotFound);
    }
    let words = query.line("q", LONGEST);
    let user = visitor.user().cloned();
    let site = user.as_ref().map(|user| user.site.1.as_str());
    let found = portal.articles.search(&words, site, visitor.locale);
    let values = context! {
        articles => found.into_iter().map(linked).collect::<Vec<_>>(),
        words,
        is_logged_in => user.is_some(),
    };
    visitor.page("articles.html", &visitor.words("articles.title"), values)
}

/// `GET /portal/articles/NAME`.
async fn public(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Named(name): Named<String>,
) -> Answer {
    show(&portal, &visitor, Place { site: None, name }).await
}

/// `GET /portal/articles/SITE/NAME`. Whoever is not logged in is sent to the login, whether there is
/// such an article or not.
async fn of_site(
    State(portal): State<Arc<Portal>>,
    LoggedIn { visitor, .. }: LoggedIn,
    Named((site, name)): Named<(String, String)>,
) -> Answer {
    show(&portal, &visitor, Place { site: Some(site), name }).await
}

async fn show(portal: &Arc<Portal>, visitor: &Visitor, place: Place) -> Answer {
    let user = visitor.user().cloned();
    let site = user.as_ref().map(|user| user.site.1.as_str());
    if let Some(path) = portal.articles.picture(&place, site) {
        let path = path.clone();
        let read = tokio::task::spawn_blocking(move || std::fs::read(&path)).await;
        let bytes = read.map_err(|panic| Trouble::Broken(panic.to_string()))?.map_err(|error| {
            Trouble::Broken(format!("the picture `{}` cannot be read: {error}", place.name))
        })?;
        return Ok(handed_out(bytes, &place.name, None));
    }
    let article = portal.articles.article(&place, site, visitor.locale);
    let article = article.ok_or(Trouble::NotFound)?;
    let values = context! {
        heading => &article.title,
        body => Value::from_safe_string(article.html.clone()),
        article_lang => article.locale.map(|locale| locale.as_str()),
        site => &article.place.site,
        is_logged_in => user.is_some(),
    };
    visitor.page("article.html", &article.title, values)
}

/// An article as a list names it.
pub(in crate::portal) fn linked(article: &Article) -> Value {
    let name = percent::encoded(&article.place.name);
    let path = match &article.place.site {
        None => name,
        Some(site) => format!("{}/{name}", percent::encoded(site)),
    };
    context! {
        path,
        title => &article.title,
        summary => &article.summary,
        site => &article.place.site,
        lang => article.locale.map(|locale| locale.as_str()),
    }
}
