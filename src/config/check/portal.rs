//! What is wrong with the portal: an address that shows passwords to whoever is in between.

use super::Check;
use crate::config::formats::{self, Exposure};
use crate::config::values::Misread;

impl Check<'_> {
    pub(super) fn portal(&mut self) {
        let portal = &self.file.portal;
        let Some(url) = portal.url.as_deref().filter(|_| portal.enabled) else { return };
        self.visitors(url);
        if portal.allow_plain_http {
            let message = "passwords may cross the network unencrypted: `allow_plain_http` is set";
            let hint = "put a web server that speaks HTTPS in front of the portal, and take it out";
            self.warn(&["portal", "allow_plain_http"], Misread::new(message, hint));
            return;
        }
        if formats::exposure(url) == Exposure::Plain {
            let message = format!("`{url}` would send passwords over plain HTTP");
            let hint = "write `https://`; plain HTTP is for this machine alone, as \
                        `http://127.0.0.1:8480`, unless `portal.allow_plain_http` is set";
            self.err(&["portal", "url"], Misread::new(message, hint));
        }
        let http = &self.file.http;
        let is_reached = formats::listen(&http.listen).is_ok_and(|at| !at.ip().is_loopback());
        if is_reached && http.trusted_proxies.is_empty() {
            let message =
                format!("`{}` is reached from other machines over plain HTTP", http.listen);
            let hint = "name the web server in front of it in `http.trusted_proxies`, listen at \
                        `127.0.0.1`, or set `portal.allow_plain_http`";
            self.err(&["http", "listen"], Misread::new(message, hint));
        }
    }

    // T-27: who comes by a web server on this machine is told from others by what it says of them,
    // which counts once it is named; over HTTPS it is known without.
    fn visitors(&mut self, url: &str) {
        let http = &self.file.http;
        let Ok(door) = formats::listen(&http.listen) else { return };
        let has_one_in_front = url.starts_with("http://") && formats::port(url) != door.port();
        if !(has_one_in_front && door.ip().is_loopback() && http.trusted_proxies.is_empty()) {
            return;
        }
        let message = format!(
            "everybody seems to come from this machine: `{url}` leads to `{}` by a web server that \
             is not named",
            http.listen
        );
        let hint = "name it, as `http.trusted_proxies = [\"127.0.0.1\"]`, or write `https://`";
        self.warn(&["portal", "url"], Misread::new(message, hint));
    }
}
