//! Users as tests need them.

use guichet::mail::Address;
use guichet::mail::address::PlusTag;
use guichet::store::users::Addition;
use guichet::triage::facts::CredentialsState;
use guichet::triage::policy::Access;

/// A user made by hand, of limited access and without credentials, with these addresses, at the site
/// of this id.
pub fn added(addresses: &[&str], first_name: &str, site: &str) -> Addition {
    let addresses = addresses.iter().map(|written| {
        let address = Address::parse(written).expect("an address");
        let key = address.key(PlusTag::Strip);
        (address, key)
    });
    Addition {
        addresses: addresses.collect(),
        first_name: first_name.to_owned(),
        last_name: "Test".to_owned(),
        derived: false,
        access: Access::Limited,
        site: site.to_owned(),
        site_placed: false,
        phone: None,
        mobile: None,
        department: None,
        job_title: None,
        agent: None,
        locale: None,
        no_tickets: false,
        credentials: CredentialsState::NotDue,
        made_by: "hand",
    }
}
