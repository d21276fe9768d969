//! What is wrong with the portal: an address that shows passwords to whoever is in between.

use super::Check;
use crate::config::formats::{self, Exposure};
use crate::config::values::Misread;

impl Check<'_> {
    pub(super) fn portal(&mut self) {
        let portal = &self.file.portal;
        let Some(url) = portal.url.as_deref().filter(|_| portal.enabled) else { return };
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
}
