//! What the configuration takes from the surroundings: environment variables, handed in so that a
//! test decides them, and the folders where guichet looks by default.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The environment variables the configuration may read.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    vars: BTreeMap<String, String>,
}

impl Environment {
    /// The variables of this process; those that are not UTF-8 count as unset.
    pub fn of_process() -> Environment {
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Environment { vars }
    }

    /// Exactly these variables.
    pub fn of<const N: usize>(vars: [(&str, &str); N]) -> Environment {
        let vars = vars.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Environment { vars }
    }

    /// No variable at all.
    pub fn empty() -> Environment {
        Environment::default()
    }

    /// The value of a variable; an empty one counts.
    pub fn var(&self, name: &str) -> Option<String> {
        self.vars.get(name).cloned()
    }

    /// Where the main file is looked for when nobody names one, in this order.
    pub fn default_files(&self) -> Vec<PathBuf> {
        let own = self.folder("XDG_CONFIG_HOME", ".config");
        let own = own.map(|folder| folder.join("guichet/guichet.toml"));
        [Some(PathBuf::from("/etc/guichet/guichet.toml")), own].into_iter().flatten().collect()
    }

    /// The state folder of a main file that names none: `/var/lib/guichet` for one below `/etc`,
    /// else the user's own.
    pub fn default_state(&self, main: &Path) -> PathBuf {
        let own = self.folder("XDG_STATE_HOME", ".local/state");
        match own {
            Some(folder) if !main.starts_with("/etc") => folder.join("guichet"),
            _ => PathBuf::from("/var/lib/guichet"),
        }
    }

    fn folder(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let set = |name: &str| self.var(name).filter(|value| value.starts_with('/'));
        set(variable)
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| Path::new(&home).join(below_home)))
    }
}
