//! The small words of a configuration file that have a syntax of their own: durations, sizes,
//! rates, where a mailbox starts. Each parses from a string, says in one sentence what is wrong
//! with it, and tells the schema which format it is.

mod start;

use std::borrow::Cow;
use std::fmt;

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use start::Start;

use crate::triage::policy;

/// Why a string is not what it should be, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    pub message: String,
    pub hint: String,
}

impl Misread {
    /// A problem and its remedy.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Misread {
        Misread { message: message.into(), hint: hint.into() }
    }
}

/// A length of time, written `"90s"`, `"5m"`, `"24h"` or `"30d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub SignedDuration);

impl Duration {
    /// Reads a whole number and one unit: `s`, `m`, `h`, `d` or `w`.
    pub fn parse(text: &str) -> Result<Duration, Misread> {
        let (count, unit) = number_and_unit(text).ok_or_else(|| {
            Misread::new(
                format!("`{text}` is no duration"),
                "write a whole number and a unit, e.g. `\"90s\"`, `\"5m\"`, `\"24h\"` or `\"30d\"`",
            )
        })?;
        let seconds = unit_seconds(unit).ok_or_else(|| {
            if unit.is_empty() {
                let hint =
                    format!("say `\"{count}s\"`, `\"{count}m\"`, `\"{count}h\"` or `\"{count}d\"`");
                Misread::new(format!("the duration `{text}` has no unit"), hint)
            } else {
                Misread::new(
                    format!("`{unit}` is no unit of time"),
                    "use `s`, `m`, `h`, `d` or `w` (seconds to weeks)",
                )
            }
        })?;
        match count.parse::<i64>().ok().and_then(|count| count.checked_mul(seconds)) {
            Some(total) if total <= LONGEST_SECONDS => {
                Ok(Duration(SignedDuration::from_secs(total)))
            }
            _ => Err(Misread::new(
                format!("the duration `{text}` is too long"),
                "the longest is `\"36525d\"`, a hundred years",
            )),
        }
    }

    /// Whole seconds, for the defaults.
    pub const fn seconds(seconds: i64) -> Duration {
        Duration(SignedDuration::from_secs(seconds))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (count, unit) = match seconds {
            s if s != 0 && s % 86_400 == 0 && s > 86_400 => (s / 86_400, "d"),
            s if s != 0 && s % 3_600 == 0 => (s / 3_600, "h"),
            s if s != 0 && s % 60 == 0 => (s / 60, "m"),
            s => (s, "s"),
        };
        write!(f, "{count}{unit}")
    }
}

/// A number of bytes, written `"500kB"`, `"25MB"`, `"1GB"` or in powers of two as `"16MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    /// Reads a whole number and a unit.
    pub fn parse(text: &str) -> Result<Size, Misread> {
        const HINT: &str =
            "write a whole number and a unit, e.g. `\"500kB\"`, `\"25MB\"` or `\"1GiB\"`";
        let (count, unit) = number_and_unit(text)
            .ok_or_else(|| Misread::new(format!("`{text}` is no size"), HINT))?;
        let factor: u64 = match unit {
            "" => {
                let hint = format!("say `\"{count}kB\"` or `\"{count}MB\"`");
                return Err(Misread::new(format!("the size `{text}` has no unit"), hint));
            }
            "B" => 1,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            "KiB" | "kiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            _ => {
                return Err(Misread::new(
                    format!("`{unit}` is no unit of size"),
                    "use `kB`, `MB`, `GB` or `TB`, or in powers of two `KiB`, `MiB`, `GiB`, `TiB`",
                ));
            }
        };
        count
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(factor))
            .filter(|total| i64::try_from(*total).is_ok())
            .map(Size)
            .ok_or_else(|| Misread::new(format!("the size `{text}` is too large"), HINT))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 7] = [
            (1_000_000_000, "GB"),
            (1 << 30, "GiB"),
            (1_000_000, "MB"),
            (1 << 20, "MiB"),
            (1_000, "kB"),
            (1 << 10, "KiB"),
            (1, "B"),
        ];
        let (factor, unit) = UNITS
            .into_iter()
            .find(|(factor, _)| self.0 > 0 && self.0.is_multiple_of(*factor))
            .unwrap_or((1, "B"));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

/// One or more rates, written `"30/h"` or `"3/h, 10/d"`; `"off"` is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates(pub Vec<policy::Rate>);

impl Rates {
    /// Reads `"off"` or rates with commas between them.
    pub fn parse(text: &str) -> Result<Rates, Misread> {
        if text.trim() == "off" {
            return Ok(Rates(Vec::new()));
        }
        text.split(',').map(|rate| one_rate(rate.trim(), text)).collect::<Result<_, _>>().map(Rates)
    }
}

fn one_rate(rate: &str, whole: &str) -> Result<policy::Rate, Misread> {
    const HINT: &str =
        "write `\"30/h\"`, `\"3/h, 10/d\"` or `\"off\"`; the units are `s`, `min`, `h`, `d`";
    let no_rate = || Misread::new(format!("`{whole}` is no rate"), HINT);
    let (count, unit) = rate.split_once('/').ok_or_else(no_rate)?;
    let count = count.trim();
    if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
        return Err(no_rate());
    }
    let seconds = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        other => {
            return Err(Misread::new(format!("`{other}` is no unit of a rate"), HINT));
        }
    };
    match count.parse::<u32>() {
        Ok(0) => Err(Misread::new(
            format!("the rate `{rate}` would let nothing through"),
            "give a number above zero, or `\"off\"` for no limit",
        )),
        Ok(count) => Ok(policy::Rate { count, per: SignedDuration::from_secs(seconds) }),
        Err(_) => Err(Misread::new(format!("the rate `{rate}` is too large"), HINT)),
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("off");
        }
        for (i, rate) in self.0.iter().enumerate() {
            let unit = match rate.per.as_secs() {
                1 => "s",
                60 => "min",
                3_600 => "h",
                _ => "d",
            };
            write!(f, "{}{}/{unit}", if i == 0 { "" } else { ", " }, rate.count)?;
        }
        Ok(())
    }
}

/// One rate, written `"25/min"`; `"off"` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub Option<policy::Rate>);

impl Rate {
    /// Reads `"off"` or one rate.
    pub fn parse(text: &str) -> Result<Rate, Misread> {
        let Rates(rates) = Rates::parse(text)?;
        match rates[..] {
            [] => Ok(Rate(None)),
            [rate] => Ok(Rate(Some(rate))),
            _ => Err(Misread::new(
                format!("`{text}` is more than one rate"),
                "write one, e.g. `\"25/min\"`, or `\"off\"`",
            )),
        }
    }

    /// So many a minute, for the defaults.
    pub const fn minutely(count: u32) -> Rate {
        Rate(Some(policy::Rate { count, per: SignedDuration::from_secs(60) }))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Rates(self.0.into_iter().collect()).fmt(f)
    }
}

/// Ties a value to its string form for serde and names its format in the schema.
macro_rules! written_as_string {
    ($type:ident, $format:literal, $pattern:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $type::parse(&text).map_err(|misread| D::Error::custom(misread.message))
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $format, "pattern": $pattern })
            }
        }
    };
}

written_as_string!(Duration, "guichet-duration", "^[0-9]+[smhdw]$");
written_as_string!(Rate, "guichet-rate", "^(off|[0-9]+/(s|m|min|h|d))$");
written_as_string!(
    Rates,
    "guichet-rates",
    "^(off|[0-9]+/(s|m|min|h|d)(, *[0-9]+/(s|m|min|h|d))*)$"
);
written_as_string!(Size, "guichet-size", "^[0-9]+([kKMGT]i?)?B$");
written_as_string!(Start, "guichet-start", "^(now|unseen|all|[0-9]{4}-[0-9]{2}-[0-9]{2}.*)$");

fn number_and_unit(text: &str) -> Option<(&str, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| (&text[..digits], text[digits..].trim()))
}

fn unit_seconds(unit: &str) -> Option<i64> {
    match unit {
        "s" => Some(1),
        "m" | "min" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        "w" => Some(7 * 86_400),
        _ => None,
    }
}

/// A hundred years: beyond, sums with a date of today leave the calendar.
const LONGEST_SECONDS: i64 = 36_525 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_number_and_one_unit() {
        for (text, seconds) in [
            ("90s", 90),
            ("5m", 300),
            ("24h", 86_400),
            ("30d", 2_592_000),
            ("36500d", 3_153_600_000),
        ] {
            assert_eq!(Duration::parse(text), Ok(Duration::seconds(seconds)), "{text}");
        }
        for text in ["", "5", "m", "-5m", "1.5h", "5 parsecs", "99999999d", "1h30m", "36526d"] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_displayed_reads_back_as_the_same() {
        for text in ["0s", "1m", "90s", "5m", "24h", "7d", "3650d"] {
            assert_eq!(Duration::parse(text).expect("good").to_string(), text);
        }
        for text in ["0B", "1kB", "25MB", "16MiB", "1GB", "500MB", "3B"] {
            assert_eq!(Size::parse(text).expect("good").to_string(), text);
        }
        for text in ["off", "30/h", "3/h, 10/d", "25/min", "1/s"] {
            assert_eq!(Rates::parse(text).expect("good").to_string(), text);
        }
        for text in ["off", "25/min"] {
            assert_eq!(Rate::parse(text).expect("good").to_string(), text);
        }
        for text in
            ["now", "all", "unseen", "2026-01-31", "2026-01-31T08:00:00", "2026-01-31T08:00:00Z"]
        {
            assert_eq!(Start::parse(text).expect("good").to_string(), text);
        }
    }

    #[test]
    fn sizes_and_rates_refuse_what_they_are_not() {
        for text in ["", "25", "MB", "25 mb", "25Mb", "99999999999TB", "-1MB"] {
            assert!(Size::parse(text).is_err(), "{text}");
        }
        for text in ["", "30", "h", "30/", "/h", "0/h", "30/y", "30/h,", "off, 3/h", "5000000000/h"]
        {
            assert!(Rates::parse(text).is_err(), "{text}");
        }
        for text in ["", "25", "0/min", "3/h, 10/d"] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "2026", "9999-12-31", "Now"] {
            assert!(Start::parse(text).is_err(), "{text}");
        }
    }
}
