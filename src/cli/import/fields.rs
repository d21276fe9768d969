//! What the columns of a table can be, and by which names they are known: everywhere, and in the
//! programs that tables come from.

use super::Profile;

/// What a column can be, with the names it is known by: without spaces and signs, in lower case.
pub(super) struct Field {
    pub name: &'static str,
    known_as: &'static [&'static str],
    atera: &'static [&'static str],
    freshdesk: &'static [&'static str],
    logmein_resolve: &'static [&'static str],
    zammad: &'static [&'static str],
}

const NOTHING: Field = Field {
    name: "",
    known_as: &[],
    atera: &[],
    freshdesk: &[],
    logmein_resolve: &[],
    zammad: &[],
};

/// What a user can be imported with.
pub(super) const USERS: &[Field] = &[
    Field {
        name: "email",
        known_as: &["email", "emailaddress", "mail", "primaryemail", "workemail", "adresseemail"],
        atera: &["email", "emailaddress"],
        freshdesk: &["email"],
        logmein_resolve: &["email", "emailaddress"],
        zammad: &["email"],
    },
    Field {
        name: "addresses",
        known_as: &["addresses", "otheremails", "additionalemails", "secondaryemail", "emails"],
        atera: &["additionalemails", "additionalemailaddresses"],
        freshdesk: &["otheremails", "additionalemails"],
        ..NOTHING
    },
    Field {
        name: "first_name",
        known_as: &["firstname", "givenname", "forename", "prénom", "prenom", "vorname"],
        atera: &["firstname"],
        freshdesk: &["firstname"],
        logmein_resolve: &["firstname"],
        zammad: &["firstname"],
    },
    Field {
        name: "last_name",
        known_as: &["lastname", "surname", "familyname", "nomdefamille", "nachname"],
        atera: &["lastname"],
        freshdesk: &["lastname"],
        logmein_resolve: &["lastname"],
        zammad: &["lastname"],
    },
    Field {
        name: "name",
        known_as: &["name", "fullname", "displayname", "contactname", "nomcomplet"],
        atera: &["name", "fullname", "contactname"],
        freshdesk: &["name", "fullname"],
        logmein_resolve: &["name", "fullname"],
        ..NOTHING
    },
    Field {
        name: "site",
        known_as: &[
            "site",
            "sitename",
            "company",
            "companyname",
            "customer",
            "customername",
            "organization",
            "organisation",
            "organizationname",
            "client",
            "firma",
            "société",
        ],
        atera: &["customername", "customer", "sitename", "site"],
        freshdesk: &["company", "companyname"],
        logmein_resolve: &["company", "companyname", "organization"],
        zammad: &["organization", "organisation"],
    },
    Field { name: "access", known_as: &["access"], ..NOTHING },
    Field { name: "status", known_as: &["status", "active"], zammad: &["active"], ..NOTHING },
    Field {
        name: "phone",
        known_as: &[
            "phone",
            "phonenumber",
            "workphone",
            "businessphone",
            "telephone",
            "téléphone",
            "telefon",
        ],
        atera: &["phone", "phonenumber"],
        freshdesk: &["phone", "workphone"],
        logmein_resolve: &["phone", "phonenumber", "workphone"],
        zammad: &["phone"],
    },
    Field {
        name: "mobile",
        known_as: &["mobile", "mobilephone", "mobilenumber", "cellphone", "cell", "handy"],
        atera: &["mobilephone", "mobile"],
        freshdesk: &["mobile", "mobilephone"],
        logmein_resolve: &["mobile", "mobilephone"],
        zammad: &["mobile"],
    },
    Field {
        name: "department",
        known_as: &["department", "dept", "abteilung"],
        atera: &["department"],
        freshdesk: &["department"],
        logmein_resolve: &["department"],
        zammad: &["department"],
    },
    Field {
        name: "job_title",
        known_as: &["jobtitle", "position", "fonction"],
        atera: &["jobtitle"],
        freshdesk: &["title", "jobtitle"],
        logmein_resolve: &["jobtitle", "title"],
        ..NOTHING
    },
    Field { name: "agent", known_as: &["agent"], ..NOTHING },
    Field {
        name: "locale",
        known_as: &["locale", "language", "preferredlanguage", "langue", "sprache"],
        freshdesk: &["language"],
        logmein_resolve: &["language", "preferredlanguage"],
        ..NOTHING
    },
    Field { name: "tickets", known_as: &["tickets"], ..NOTHING },
];

/// What a site can be imported with.
pub(super) const SITES: &[Field] = &[
    Field {
        name: "name",
        known_as: &[
            "name",
            "site",
            "sitename",
            "company",
            "companyname",
            "customer",
            "customername",
            "organization",
            "organisation",
        ],
        atera: &["customername", "name"],
        freshdesk: &["name", "companyname"],
        logmein_resolve: &["name", "companyname", "company"],
        zammad: &["name"],
    },
    Field {
        name: "domains",
        known_as: &["domains", "domain", "emaildomains"],
        atera: &["domains", "domain"],
        freshdesk: &["domains", "domainsforthiscompany"],
        logmein_resolve: &["domains", "domain"],
        zammad: &["domain"],
    },
    Field { name: "addresses", known_as: &["addresses"], ..NOTHING },
    Field { name: "primary_users", known_as: &["primaryusers", "primaryuser"], ..NOTHING },
    Field { name: "locale", known_as: &["locale", "language"], ..NOTHING },
    Field {
        name: "phone",
        known_as: &["phone", "phonenumber", "telephone"],
        atera: &["phone"],
        logmein_resolve: &["phone"],
        ..NOTHING
    },
    Field { name: "credentials", known_as: &["credentials"], ..NOTHING },
];

impl Field {
    /// The names that a column of it has in this program; anywhere when none is named.
    pub fn names(&self, profile: Option<Profile>) -> &'static [&'static str] {
        match profile {
            None => self.known_as,
            Some(Profile::Atera) => self.atera,
            Some(Profile::Freshdesk) => self.freshdesk,
            Some(Profile::LogmeinResolve) => self.logmein_resolve,
            Some(Profile::Zammad) => self.zammad,
        }
    }
}
