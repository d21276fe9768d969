//! What people reach with a browser, as written: the portal, and where it listens.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[portal]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Portal {
    /// The address of the portal, as its users see it: every link to it begins with this. Without it
    /// there is no portal, and nobody is invited.
    #[schemars(example = &"https://help.example.com", extend("format" = "guichet-url"))]
    pub url: Option<String>,
    /// What mails and pages call the helpdesk. Default: the host of `portal.url`.
    #[schemars(example = &"Example IT support", extend("format" = "guichet-line"))]
    pub name: Option<String>,
    /// Whether there is a portal, and users are invited to it.
    pub enabled: bool,
    /// The folder with the knowledge base: Markdown files, public, or in a folder with a site's name
    /// for that site alone.
    #[schemars(example = &"articles", extend("format" = "guichet-path"))]
    pub articles: Option<PathBuf>,
    /// Whether passwords may cross the network over plain HTTP: beyond this machine, and without a
    /// proxy of `http.trusted_proxies` in between.
    pub allow_plain_http: bool,
}

impl Default for Portal {
    fn default() -> Portal {
        Portal { url: None, name: None, enabled: true, articles: None, allow_plain_http: false }
    }
}

/// `[http]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// The address and port that the portal listens at; port 0 takes any that is free. A web server
    /// in front of it speaks HTTPS.
    #[schemars(extend("format" = "guichet-listen"))]
    pub listen: String,
    /// The web servers in front of the portal, as addresses or networks, whose `X-Forwarded-For` and
    /// `X-Forwarded-Proto` are believed. One on this machine need not be named when `portal.url`
    /// begins with `https`.
    #[schemars(
        extend("examples" = [["10.0.0.7", "192.0.2.0/24"]], "format" = "guichet-network")
    )]
    pub trusted_proxies: Vec<String>,
}

impl Default for Http {
    fn default() -> Http {
        Http { listen: "127.0.0.1:8480".to_owned(), trusted_proxies: Vec::new() }
    }
}
