//! The seam to the databases: one SQL, numbered `?1` placeholders, four kinds of value.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use super::StoreError;
use crate::mail::AddressKey;

/// One transaction on a database.
pub trait Sql {
    /// Which database it is, for the few statements that honestly differ.
    fn dialect(&self) -> Dialect;

    /// Runs a statement that returns nothing; answers how many rows it changed.
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, StoreError>;

    /// Runs a statement that returns rows, and collects them.
    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// The first row of a query, if there is one.
    fn query_one(&mut self, sql: &str, args: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, args)?.into_iter().next())
    }
}

static STATEMENTS: AtomicU64 = AtomicU64::new(0);

/// How many statements this process has run on its stores: to measure with, nothing rests on it.
pub fn statements_run() -> u64 {
    STATEMENTS.load(Ordering::Relaxed)
}

/// Called by each adapter for each statement of ours.
pub(super) fn count_statement() {
    STATEMENTS.fetch_add(1, Ordering::Relaxed);
}

/// The databases guichet knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Postgres,
    Sqlite,
}

/// What a column can hold. Times are unix milliseconds, booleans 0 or 1, ids text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Blob(Vec<u8>),
    Int(i64),
    Null,
    Text(String),
}

/// One row of an answer; columns are read by position.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) values: Vec<Value>,
}

impl Row {
    /// The number in a column.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.value(column)? {
            Value::Int(value) => Ok(*value),
            other => Err(self.unexpected(column, "a number", other)),
        }
    }

    /// The number in a column, `None` when it is null.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    /// Whether the number in a column is not 0.
    pub fn flag(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    /// The text in a column.
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        match self.value(column)? {
            Value::Text(value) => Ok(value.clone()),
            other => Err(self.unexpected(column, "text", other)),
        }
    }

    /// The text in a column, `None` when it is null.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// The bytes in a column.
    pub fn blob(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        match self.value(column)? {
            Value::Blob(value) => Ok(value.clone()),
            other => Err(self.unexpected(column, "bytes", other)),
        }
    }

    /// The bytes in a column, `None` when it is null.
    pub fn opt_blob(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            _ => self.blob(column).map(Some),
        }
    }

    /// The time in a column, in unix milliseconds.
    pub fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        let millis = self.int(column)?;
        Timestamp::from_millisecond(millis).map_err(|_| {
            self.unexpected(column, "a time in unix milliseconds", &Value::Int(millis))
        })
    }

    /// The time in a column, `None` when it is null.
    pub fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            _ => self.time(column).map(Some),
        }
    }

    /// Reads a column with `parse`, which knows the words that may stand there.
    pub fn parsed<T>(
        &self,
        column: usize,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| self.unexpected(column, expected, &Value::Text(text.clone())))
    }

    /// Says that a column does not hold what it should (design §6).
    pub fn refuse(&self, column: usize, expected: &'static str) -> StoreError {
        let found = self.values.get(column).map_or_else(|| "none".to_owned(), Value::summary);
        StoreError::Decode { column, row: self.summary(), expected, found }
    }

    fn value(&self, column: usize) -> Result<&Value, StoreError> {
        self.values.get(column).ok_or_else(|| StoreError::Decode {
            column,
            row: self.summary(),
            expected: "a column",
            found: "none".to_owned(),
        })
    }

    fn unexpected(&self, column: usize, expected: &'static str, found: &Value) -> StoreError {
        StoreError::Decode { column, row: self.summary(), expected, found: found.summary() }
    }

    // Short texts only: a row may hold mail.
    fn summary(&self) -> String {
        let shown: Vec<String> = self.values.iter().map(Value::summary).collect();
        shown.join(", ")
    }
}

impl Value {
    fn summary(&self) -> String {
        match self {
            Value::Blob(bytes) => format!("{} bytes", bytes.len()),
            Value::Int(value) => value.to_string(),
            Value::Null => "null".to_owned(),
            Value::Text(text) if text.len() <= 40 => format!("`{}`", text.escape_debug()),
            Value::Text(text) => format!("text of {} bytes", text.len()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::from(text.to_owned())
    }
}

impl From<String> for Value {
    // PostgreSQL refuses a NUL in a text, so none goes into any store.
    fn from(text: String) -> Value {
        Value::Text(if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text })
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::from(text.clone())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Value {
        Value::Int(i64::from(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Int(i64::from(value))
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Value {
        Value::Int(time.as_millisecond())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::Blob(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::Blob(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

impl From<&AddressKey> for Value {
    fn from(key: &AddressKey) -> Value {
        Value::from(key.as_str())
    }
}

/// `?1, ?2, …` beginning at `first`, for `count` values of an `IN` list.
pub fn placeholders(first: usize, count: usize) -> String {
    let mut list = String::with_capacity(count * 6);
    write_placeholders(&mut list, first, count);
    list
}

/// `(?1, ?2), (?3, ?4), …`: the `VALUES` of `rows` rows of `columns` columns.
pub fn rows(rows: usize, columns: usize) -> String {
    let mut list = String::with_capacity(rows * (columns * 6 + 4));
    for row in 0..rows {
        list.push_str(if row == 0 { "(" } else { ", (" });
        write_placeholders(&mut list, 1 + row * columns, columns);
        list.push(')');
    }
    list
}

// Written for each statement, so without the machinery of formatting.
fn write_placeholders(list: &mut String, first: usize, count: usize) {
    for n in first..first + count {
        list.push_str(if n == first { "?" } else { ", ?" });
        let mut scale = 1;
        while n / scale >= 10 {
            scale *= 10;
        }
        while scale > 0 {
            list.push(char::from(b"0123456789"[n / scale % 10]));
            scale /= 10;
        }
    }
}

/// The values of an `IN` list, the last one repeated until there are 1, 2, 4, 8, … of them: so a
/// few prepared statements serve lists of every length.
pub fn padded<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Vec<Value> {
    let mut list: Vec<Value> = values.into_iter().map(Into::into).collect();
    if let Some(last) = list.last().cloned() {
        list.resize(list.len().next_power_of_two(), last);
    }
    list
}

/// The conditions of a query that were asked for, joined by `AND`.
#[derive(Debug, Default)]
pub struct Conditions {
    parts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// Adds a condition; each bare `?` in it takes the next of `values`.
    pub fn push(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        let mut next = self.values.len();
        let mut part = String::with_capacity(condition.len() + 8);
        for c in condition.chars() {
            part.push(c);
            if c == '?' {
                next += 1;
                part.push_str(&next.to_string());
            }
        }
        self.parts.push(part);
        self.values.extend(values);
    }

    /// Asks for rows whose `column` is `value`, if there is one.
    pub fn equal(&mut self, column: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(&format!("{column} = ?"), [Value::from(value)]);
        }
    }

    /// Asks for rows whose `column`, an address in lower case or not, contains `part` literally
    /// (T-50), if there is one.
    pub fn contains(&mut self, column: &str, part: Option<&str>) {
        if let Some(part) = part {
            let pattern = Value::from(like(&part.to_lowercase()));
            self.push(&format!("LOWER({column}) LIKE ? ESCAPE '\\'"), [pattern]);
        }
    }

    /// The `WHERE` clause (empty without conditions), and its values.
    pub fn finish(self) -> (String, Vec<Value>) {
        if self.parts.is_empty() {
            return (String::new(), self.values);
        }
        (format!("WHERE {}", self.parts.join(" AND ")), self.values)
    }
}

/// How many rows go into one statement that writes or looks up many: far below the 32 766
/// parameters that SQLite allows.
pub const MANY: usize = 256;

/// The arguments of a statement: `args![id, at, name]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::Value::from($value)),*][..] };
}

/// A text for `LIKE … ESCAPE '\'` that finds `part` literally, anywhere (T-50).
pub fn like(part: &str) -> String {
    let mut pattern = String::from("%");
    for c in part.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
