//! One person's browser: what they see, click and write.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};

use crate::driver::{Driver, Refused, installed};
use crate::support::guarded::Account;
use crate::support::secrets::Secrets;
use crate::support::wait_for;

// By this name an answer holds an element (WebDriver, section 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// The key Enter, and the key Tab (WebDriver, keyboard actions).
pub const ENTER: &str = "\u{e007}";
pub const TAB: &str = "\u{e004}";

/// Somebody's browser; its profile is empty when it starts, and gone when it ends.
pub struct Browser {
    session: String,
    pub scripts: Scripts,
    width: Width,
    driver: Driver,
    /// What it was given and what was written into it that must be nowhere else (T-26).
    secrets: RefCell<Secrets>,
}

/// How its user has it set up.
#[derive(Clone, Copy)]
pub struct Setup {
    /// As in `Accept-Language`, e.g. `fr-FR,fr`.
    pub languages: &'static str,
    pub scripts: Scripts,
    pub width: Width,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Dark,
    Light,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scripts {
    Off,
    On,
}

/// How wide its window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Desk,
    /// 360 px, as many telephones have.
    Phone,
    /// 320 px: the narrowest at which nobody should have to scroll sideways (WCAG 1.4.10).
    Smallest,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup { languages: "en-GB,en", scripts: Scripts::On, width: Width::Desk }
    }
}

impl Browser {
    pub fn start(setup: Setup) -> Browser {
        let driver = Driver::start();
        let binary = installed("chromium", "chromium");
        let profile = driver.folder.path().join("profile");
        let mut args = vec![
            "--headless=new".to_owned(),
            format!("--user-data-dir={}", profile.display()),
            // Nothing but the loopback is there for it.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1".to_owned(),
            "--no-proxy-server".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-first-run".to_owned(),
            "--window-size=1280,900".to_owned(),
        ];
        if Account::own().is_root() {
            args.push("--no-sandbox".to_owned());
        }
        let mut prefs = json!({
            "intl.accept_languages": setup.languages,
            "credentials_enable_service": false,
        });
        if setup.scripts == Scripts::Off {
            prefs["profile.managed_default_content_settings.javascript"] = 2.into();
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"binary": binary, "args": args, "prefs": prefs},
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": 120_000},
        }}});
        let started = driver.ask("POST", "/session", Some(&wanted));
        let started = started.unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        let session = started["sessionId"].as_str().expect("a session has an id").to_owned();
        let secrets = RefCell::default();
        let (scripts, width) = (setup.scripts, setup.width);
        let mut browser = Browser { session, scripts, width, driver, secrets };
        browser.set_width(setup.width);
        browser
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Refused> {
        self.driver.ask(method, &format!("/session/{}/{path}", self.session), body)
    }

    fn get(&self, path: &str) -> Value {
        self.ask("GET", path, None).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, Some(body)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Says something in the protocol of Chromium's own tools.
    fn command(&self, name: &str, params: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({"cmd": name, "params": params}))
    }

    pub fn open(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    pub fn reload(&self) {
        self.post("refresh", &json!({}));
    }

    pub fn go_back(&self) {
        self.post("back", &json!({}));
    }

    /// The address of the page.
    pub fn url(&self) -> String {
        self.get("url").as_str().unwrap_or_default().to_owned()
    }

    pub fn title(&self) -> String {
        self.get("title").as_str().unwrap_or_default().to_owned()
    }

    /// The element of this CSS selector, if it is there.
    fn found(&self, css: &str) -> Result<String, Refused> {
        let element =
            self.ask("POST", "element", Some(&json!({"using": "css selector", "value": css})))?;
        Ok(element[ELEMENT].as_str().expect("an element has an id").to_owned())
    }

    /// The element, once it is there.
    fn element(&self, css: &str) -> String {
        let mut found = None;
        self.wait(&format!("`{css}`"), || {
            found = self.found(css).ok();
            found.is_some()
        });
        found.expect("it was waited for")
    }

    pub fn has(&self, css: &str) -> bool {
        self.found(css).is_ok()
    }

    /// The text of an element as people see it.
    pub fn text(&self, css: &str) -> String {
        let text =
            self.found(css).and_then(|id| self.ask("GET", &format!("element/{id}/text"), None));
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// What the whole page says.
    pub fn says(&self, words: &str) -> bool {
        self.text("body").contains(words)
    }

    /// A property of an element as it is now, e.g. the `value` of a field.
    pub fn property(&self, css: &str, name: &str) -> String {
        let id = self.element(css);
        self.get(&format!("element/{id}/property/{name}")).as_str().unwrap_or_default().to_owned()
    }

    pub fn click(&self, css: &str) {
        self.note_secrets();
        let id = self.element(css);
        self.post(&format!("element/{id}/click"), &json!({}));
    }

    /// Follows the link that reads so.
    pub fn follow(&self, words: &str) {
        let link = json!({"using": "partial link text", "value": words});
        let found = self.post("element", &link);
        let id = found[ELEMENT].as_str().expect("an element has an id");
        self.post(&format!("element/{id}/click"), &json!({}));
    }

    /// Writes into a field, in place of what it held.
    pub fn write(&self, css: &str, text: &str) {
        let id = self.element(css);
        if self.property(css, "type") == "password" {
            self.keep_secret("a password", text.trim_end_matches(ENTER));
        }
        self.post(&format!("element/{id}/clear"), &json!({}));
        self.post(&format!("element/{id}/value"), &json!({ "text": text }));
    }

    /// Chooses a file to send.
    pub fn attach(&self, css: &str, path: &Path) {
        let id = self.element(css);
        let path = path.to_str().expect("a path of ours is UTF-8");
        self.post(&format!("element/{id}/value"), &json!({ "text": path }));
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub fn press(&self, keys: &str) {
        self.note_secrets();
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.post("actions", &json!({"actions": [keyboard]}));
    }

    /// Waits until `ready`; shows the page when that does not come about.
    pub fn wait(&self, what: &str, ready: impl FnMut() -> bool) {
        let _page = Shown(self);
        wait_for(what, 60, ready);
        self.note_secrets();
    }

    /// Notes what must be nowhere but in this browser: its cookies, and the tokens of the forms it
    /// shows.
    fn note_secrets(&self) {
        // On a page between two there is nothing to note.
        let cookies = self.ask("GET", "cookie", None).unwrap_or_default();
        for cookie in cookies.as_array().into_iter().flatten() {
            let value = cookie["value"].as_str().unwrap_or_default();
            match cookie["name"].as_str().unwrap_or_default() {
                "guichet" => self.keep_secret("a session", value),
                "guichet-form" => self.keep_secret("a form", value),
                _ => {}
            }
        }
        let tokens =
            "return [...document.querySelectorAll('input[name=form]')].map((one) => one.value)";
        let tokens = self.ask("POST", "execute/sync", Some(&json!({"script": tokens, "args": []})));
        for token in tokens.unwrap_or_default().as_array().into_iter().flatten() {
            self.keep_secret("a form", token.as_str().unwrap_or_default());
        }
    }

    /// Notes something that its user knows and nobody else may.
    pub fn keep_secret(&self, kind: &'static str, secret: &str) {
        self.secrets.borrow_mut().add(kind, secret);
    }

    /// What it was given and what was written into it that must be nowhere else.
    pub fn secrets(&self) -> Secrets {
        self.note_secrets();
        self.secrets.borrow().clone()
    }

    /// Waits until the page's address ends so.
    pub fn wait_to_be_at(&self, end: &str) {
        self.wait(&format!("a page at {end}"), || {
            let url = self.url();
            url.split(['?', '#']).next().is_some_and(|path| path.ends_with(end))
        });
    }

    /// Loads the page again until it says this.
    pub fn wait_reloading(&self, words: &str) {
        self.wait(&format!("the words `{words}`"), || {
            if self.says(words) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(300));
            self.reload();
            false
        });
    }

    /// What a script answers.
    pub fn script(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    /// What a script hands to its last argument, a function.
    pub fn late_script(&self, script: &str) -> Value {
        self.post("execute/async", &json!({"script": script, "args": []}))
    }

    /// The complaints of the browser since it was last asked: files that were missing, what the
    /// content security policy forbade.
    pub fn complaints(&self) -> Vec<String> {
        // For a picture by itself it looks for an icon, some time; a page in a sandbox is of no site.
        const OF_ITS_OWN: &str = "/favicon.ico - Failed to load resource: \
                                  net::ERR_BLOCKED_BY_RESPONSE.NotSameOrigin";
        let entries = self.post("se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")))
            .filter_map(|entry| entry["message"].as_str().map(str::to_owned))
            .filter(|message| !message.ends_with(OF_ITS_OWN))
            .collect()
    }

    pub fn set_scheme(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Dark => "dark",
            Scheme::Light => "light",
        };
        let feature = json!({"name": "prefers-color-scheme", "value": value});
        self.command("Emulation.setEmulatedMedia", &json!({"features": [feature]}));
    }

    pub fn width(&self) -> Width {
        self.width
    }

    pub fn set_width(&mut self, width: Width) {
        self.width = width;
        let (width, height, is_mobile) = match width {
            Width::Desk => (1280, 900, false),
            Width::Phone => (360, 740, true),
            Width::Smallest => (320, 640, true),
        };
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_mobile});
        self.command("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// The whole page as a PNG.
    pub fn picture(&self) -> Vec<u8> {
        let size = self.command("Page.getLayoutMetrics", &json!({}));
        let size = &size["cssContentSize"];
        let clip =
            json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let params = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let picture = self.command("Page.captureScreenshot", &params);
        let text = picture["data"].as_str().expect("a picture is base64");
        base64::engine::general_purpose::STANDARD.decode(text).expect("a picture is base64")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends Chromium; what stays is ended with chromedriver.
        let _ = self.driver.ask("DELETE", &format!("/session/{}", self.session), None);
    }
}

/// Shows where the browser is when a test fails meanwhile.
struct Shown<'a>(&'a Browser);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let url = self.0.ask("GET", "url", None).unwrap_or_default();
            eprintln!("the browser is at {url} and shows:\n{}", self.0.text("body"));
        }
    }
}
