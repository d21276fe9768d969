//! How the parts of a mark are written, and nothing but so: what reads differently is no mark.

/// Bytes of a MAC: the first 128 bits (M-73).
pub(super) const MAC_BYTES: usize = 16;
/// Characters that they take.
const MAC_CHARS: usize = 26;
/// Characters of the hash of an agent's address (M-76b).
const AGENT_CHARS: usize = 8;
// RFC 4648 §6, in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

pub(super) fn is_key_id(id: char) -> bool {
    id.is_ascii_lowercase() || id.is_ascii_digit()
}

/// The name of the key after `version`, and what follows it after `separator`.
pub(super) fn versioned<'a>(
    text: &'a str,
    version: &str,
    separator: char,
) -> Option<(char, &'a str)> {
    let rest = text.strip_prefix(version)?;
    let key = rest.chars().next().filter(|id| is_key_id(*id))?;
    Some((key, rest[1..].strip_prefix(separator)?))
}

/// Exactly so many parts.
pub(super) fn fields<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    let mut parts = text.split(separator);
    let mut fields = [""; N];
    for field in &mut fields {
        *field = parts.next()?;
    }
    parts.next().is_none().then_some(fields)
}

/// A number that is not negative, without leading zeros.
pub(super) fn decimal(text: &str) -> Option<i64> {
    in_base(text, 10)
}

pub(super) fn from_base36(text: &str) -> Option<i64> {
    in_base(text, 36)
}

fn in_base(text: &str, base: u32) -> Option<i64> {
    let is_canonical = text == "0" || !text.starts_with('0');
    let is_number = !text.is_empty() && text.chars().all(|c| c.is_digit(base));
    if is_canonical && is_number { i64::from_str_radix(text, base).ok() } else { None }
}

/// A number that is not negative, in the digits 0–9 a–z.
pub(super) fn base36(number: i64) -> String {
    let mut rest = number.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(rest % 36).expect("it is less than 36");
        digits.push(char::from_digit(digit, 36).expect("it is a digit of base 36"));
        rest /= 36;
        if rest == 0 {
            return digits.iter().rev().collect();
        }
    }
}

pub(super) fn base32(bytes: &[u8; MAC_BYTES]) -> String {
    let number = u128::from_be_bytes(*bytes);
    // 130 bits: the last character holds the last three, and two that are zero.
    let quintet = |at: usize| {
        let bits = if at + 1 == MAC_CHARS { number << 2 } else { number >> (123 - 5 * at) };
        char::from(BASE32[usize::try_from(bits & 31).expect("five bits")])
    };
    (0..MAC_CHARS).map(quintet).collect()
}

/// Reads what [`base32`] writes; a spelling that it does not write is none.
pub(super) fn mac(text: &str) -> Option<[u8; MAC_BYTES]> {
    if text.len() != MAC_CHARS {
        return None;
    }
    let mut number: u128 = 0;
    for (at, byte) in text.bytes().enumerate() {
        let value = BASE32.iter().position(|digit| *digit == byte)? as u128;
        if at + 1 < MAC_CHARS {
            number = number << 5 | value;
        } else {
            number = number << 3 | value >> 2;
            if value & 3 != 0 {
                return None;
            }
        }
    }
    Some(number.to_be_bytes())
}

/// The first 40 bits of the hash of an agent's address.
pub(super) fn agent(hash: &[u8; 32]) -> String {
    let number = hash[..5].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let quintet = |at: usize| {
        let bits = (number >> (35 - 5 * at)) & 31;
        char::from(BASE32[usize::try_from(bits).expect("five bits")])
    };
    (0..AGENT_CHARS).map(quintet).collect()
}

pub(super) fn is_agent(text: &str) -> bool {
    text.len() == AGENT_CHARS && text.bytes().all(|byte| BASE32.contains(&byte))
}
