//! Which database `store.url` names, and whether a server is on this machine.

use crate::config::values::Misread;

/// A database, as `store.url` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database<'a> {
    Postgres {
        url: &'a str,
        whereabouts: Whereabouts,
    },
    /// The file, as written after `sqlite:`.
    Sqlite(&'a str),
}

/// Whether a server is on this machine, as far as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    Elsewhere,
    Here,
}

/// The database that `text` names.
pub fn store(text: &str) -> Result<Database<'_>, Misread> {
    const HINT: &str = "write `\"sqlite:guichet.db\"`, a file in the state folder, or \
                        `\"postgres://user@host/database\"`";
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    match scheme {
        "sqlite" if rest.is_empty() || rest.starts_with([':', '?']) => {
            Err(Misread::new(format!("`{text}` names no file"), HINT))
        }
        "sqlite" => Ok(Database::Sqlite(rest.strip_prefix("//").unwrap_or(rest))),
        "postgres" | "postgresql" => postgres(text),
        // Not the text itself: it may hold a password.
        _ => Err(Misread::new("this is no database guichet knows", HINT)),
    }
}

// Nothing of the text is repeated: it may hold a password.
fn postgres(url: &str) -> Result<Database<'_>, Misread> {
    const HINT: &str = "write it as `\"postgres://guichet@db.example.com/guichet\"`";
    let config: ::postgres::Config = url
        .parse()
        .map_err(|_| Misread::new("this is no address of a PostgreSQL database", HINT))?;
    if config.get_password().is_some() {
        let hint = "take it out and set `store.password`, where it can stand in a file of its own";
        return Err(Misread::new("the address of the database holds a password", hint));
    }
    if url.contains("sslmode") {
        let hint = "take it out and set `store.tls`, which also sees to the certificate";
        return Err(Misread::new("the address of the database holds an `sslmode`", hint));
    }
    if config.get_hosts().is_empty() {
        return Err(Misread::new("the address of the database names no server", HINT));
    }
    if config.get_dbname().is_none_or(str::is_empty) {
        return Err(Misread::new("the address names no database on the server", HINT));
    }
    let is_elsewhere = config.get_hosts().iter().any(|server| match server {
        ::postgres::config::Host::Tcp(name) => whereabouts(name) == Whereabouts::Elsewhere,
        ::postgres::config::Host::Unix(_) => false,
    });
    let whereabouts = if is_elsewhere { Whereabouts::Elsewhere } else { Whereabouts::Here };
    Ok(Database::Postgres { url, whereabouts })
}

/// Where a server of this name or address is; a name that leads here by this machine's own tables
/// only counts as elsewhere.
pub fn whereabouts(host: &str) -> Whereabouts {
    let ip = host.parse::<std::net::IpAddr>();
    if host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback()) {
        Whereabouts::Here
    } else {
        Whereabouts::Elsewhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_file_of_sqlite_or_a_database_of_postgresql() {
        assert_eq!(store("sqlite:guichet.db"), Ok(Database::Sqlite("guichet.db")));
        assert_eq!(store("sqlite:///var/x.db"), Ok(Database::Sqlite("/var/x.db")));
        for (url, expected) in [
            ("postgres://g@db.example.com/g", Whereabouts::Elsewhere),
            ("postgresql://g@127.0.0.1:5433/g?options=-csearch_path%3Da", Whereabouts::Here),
            ("postgres://g@localhost/g", Whereabouts::Here),
            ("postgres://g@localhost,db.example.com/g", Whereabouts::Elsewhere),
            ("postgres://g@%2Frun%2Fpostgresql/g", Whereabouts::Here),
        ] {
            let Ok(Database::Postgres { whereabouts, .. }) = store(url) else { panic!("{url}") };
            assert_eq!(whereabouts, expected, "{url}");
        }
        for bad in [
            "",
            "guichet.db",
            "sqlite:",
            "sqlite::memory:",
            "postgres://u:secret@h/d",
            "postgres://u@h/d?password=secret",
            "postgres://u@h/d?sslmode=disable",
            "postgres://u@h:secret/d",
            "postgres://u@h",
            "postgres:///d",
            "mysql:x",
        ] {
            let misread = store(bad).expect_err(bad);
            assert!(!format!("{misread:?}").contains("secret"), "{bad}: {misread:?}");
        }
    }
}
