//! Which column of a table is what: by its name, or as `--map` says.

use anyhow::Result;
use unicode_normalization::UnicodeNormalization;

use super::Profile;
use super::fields::{EITHER, Field};
use super::table::Row;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::escape;
use crate::config;

/// The columns of a table that mean something.
pub(super) struct Columns {
    /// Each field with the place of its column and the name of that.
    found: Vec<(&'static str, usize, String)>,
    ignored: Vec<String>,
    width: usize,
}

impl Columns {
    /// Finds them in the header row.
    pub fn find(
        header: &[String],
        fields: &'static [Field],
        profile: Option<Profile>,
        maps: &[String],
    ) -> Result<Columns> {
        let maps =
            maps.iter().map(|map| mapped(map, header, fields)).collect::<Result<Vec<_>>>()?;
        let mut columns = Columns { found: Vec::new(), ignored: Vec::new(), width: header.len() };
        for (at, name) in header.iter().enumerate() {
            let field = match maps.iter().find(|(place, _)| *place == at) {
                Some((_, field)) => *field,
                None => {
                    let plain = plain(name);
                    let is_it = |field: &&Field| field.names(profile).contains(&plain.as_str());
                    let found = fields.iter().find(is_it).map(|field| field.name);
                    // What is said by hand goes before what is known by its name.
                    found.filter(|field| maps.iter().all(|(_, mapped)| *mapped != Some(*field)))
                }
            };
            match field {
                None => columns.ignored.push(name.clone()),
                Some(field) => columns.add(field, at, name)?,
            }
        }
        columns.part_names();
        columns.must_suffice(header, fields)?;
        Ok(columns)
    }

    fn add(&mut self, field: &'static str, at: usize, name: &str) -> Result<()> {
        if let Some((_, _, other)) = self.found.iter().find(|(found, _, _)| *found == field) {
            return Err(failure(
                Exit::Usage,
                format!(
                    "the columns `{0}` and `{1}` are both `{field}`\nhint: say which with `--map '{0}={field}'`, or leave one out with `--map '{1}=-'`",
                    escape(other),
                    escape(name)
                ),
            ));
        }
        self.found.push((field, at, name.to_owned()));
        Ok(())
    }

    // A word that may mean the whole name means the part that has no column, when the other has one.
    fn part_names(&mut self) {
        let of = |field| self.found.iter().find(|(found, _, _)| *found == field);
        let part = match (of("first_name"), of("last_name")) {
            (Some(_), None) => "last_name",
            (None, Some(_)) => "first_name",
            _ => return,
        };
        // In German alone it is usual to write `Name` beside `Vorname`.
        let is_german = of("first_name").is_some_and(|(_, _, name)| plain(name) == "vorname");
        let may_be_part =
            |written: &str| EITHER.contains(&written) || is_german && written == "name";
        for (field, _, written) in &mut self.found {
            if *field == "name" && may_be_part(&plain(written)) {
                *field = part;
            }
        }
    }

    // By the first field a row is recognised.
    fn must_suffice(&self, header: &[String], fields: &'static [Field]) -> Result<()> {
        let key = fields[0].name;
        if self.found.iter().any(|(found, _, _)| *found == key) {
            return Ok(());
        }
        Err(failure(
            Exit::Input,
            format!(
                "no column is `{key}`: there are {}\nhint: say which one it is, e.g. `--map '{}={key}'`",
                header
                    .iter()
                    .map(|name| format!("`{}`", escape(name)))
                    .collect::<Vec<_>>()
                    .join(", "),
                header.first().map(|name| escape(name)).unwrap_or_default()
            ),
        ))
    }

    /// What stands in the column of `field`; none when there is no such column.
    pub fn cell<'a>(&self, row: &'a Row, field: &str) -> Option<&'a str> {
        let (_, at, _) = self.found.iter().find(|(found, _, _)| *found == field)?;
        Some(row.cells.get(*at).map_or("", String::as_str))
    }

    /// How many cells a row may have.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Which column is what, in words.
    pub fn said(&self) -> String {
        let found = self.found.iter().map(|(field, _, name)| match name == field {
            true => format!("`{field}`"),
            false => format!("`{}` as `{field}`", escape(name)),
        });
        let mut said = format!("columns: {}", found.collect::<Vec<_>>().join(", "));
        if !self.ignored.is_empty() {
            let ignored = self.ignored.iter().map(|name| format!("`{}`", escape(name)));
            said.push_str(&format!("; left out: {}", ignored.collect::<Vec<_>>().join(", ")));
        }
        said
    }
}

/// A `--map`: the place of the column, and what it is.
fn mapped(
    map: &str,
    header: &[String],
    fields: &'static [Field],
) -> Result<(usize, Option<&'static str>)> {
    let refuse = |said: String, hint: String| {
        Err(failure(Exit::Usage, format!("`--map {}`: {said}\nhint: {hint}", escape(map))))
    };
    let Some((column, field)) = map.rsplit_once('=') else {
        return refuse("it has no `=`".to_owned(), "write `COLUMN=FIELD`".to_owned());
    };
    let field = field.trim();
    let Some(at) = header.iter().position(|name| plain(name) == plain(column)) else {
        let known = config::nearest(column.trim(), header.iter().map(String::as_str));
        let hint = match known {
            Some(nearest) => format!("did you mean `{}`?", escape(nearest)),
            None => format!("it has {}", escape(&header.join(", "))),
        };
        return refuse("the table has no such column".to_owned(), hint);
    };
    if field == "-" {
        return Ok((at, None));
    }
    let names = fields.iter().map(|field| field.name);
    match names.clone().find(|name| *name == field.replace('-', "_")) {
        Some(name) => Ok((at, Some(name))),
        None => refuse(
            format!("there is no field `{}`", escape(field)),
            format!("the fields are {}", names.collect::<Vec<_>>().join(", ")),
        ),
    }
}

/// A name without its spaces, signs, accents and case: `E-Mail` and `e mail` are `email`.
pub(super) fn plain(name: &str) -> String {
    name.nfkd().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fields::{SITES, USERS};
    use super::*;

    fn header(names: &str) -> Vec<String> {
        names.split(',').map(str::to_owned).collect()
    }

    fn said(names: &str, profile: Option<Profile>, maps: &[&str]) -> String {
        let maps: Vec<String> = maps.iter().map(|map| (*map).to_owned()).collect();
        match Columns::find(&header(names), USERS, profile, &maps) {
            Ok(columns) => columns.said(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn columns_are_known_by_their_names() {
        assert_eq!(
            said("E-Mail,First Name,NACHNAME,Fax", None, &[]),
            "columns: `E-Mail` as `email`, `First Name` as `first_name`, `NACHNAME` as `last_name`; left out: `Fax`"
        );
        for (profile, names, field) in [
            (
                Profile::Atera,
                "Customer Name,First Name,Last Name,Email,Job Title",
                "`Customer Name` as `site`",
            ),
            (
                Profile::Freshdesk,
                "Full name,Title,Email,Work phone,Company",
                "`Title` as `job_title`",
            ),
            (Profile::LogmeinResolve, "First name,Last name,Email,Company", "`Company` as `site`"),
            (
                Profile::Zammad,
                "login,firstname,lastname,email,organization,active",
                "`active` as `status`",
            ),
        ] {
            assert!(
                said(names, Some(profile), &[]).contains(field),
                "{}",
                said(names, Some(profile), &[])
            );
        }
        assert!(said("email,name", Some(Profile::Zammad), &[]).contains("left out: `name`"));
    }

    #[test]
    fn columns_are_known_in_seven_languages() {
        for (names, expected) in [
            (
                "E-Mail-Adresse;Vorname;Name;Firma;Rufnummer;Mobiltelefon;Sprache",
                "email first_name last_name site phone mobile locale",
            ),
            (
                "E-mail;Prénom;Nom;Société;Téléphone;Portable;Service;Fonction",
                "email first_name last_name site phone mobile department job_title",
            ),
            ("Adresse e-mail;Nom;Entreprise", "email name site"),
            (
                "Correo electrónico;Nombre;Apellidos;Empresa;Teléfono;Móvil;Departamento;Cargo",
                "email first_name last_name site phone mobile department job_title",
            ),
            ("Correo;Nombre", "email name"),
            (
                "Indirizzo e-mail;Nome;Cognome;Azienda;Telefono;Cellulare;Reparto;Ruolo",
                "email first_name last_name site phone mobile department job_title",
            ),
            (
                "E-mailadres;Voornaam;Achternaam;Bedrijf;Telefoon;Mobiel;Afdeling;Functie;Taal",
                "email first_name last_name site phone mobile department job_title locale",
            ),
            (
                "E-mail;NOME;Sobrenome;Empresa;Telefone;Telemóvel;Função;Idioma",
                "email first_name last_name site phone mobile job_title locale",
            ),
            ("email;first name;last name;nom", "email first_name last_name name"),
            ("email;first name;name", "email first_name name"),
            ("e\u{301}mail;pre\u{301}nom;nom", "email first_name last_name"),
        ] {
            let header: Vec<String> = names.split(';').map(str::to_owned).collect();
            let columns = Columns::find(&header, USERS, None, &[]).expect("it has an address");
            let found: Vec<&str> = columns.found.iter().map(|(field, _, _)| *field).collect();
            assert_eq!(found.join(" "), expected, "{names}");
        }
    }

    #[test]
    fn no_name_stands_for_two_fields() {
        for fields in [USERS, SITES] {
            let mut names: Vec<&str> =
                fields.iter().flat_map(|one| one.names(None)).copied().collect();
            assert!(names.iter().all(|name| plain(name) == **name), "{names:?}");
            names.sort_unstable();
            assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
        }
    }

    #[test]
    fn what_is_said_by_hand_goes_before() {
        assert_eq!(
            said("Mail,Other mail,Phone", None, &["other MAIL=email", "Phone=-"]),
            "columns: `Other mail` as `email`; left out: `Mail`, `Phone`"
        );
        for (maps, problem) in [
            (&["Mail"][..], "it has no `=`"),
            (&["Mial=email"], "did you mean `Mail`?"),
            (&["Mail=adress"], "there is no field `adress`"),
            (&["Mail=-"], "no column is `email`"),
        ] {
            assert!(
                said("Mail,Fax", None, maps).contains(problem),
                "{}",
                said("Mail,Fax", None, maps)
            );
        }
        assert!(said("email,phone,work phone", None, &[]).contains("are both `phone`"));
    }
}
