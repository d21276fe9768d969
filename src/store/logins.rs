//! Logins that the servers of mailboxes refused, remembered beyond the process that tried them (P-21).

use jiff::Timestamp;

use super::{Sql, StoreError};
use crate::args;

/// When logins of a mailbox were refused since `since`, the oldest first. `login` tells one username
/// and password from another: what was refused of the one says nothing of a corrected one. What was
/// refused after `now` was so before somebody set the clock back, nobody knows when (P-11).
pub fn refused(
    sql: &mut dyn Sql,
    mailbox: &str,
    login: u8,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let rows = sql.query(
        "SELECT refused_at FROM refused_login \
         WHERE mailbox = ?1 AND login = ?2 AND refused_at > ?3 AND refused_at <= ?4 \
         ORDER BY refused_at",
        args![mailbox, u32::from(login), since, now],
    )?;
    rows.iter().map(|row| row.time(0)).collect()
}

/// Notes that a login was refused `now`, and forgets those until `since`.
pub fn refuse(
    sql: &mut dyn Sql,
    mailbox: &str,
    login: u8,
    now: Timestamp,
    since: Timestamp,
) -> Result<(), StoreError> {
    sql.execute(
        "DELETE FROM refused_login WHERE mailbox = ?1 AND refused_at <= ?2",
        args![mailbox, since],
    )?;
    sql.execute(
        "INSERT INTO refused_login (mailbox, refused_at, login) VALUES (?1, ?2, ?3) \
         ON CONFLICT (mailbox, refused_at) DO UPDATE SET login = excluded.login",
        args![mailbox, now, u32::from(login)],
    )
    .map(drop)
}
