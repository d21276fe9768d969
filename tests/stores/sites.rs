//! Sites: declared, matched, matched again.

use guichet::mail::Address;
use guichet::store::sites::{self, DeclaredSite, Rematch, SiteChange};
use guichet::store::{Store, apply, users};
use guichet::triage::facts::SiteMatch;

use crate::support::{
    DEFAULT_SITE, Place, at, first_contact, gather, key, message, questions, read, site, write,
};

pub fn declared_sites_are_made_updated_and_retired(place: &Place) {
    let store = place.open();
    let contoso = site("Contoso", &["contoso.example", "contoso.fr.example"]);
    let nordwind = site("Nordwind", &["nordwind.example"]);
    let both = [contoso.clone(), nordwind.clone()];
    let made = reconcile(place, &store, &both);
    let created = |name: &str| SiteChange::Created(name.to_owned());
    assert_eq!(made, [created("Contoso"), created("Nordwind")]);
    assert!(reconcile(place, &store, &both).is_empty(), "nothing differs, nothing is written");
    // A domain moves from one site to the other, which takes its primary user too.
    let smaller = site("Contoso", &["contoso.example"]);
    let mut larger = site("Nordwind", &["nordwind.example", "contoso.fr.example"]);
    larger.primary_users = vec![key("it@nordwind.example")];
    larger.locale = Some("de".to_owned());
    let updated = |name: &str| SiteChange::Updated(name.to_owned());
    assert_eq!(
        reconcile(place, &store, &[smaller, larger.clone()]),
        [updated("Contoso"), updated("Nordwind")]
    );
    let shown = read(&store, |sql| sites::show(sql, "Nordwind")).expect("it is there");
    assert_eq!(shown.domains, ["contoso.fr.example", "nordwind.example"]);
    assert_eq!(shown.primary_users, ["it@nordwind.example"]);
    let primary = |from: &str| {
        matches(&store, from, &["nordwind.example"]).0.first().map(|site| site.sender_is_primary)
    };
    assert_eq!(primary("it@nordwind.example"), Some(true));
    assert_eq!(primary("hr@nordwind.example"), Some(false));
    let retired = reconcile(place, &store, &[larger]);
    assert_eq!(retired, [SiteChange::Retired("Contoso".to_owned())]);
    let shown = read(&store, |sql| sites::show(sql, "Contoso")).expect("it stays");
    assert!(shown.retired && shown.domains.is_empty());
    let (matched, _) = matches(&store, "a@contoso.example", &["contoso.example"]);
    assert!(matched.is_empty(), "it matches no more");
    assert_eq!(reconcile(place, &store, &[contoso, nordwind]).len(), 2, "and comes back");
}

pub fn the_best_match_comes_first_m_107_m_109_e_83(place: &Place) {
    let mut boss = site("Boss", &[]);
    boss.addresses = vec![key("boss@mail.contoso.example")];
    let store = place.open_with(&[
        site("Contoso", &["contoso.example"]),
        site("Mail", &["mail.contoso.example"]),
        boss,
    ]);
    let domains = ["mail.contoso.example", "contoso.example", "example"];
    let names = |from: &str| -> Vec<String> {
        matches(&store, from, &domains).0.into_iter().map(|site| site.name).collect()
    };
    assert_eq!(names("a@mail.contoso.example"), ["Mail", "Contoso"], "E-83");
    assert_eq!(names("boss@mail.contoso.example"), ["Boss", "Mail", "Contoso"]);
    let (matched, default) = matches(&store, "a@x.example", &["x.example"]);
    assert!(matched.is_empty());
    assert_eq!((default.name.as_str(), default.matched_by), (DEFAULT_SITE, SiteMatch::Default));
    assert!(default.is_default);
}

pub fn rematching_moves_only_whom_nobody_placed_m_110_e_88(place: &Place) {
    let store = place.open();
    for name in ["free", "placed", "elsewhere"] {
        let domain = if name == "elsewhere" { "other" } else { "contoso" };
        contact(place, &store, name, &format!("{name}@{domain}.example"));
    }
    let placed = user(&store, "placed@contoso.example");
    let default = placed.site.0.clone();
    write(&store, move |sql| {
        users::set(sql, &placed.id, &[users::Change::Site(default.clone())], at(1))
    });
    let unmatched = read(&store, sites::unmatched);
    assert_eq!(unmatched, [("contoso.example".to_owned(), 2), ("other.example".to_owned(), 1)]);
    reconcile(place, &store, &[site("Contoso", &["contoso.example"])]);
    let rematch = |how| {
        write(&store, move |sql| {
            let domains = |address: &Address| vec![address.domain().to_owned()];
            sites::rematch(sql, &domains, how, at(2))
        })
    };
    let dry = rematch(Rematch::Dry);
    assert_eq!(dry.len(), 1);
    assert_eq!((dry[0].address.as_str(), dry[0].to.as_str()), ("free@contoso.example", "Contoso"));
    assert_eq!(rematch(Rematch::Apply), dry);
    assert!(rematch(Rematch::Apply).is_empty());
    assert_eq!(user(&store, "free@contoso.example").site.1, "Contoso");
    assert_eq!(user(&store, "placed@contoso.example").site.1, DEFAULT_SITE);
}

pub fn a_renamed_default_takes_its_users_along(place: &Place) {
    let store = place.open();
    contact(place, &store, "free", "free@contoso.example");
    let ids = place.ids.clone();
    write(&store, move |sql| sites::reconcile(sql, &[], &["Elsewhere", "Printers"], &ids, at(1)));
    assert_eq!(user(&store, "free@contoso.example").site.1, "Elsewhere");
    let old = read(&store, |sql| sites::show(sql, DEFAULT_SITE)).expect("tickets stay there");
    assert!(old.retired && !old.is_default);
    assert_eq!(old.tickets, 1);
}

fn reconcile(place: &Place, store: &Store, declared: &[DeclaredSite]) -> Vec<SiteChange> {
    let (declared, ids) = (declared.to_vec(), place.ids.clone());
    write(store, move |sql| sites::reconcile(sql, &declared, &[DEFAULT_SITE], &ids, at(0)))
}

fn matches(
    store: &Store,
    from: &str,
    domains: &[&str],
) -> (Vec<guichet::triage::facts::SiteFacts>, guichet::triage::facts::SiteFacts) {
    let domains: Vec<String> = domains.iter().map(|domain| (*domain).to_owned()).collect();
    read(store, |sql| sites::matches(sql, &key(from), &domains, DEFAULT_SITE))
}

fn contact(place: &Place, store: &Store, name: &str, from: &str) {
    let claim = place.receive(store, name, 0);
    let (message, ids) = (message(name, from), place.ids.clone());
    write(store, move |sql| {
        let facts = gather(sql, &questions(&message), &claim, 0);
        apply::apply(sql, &first_contact(&message, &facts), Some(&message), &claim, &ids, at(0))
    });
}

fn user(store: &Store, from: &str) -> users::User {
    read(store, |sql| users::show(sql, from)).expect("the user is there")
}
