//! Folders on servers: positions that move on, UIDs that are owed, mailboxes that are set back.

use guichet::args;
use guichet::intake::imap::rewind;
use guichet::store::renumbered::{self, Cause};
use guichet::store::spool::{self, Origin, Series};
use guichet::store::uids::{self, OwedUid};
use guichet::store::{audit, mailboxes};

use crate::support::{Place, at, count, read, write};

pub fn an_owed_uid_counts_its_attempts_until_it_is_forgiven_e_02(place: &Place) {
    let store = place.open();
    for said in ["nothing", "no"] {
        write(&store, move |sql| {
            let owed: Vec<_> = [7, u32::MAX].map(|uid| (uid, said.to_owned())).into();
            uids::owe(sql, "support", &owed, at(1))?;
            uids::owe(sql, "other", &owed[..1], at(1))
        });
    }
    write(&store, |sql| uids::forgive(sql, "support", &[7, 9]));
    let owed = read(&store, |sql| uids::owed(sql, "support"));
    assert_eq!(owed, [OwedUid { uid: u32::MAX, attempts: 2, said: "no".to_owned() }]);
    write(&store, |sql| uids::forgive_all(sql, "support"));
    assert!(read(&store, |sql| uids::owed(sql, "support")).is_empty());
    assert_eq!(read(&store, |sql| uids::owed(sql, "other")).len(), 1);
}

pub fn a_position_moves_on_only_from_where_it_was_left(place: &Place) {
    let store = place.open();
    assert_eq!(read(&store, |sql| mailboxes::standing(sql, "support")), None);
    write(&store, |sql| {
        mailboxes::begin(sql, "support", "support@desk.example", at(5))?;
        mailboxes::set_position(sql, "support", "uid/1/0")
    });
    let advance = |from, to| write(&store, move |sql| mailboxes::advance(sql, "support", from, to));
    assert!(advance("uid/1/0", "uid/1/64"));
    assert!(!advance("uid/1/0", "uid/1/128"), "somebody moved it meanwhile");
    let standing = read(&store, |sql| mailboxes::standing(sql, "support"));
    assert_eq!(standing, Some((at(5), Some("uid/1/64".to_owned()))));
}

pub fn what_was_left_alone_is_read_after_a_rewind(place: &Place) {
    let store = place.open();
    assert_eq!(rewind(&store, "support", at(0)).expect("it runs"), None, "it was never seen");
    let ids = place.ids.clone();
    write(&store, move |sql| {
        mailboxes::begin(sql, "support", "support@desk.example", at(50))?;
        mailboxes::set_position(sql, "support", "uid/1/300/301/start")?;
        let old: Vec<_> = (1..=300)
            .map(|uid| (Origin::Uid { series: Series::of(1), uid }, at(i64::from(uid))))
            .collect();
        spool::skip(sql, "support", &old, at(50), &ids)
    });
    assert_eq!(read(&store, |sql| spool::arrivals(sql, "support")).len(), 300);
    assert_eq!(rewind(&store, "support", at(11)).expect("it runs"), Some(290));
    let known = read(&store, |sql| {
        spool::known(sql, "support", &["uid/1/10".to_owned(), "uid/1/11".to_owned()])
    });
    assert_eq!(known.into_iter().collect::<Vec<_>>(), ["uid/1/10"]);
    let position = read(&store, |sql| mailboxes::standing(sql, "support"));
    assert_eq!(position, Some((at(50), Some("since/1800000011000/1/300".to_owned()))));
    assert_eq!(count(&store, "decision"), 10);
    assert!(read(&store, audit::audit).balance(), "the books balance");
}

pub fn the_highest_uid_is_that_of_its_series_p_09(place: &Place) {
    let store = place.open();
    let ids = place.ids.clone();
    let (first, second) = (Series::of(1), Series::of(1).next());
    write(&store, move |sql| {
        mailboxes::begin(sql, "support", "support@desk.example", at(50))?;
        let uids = [(first, 9), (first, 10), (second, 99), (Series::of(10), 7), (Series::of(2), 1)];
        let of = |(series, uid)| (Origin::Uid { series, uid }, at(i64::from(uid)));
        spool::skip(sql, "support", &uids.map(of), at(100), &ids)
    });
    let last = |mailbox, series| read(&store, |sql| spool::last_uid(sql, mailbox, series));
    assert_eq!(last("support", first), Some(10));
    assert_eq!(last("support", second), Some(99));
    assert_eq!(last("support", second.next()), None);
    assert_eq!(last("other", first), None);
    let origins = ["uid/1/9", "uid/1.1/99", "uid/1/99"].map(str::to_owned);
    let seen = read(&store, |sql| spool::seen(sql, "support", &origins));
    let times: Vec<_> = origins.iter().map(|origin| seen.get(origin).map(|one| one.at)).collect();
    assert_eq!(times, [Some(at(9)), Some(at(99)), None]);
}

pub fn when_a_folder_was_read_again_is_remembered_for_a_while_p_09(place: &Place) {
    let store = place.open();
    for (time, cause) in [(1, Cause::Validity), (5, Cause::Reused), (9, Cause::Validity)] {
        write(&store, move |sql| renumbered::note(sql, "support", cause, at(time), at(time - 8)));
    }
    let times =
        |since, now| read(&store, move |sql| renumbered::times(sql, "support", at(since), at(now)));
    let (second, third) = ((at(5), Cause::Reused), (at(9), Cause::Validity));
    assert_eq!(times(0, 9), [second, third], "the first is forgotten");
    assert_eq!(times(5, 9), [third]);
    assert_eq!(times(0, 8), [second], "somebody set the clock back");
    let other = read(&store, |sql| renumbered::times(sql, "other", at(0), at(9)));
    assert!(other.is_empty());
}

pub fn a_maildir_that_is_rewound_keeps_its_position(place: &Place) {
    let store = place.open();
    write(&store, |sql| {
        mailboxes::begin(sql, "support", "support@desk.example", at(5))?;
        mailboxes::set_position(sql, "support", "started")
    });
    assert_eq!(rewind(&store, "support", at(0)).expect("it runs"), Some(0));
    let rows = read(&store, |sql| {
        sql.query("SELECT position FROM mailbox WHERE name = ?1", args!["support"])
    });
    assert_eq!(rows[0].text(0).expect("text"), "started");
}
