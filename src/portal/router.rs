//! Which page is where, and what every answer says about itself: what may run on it (nothing), who may
//! frame it (nobody), who may keep it (the browser's memory, as long as it is shown).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::FutureExt;

use super::door::Peer;
use super::network::Way;
use super::tickets::body::LARGEST;
use super::{
    Asker, PlainHttp, Portal, Trouble, activate, address, articles, forgotten, home, login,
    profile, tickets, visitor,
};
use crate::faults;

// A form of ours is far shorter; pages that take files say so themselves.
const LARGEST_FORM: usize = 64 * 1024;
// How long an answer may take, besides the time that an upload takes at the slowest speed allowed.
const LONGEST: Duration = Duration::from_secs(50);
/// The slowest that anybody may send, in bytes a second.
pub(super) const SLOWEST: u64 = 32 * 1024;

/// All pages of the portal.
pub fn router(portal: Arc<Portal>) -> Router {
    let pages = Router::new()
        .merge(tickets::pages())
        .merge(articles::pages::pages())
        .route("/", get(to_portal))
        .route("/files/{name}", get(file))
        .route("/login", get(login::form).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/choose", get(login::choose_form).post(login::choose))
        .route("/forgotten", get(forgotten::form).post(forgotten::mail_a_link))
        .route("/activate/{token}", get(activate::form).post(activate::activate))
        .route("/activate/{token}/again", post(activate::again))
        .route("/confirm/{token}", get(address::form).post(address::confirm))
        .route("/profile", get(profile::page).post(profile::change))
        .route("/profile/address", post(profile::change_address))
        .route("/profile/password", post(profile::change_password))
        .route("/profile/sessions", post(profile::end_sessions))
        .fallback(|| async { Trouble::NotFound })
        .method_not_allowed_fallback(|| async { Trouble::WrongMethod });
    let base = portal.base().to_owned();
    let mut router =
        Router::new().nest("/portal", pages.clone()).route("/portal/", get(home::home));
    if !base.is_empty() {
        // Some web servers hand on the whole path, some what is behind their own part of it.
        router = router.nest(&format!("{base}/portal"), pages);
        router = router.route(&format!("{base}/portal/"), get(home::home));
        router = router.route(&format!("{base}/"), get(to_portal));
    }
    router
        .route("/", get(to_portal))
        .fallback(|| async { Trouble::NotFound })
        .method_not_allowed_fallback(|| async { Trouble::WrongMethod })
        .layer(if faults::stands("T-37-form") {
            DefaultBodyLimit::max(LARGEST_FORM)
        } else {
            DefaultBodyLimit::disable()
        })
        .layer(from_fn_with_state(portal.clone(), visitor::enter))
        .layer(from_fn_with_state(portal.clone(), guard))
        .with_state(portal)
}

async fn to_portal(State(portal): State<Arc<Portal>>) -> Redirect {
    Redirect::to(&portal.path(""))
}

async fn file(State(portal): State<Arc<Portal>>, Path(name): Path<String>) -> Response {
    portal.pages.file(&name).unwrap_or_else(|| Trouble::NotFound.into_response())
}

/// Notes who asks, refuses what comes in the clear, and sees that every answer comes in time and says
/// what a browser must know.
async fn guard(
    State(portal): State<Arc<Portal>>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let asker = Asker::of(peer.ip(), request.headers(), |ip| portal.trusts(ip));
    request.extensions_mut().insert(asker);
    let mut response = match portal.in_the_clear(&asker) {
        InTheClear::Fine => answer(request, next).await,
        InTheClear::Refused => unencrypted(&portal),
        InTheClear::ToHttps if matches!(*request.method(), Method::GET | Method::HEAD) => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            Redirect::permanent(&format!("{}{path}", portal.origin())).into_response()
        }
        InTheClear::ToHttps => unencrypted(&portal),
    };
    dress(&mut response, &portal);
    response
}

// Whoever asks in the clear gets no page with a form on it.
fn unencrypted(portal: &Portal) -> Response {
    let (status, _) = Trouble::Unencrypted.page();
    let url = &portal.options.url;
    (status, format!("This page is read over HTTPS only: {url}\n")).into_response()
}

async fn answer(request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let longest = LONGEST + Duration::from_secs(length.unwrap_or(0).min(LARGEST as u64) / SLOWEST);
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(longest, answered).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => bare(Trouble::Broken("it panicked; this is a bug in guichet".to_owned())),
        Err(_) => bare(Trouble::TimedOut),
    }
}

// Nobody is left to say for whom the page would be.
fn bare(trouble: Trouble) -> Response {
    trouble.tell();
    let (status, _) = trouble.page();
    (status, "The portal cannot answer now. Please try again in a minute.\n").into_response()
}

fn dress(response: &mut Response, portal: &Portal) {
    const ALWAYS: [(HeaderName, &str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
                          form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        if name != header::X_CONTENT_TYPE_OPTIONS || faults::stands("T-29-nosniff") {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if faults::stands("T-29-policy") {
        // What serves a file of somebody's says more about it.
        let policy = header::CONTENT_SECURITY_POLICY;
        headers.entry(policy).or_insert(HeaderValue::from_static(POLICY));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if portal.is_encrypted() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
}

/// What becomes of a request that others could read.
enum InTheClear {
    /// It is encrypted, or nobody is in between, or that was asked for.
    Fine,
    Refused,
    /// The web server in front of us can do better.
    ToHttps,
}

impl Portal {
    pub(super) fn trusts(&self, ip: std::net::IpAddr) -> bool {
        // We speak no TLS: users who do are talking to something on this machine, or to one that is
        // named.
        let is_in_front = self.is_encrypted() && ip.is_loopback();
        is_in_front || self.options.trusted_proxies.iter().any(|network| network.contains(ip))
    }

    fn in_the_clear(&self, asker: &Asker) -> InTheClear {
        match asker.way {
            _ if self.options.plain_http == PlainHttp::Allowed => InTheClear::Fine,
            Way::Direct if !faults::stands("T-42-portal") => InTheClear::Fine,
            Way::Near | Way::ProxiedTls => InTheClear::Fine,
            Way::ProxiedPlain if self.is_encrypted() => InTheClear::ToHttps,
            Way::ProxiedPlain => InTheClear::Fine,
            Way::Direct => InTheClear::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::clock::{Ids, SeededChance, SetClock};
    use crate::counter::{self, Counter};
    use crate::mail::address::PlusTag;
    use crate::portal::{Network, Options};
    use crate::store::{self, Durability, Location, Store};
    use crate::triage::samples;

    fn portal(url: &str, plain_http: PlainHttp) -> Portal {
        let clock = Arc::new(SetClock::at(Timestamp::UNIX_EPOCH));
        let ids = Ids::new(clock.clone(), Arc::new(SeededChance::new(1)));
        let options = store::Options { location: Location::Memory, durability: Durability::None };
        let store = Store::open(&options, Timestamp::UNIX_EPOCH).expect("a store in memory");
        let options = Options {
            url: url.to_owned(),
            name: "Example IT".to_owned(),
            articles: None,
            listen: "127.0.0.1:0".parse().expect("an address"),
            trusted_proxies: vec![Network::parse("10.0.0.7").expect("an address")],
            plain_http,
            locale: "en".to_owned(),
            zone: jiff::tz::TimeZone::UTC,
            reset_limit: Vec::new(),
            plus_tag: PlusTag::Strip,
            sender: None,
            nobodys: [].into(),
        };
        let counter = counter::Options {
            policy: Arc::new(samples::policy()),
            mailbox: "support".to_owned(),
            largest: 1_000_000,
            has_room: Arc::new(|| true),
            wake: Arc::new(|| {}),
        };
        let counter = Counter::new(store.clone(), ids.clone(), clock.clone(), counter);
        Portal::new(store, clock, ids, options, counter)
    }

    #[test]
    fn nobody_is_served_in_the_clear_across_a_network_unless_that_was_asked_for() {
        let verdict = |url, plain, way| {
            let asker = Asker { ip: "203.0.113.9".parse().expect("an address"), way };
            match portal(url, plain).in_the_clear(&asker) {
                InTheClear::Fine => "fine",
                InTheClear::Refused => "refused",
                InTheClear::ToHttps => "to https",
            }
        };
        let (https, http) = ("https://help.example", "http://127.0.0.1:8480");
        assert_eq!(verdict(https, PlainHttp::Refused, Way::Direct), "refused");
        assert_eq!(verdict(http, PlainHttp::Refused, Way::Direct), "refused");
        assert_eq!(verdict(http, PlainHttp::Allowed, Way::Direct), "fine");
        assert_eq!(verdict(https, PlainHttp::Refused, Way::ProxiedTls), "fine");
        assert_eq!(verdict(https, PlainHttp::Refused, Way::ProxiedPlain), "to https");
        assert_eq!(verdict(http, PlainHttp::Refused, Way::Near), "fine");
    }

    #[test]
    fn a_proxy_is_believed_when_it_is_named_or_must_be_there() {
        let trusts =
            |url, ip: &str| portal(url, PlainHttp::Refused).trusts(ip.parse().expect("an address"));
        assert!(trusts("https://help.example", "127.0.0.1"));
        assert!(!trusts("http://127.0.0.1:8480", "127.0.0.1"));
        assert!(trusts("http://127.0.0.1:8480", "10.0.0.7"));
        assert!(!trusts("https://help.example", "10.0.0.8"));
    }

    #[test]
    fn the_parts_of_an_address_are_found() {
        let portal = portal("https://example.com/it", PlainHttp::Refused);
        assert_eq!((portal.origin(), portal.base()), ("https://example.com", "/it"));
        assert_eq!(portal.path("login"), "/it/portal/login");
    }
}
