//! The seam on one connection: `?1` becomes `$1`, statements are prepared once and kept, values go
//! and come in the types that the server says.

use std::error::Error;

use bytes::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::errors::{Reach, explain, reach};
use super::session::Session;
use crate::store::sql::count_statement;
use crate::store::{Dialect, Row, Sql, StoreError, Value};

/// A transaction in progress.
pub(super) struct On<'a> {
    pub session: &'a mut Session,
    pub place: &'a str,
    /// What the server refused, whatever the work made of it: nothing can follow in this
    /// transaction, or in this savepoint.
    pub failed: Option<(Reach, StoreError)>,
}

impl<'a> On<'a> {
    pub fn new(session: &'a mut Session, place: &'a str) -> On<'a> {
        On { session, place, failed: None }
    }

    /// Runs statements that take nothing and whose answers are not looked at.
    pub fn command(&mut self, sql: &str) -> Result<(), StoreError> {
        let done = self.session.client.batch_execute(sql);
        done.map_err(|error| self.note(&error, sql))
    }

    fn run<T>(
        &mut self,
        sql: &str,
        run: impl FnOnce(&mut Session) -> Result<T, postgres::Error>,
    ) -> Result<T, StoreError> {
        count_statement();
        run(self.session).map_err(|error| self.note(&error, sql))
    }

    fn note(&mut self, error: &postgres::Error, sql: &str) -> StoreError {
        let explained = explain(error, self.place, sql);
        if self.failed.is_none() {
            self.failed = Some((reach(error), explained.clone()));
        }
        explained
    }
}

impl Sql for On<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, StoreError> {
        self.run(sql, |session| {
            let statement = session.prepared(sql)?;
            session.client.execute(&statement, &parameters(args))
        })
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.run(sql, |session| {
            let statement = session.prepared(sql)?;
            session.client.query(&statement, &parameters(args))?.iter().map(row).collect()
        })
    }
}

/// A statement with the placeholders that PostgreSQL knows: `?1` becomes `$1`, but for what stands
/// in quotes.
pub(super) fn rewritten(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut quote = None;
    for c in sql.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            _ => {}
        }
        text.push(if c == '?' && quote.is_none() { '$' } else { c });
    }
    text
}

fn parameters(args: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    args.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn row(row: &postgres::Row) -> Result<Row, postgres::Error> {
    let values = (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>()?;
    Ok(Row { values })
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, ty) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(value), &Type::INT8) => value.to_sql(ty, out),
            (Value::Int(value), &Type::INT4) => i32::try_from(*value)?.to_sql(ty, out),
            (Value::Int(value), &Type::INT2) => i16::try_from(*value)?.to_sql(ty, out),
            (Value::Blob(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            (Value::Text(text), _) if <String as ToSql>::accepts(ty) => text.to_sql(ty, out),
            _ => Err(format!("the statement wants `{ty}` where it is given another kind").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Value, Box<dyn Error + Sync + Send>> {
        Ok(match *ty {
            Type::BOOL => Value::Int(i64::from(bool::from_sql(ty, raw)?)),
            Type::BYTEA => Value::Blob(raw.to_vec()),
            Type::INT2 => Value::Int(i64::from(i16::from_sql(ty, raw)?)),
            Type::INT4 => Value::Int(i64::from(i32::from_sql(ty, raw)?)),
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::NUMERIC => Value::Int(whole(raw).ok_or("it is no whole number of 64 bits")?),
            Type::VOID => Value::Null,
            _ => Value::Text(String::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Value, Box<dyn Error + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(ty: &Type) -> bool {
        const WHOLE: [Type; 7] = [
            Type::BOOL,
            Type::BYTEA,
            Type::INT2,
            Type::INT4,
            Type::INT8,
            Type::NUMERIC,
            Type::VOID,
        ];
        WHOLE.contains(ty) || <String as FromSql>::accepts(ty)
    }
}

// What a sum of BIGINTs comes as: the number of digits to the base 10000, the power of the first,
// the sign, the decimals to show, then the digits. Zeros at the end are left out.
fn whole(raw: &[u8]) -> Option<i64> {
    const NEGATIVE: i16 = 0x4000;
    let mut words = raw.chunks_exact(2).map(|two| i16::from_be_bytes([two[0], two[1]]));
    let (digits, weight, sign, _shown) =
        (words.next()?, words.next()?, words.next()?, words.next()?);
    if !matches!(sign, 0 | NEGATIVE) || digits > weight.checked_add(1)? {
        return None;
    }
    let mut number: i64 = 0;
    for _ in 0..=weight {
        let digit = words.next().unwrap_or(0);
        number = number.checked_mul(10_000)?.checked_add(i64::from(digit))?;
    }
    Some(if sign == NEGATIVE { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_those_of_postgresql_but_for_what_stands_in_quotes() {
        let sql = r#"SELECT '?1', "a?", 'it''s ?' FROM t WHERE a = ?1 AND b IN (?2, ?13)"#;
        let want = r#"SELECT '?1', "a?", 'it''s ?' FROM t WHERE a = $1 AND b IN ($2, $13)"#;
        assert_eq!(rewritten(sql), want);
        let like = r"LOWER(a) LIKE ?1 ESCAPE '\' AND b = ?2";
        assert_eq!(rewritten(like), r"LOWER(a) LIKE $1 ESCAPE '\' AND b = $2");
    }

    #[test]
    fn sums_are_whole_numbers() {
        let raw = |words: &[i16]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<_>>();
        for (words, want) in [
            (&[0, 0, 0, 0][..], Some(0)),
            (&[1, 0, 0, 0, 7], Some(7)),
            (&[1, 0, 0x4000, 0, 7], Some(-7)),
            // Zeros at the end are left out.
            (&[1, 2, 0, 0, 5], Some(500_000_000)),
            (&[2, 1, 0, 0, 12, 3456], Some(123_456)),
            // 1.5, not a number, and more than 64 bits.
            (&[2, 0, 0, 1, 1, 5000], None),
            (&[0, 0, -0x4000, 0], None),
            (&[1, 5, 0, 0, 9999], None),
            (&[1, 0], None),
        ] {
            assert_eq!(whole(&raw(words)), want, "{words:?}");
        }
    }
}
