//! Numbers as JSON writes them, read by their digits so that none is rounded.
//!
//! Separate because JSON Schema counts `12`, `12.0` and `1.2e1` as one whole number and Rust's own readers do not:
//! frames, bodies, building files, settings and drivers' arguments all read whole numbers by these rules.

use std::marker::PhantomData;

use serde::de::{self, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Why a text is no whole number of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotWhole {
    /// It is no number at all.
    #[error("it is no number")]
    NoNumber,
    /// It has a fraction.
    #[error("it has a fraction")]
    Fraction,
    /// It does not fit in 64 bits.
    #[error("it does not fit in 64 bits")]
    TooLarge,
}

/// A number by its digits: `digits` times ten to the power of `exponent`.
struct Decimal {
    is_negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    exponent: i64,
}

/// Beyond every number that a text of possible length writes out, and far from overflowing.
const EXPONENT_MAX: i64 = i64::MAX / 4;

/// As many digits as a whole number of 64 bits has.
const DIGITS_MAX: i64 = 20;

/// As many digits as fit in 64 bits whatever they are.
const PLAIN_DIGITS_MAX: usize = 18;

impl Decimal {
    /// Reads a number in the grammar of JSON.
    fn read(token: &str) -> Option<Self> {
        let (is_negative, rest) = match token.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, token),
        };
        let (mantissa, power) = match rest.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, exponent(power)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        if !is_digits(whole) || whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let without_end = all.trim_end_matches('0');
        let zeros = i64::try_from(all.len() - without_end.len()).ok()?;
        let digits = without_end.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self {
                is_negative: false,
                digits,
                exponent: 0,
            });
        }
        let exponent = power + zeros - i64::try_from(fraction.len()).ok()?;
        Some(Self {
            is_negative,
            digits,
            exponent,
        })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn exponent(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if !is_digits(digits) {
        return None;
    }
    let size = digits.parse().unwrap_or(EXPONENT_MAX).min(EXPONENT_MAX);
    Some(if is_negative { -size } else { size })
}

/// The whole number that a JSON number writes, with a point or an exponent or without: at most 64 bits, signed or not.
pub fn whole_number(token: &str) -> Result<i128, NotWhole> {
    if let Some(number) = plain(token) {
        return Ok(number);
    }
    let number = Decimal::read(token).ok_or(NotWhole::NoNumber)?;
    if number.exponent < 0 {
        return Err(NotWhole::Fraction);
    }
    let length = i64::try_from(number.digits.len()).unwrap_or(EXPONENT_MAX);
    if length + number.exponent > DIGITS_MAX {
        return Err(NotWhole::TooLarge);
    }
    let zeros = usize::try_from(number.exponent).unwrap_or_default();
    let digits = format!("0{}{}", number.digits, "0".repeat(zeros));
    let size: i128 = digits.parse().map_err(|_| NotWhole::TooLarge)?;
    let value = if number.is_negative { -size } else { size };
    if value < i128::from(i64::MIN) || value > i128::from(u64::MAX) {
        return Err(NotWhole::TooLarge);
    }
    Ok(value)
}

/// The number of a token that is nothing but a few digits, as nearly every one is: read without a copy of them.
fn plain(token: &str) -> Option<i128> {
    let digits = token.strip_prefix('-').unwrap_or(token);
    let is_plain = is_digits(digits)
        && digits.len() <= PLAIN_DIGITS_MAX
        && (digits.len() == 1 || !digits.starts_with('0'));
    match is_plain {
        true => token.parse::<i64>().ok().map(i128::from),
        false => None,
    }
}

/// Whether two JSON numbers are the same one, to the last digit.
pub fn is_same_number(one: &str, other: &str) -> bool {
    match (Decimal::read(one), Decimal::read(other)) {
        (Some(one), Some(other)) => {
            (one.is_negative, &one.digits, one.exponent)
                == (other.is_negative, &other.digits, other.exponent)
        }
        _ => false,
    }
}

/// Whether a text is a number in the grammar of JSON.
pub fn is_json_number(text: &str) -> bool {
    Decimal::read(text).is_some()
}

/// A JSON text with every whole number of 64 bits written without point and exponent; `None` if there is none to rewrite.
///
/// For readers who know no other whole number. Texts inside it stay as they are.
pub fn with_plain_whole_numbers(json: &str) -> Option<String> {
    let bytes = json.as_bytes();
    let mut rewritten = String::new();
    let (mut copied, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                let token = &json[at..at + length];
                if token.contains(['.', 'e', 'E'])
                    && let Ok(number) = whole_number(token)
                {
                    rewritten.push_str(&json[copied..at]);
                    rewritten.push_str(&number.to_string());
                    copied = at + length;
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    (copied > 0).then(|| rewritten + &json[copied..])
}

/// An integer type that [`Whole`] can be read as.
pub trait Integer: TryFrom<i128> + Copy {
    /// What belongs where one is read, for people.
    const EXPECTED: &'static str;
}

macro_rules! integers {
    ($($type:ty: $range:literal),+) => {
        $(impl Integer for $type {
            const EXPECTED: &'static str = concat!("a whole number from ", $range);
        })+

        /// What a Rust integer type takes, by its name.
        pub(crate) fn range(name: &str) -> Option<&'static str> {
            match name {
                $(stringify!($type) => Some($range),)+
                _ => None,
            }
        }
    };
}

integers! {
    i8: "-128 to 127",
    i16: "-32768 to 32767",
    i32: "-2147483648 to 2147483647",
    i64: "-9223372036854775808 to 9223372036854775807",
    isize: "-9223372036854775808 to 9223372036854775807",
    u8: "0 to 255",
    u16: "0 to 65535",
    u32: "0 to 4294967295",
    u64: "0 to 18446744073709551615",
    usize: "0 to 18446744073709551615"
}

/// A whole number in a JSON document, however it is written there; with `serde_json` only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Whole<T>(pub T);

impl<T: Serialize> Serialize for Whole<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Integer> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Box<RawValue> = Deserialize::deserialize(deserializer)?;
        let number = whole_number(raw.get()).ok();
        let number = number.and_then(|number| T::try_from(number).ok());
        number.map(Self).ok_or_else(|| {
            let expected = Expected::<T>(PhantomData);
            de::Error::invalid_value(Unexpected::Other("something else"), &expected)
        })
    }
}

struct Expected<T>(PhantomData<T>);

impl<T: Integer> de::Expected for Expected<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(T::EXPECTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_with_a_point_or_an_exponent_is_one() {
        for (token, expect) in [
            ("0", 0),
            ("-0.0", 0),
            ("12", 12),
            ("12.0", 12),
            ("1800.000", 1800),
            ("1.2e1", 12),
            ("1200E-2", 12),
            ("-1e+3", -1000),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("18446744073709551615.0", 18_446_744_073_709_551_615),
            ("-9223372036854775808", -9_223_372_036_854_775_808),
        ] {
            assert_eq!(whole_number(token), Ok(expect), "{token}");
        }
    }

    #[test]
    fn what_is_no_whole_number_of_64_bits_says_why() {
        for token in ["1.5", "1e-1", "0.000000000000000000000001"] {
            assert_eq!(whole_number(token), Err(NotWhole::Fraction), "{token}");
        }
        for token in [
            "18446744073709551616",
            "-9223372036854775809",
            "1e400",
            "1e99999999999999999999999",
        ] {
            assert_eq!(whole_number(token), Err(NotWhole::TooLarge), "{token}");
        }
        for token in [
            "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1F", "1_0", "NaN", "١", "\"1\"",
        ] {
            assert_eq!(whole_number(token), Err(NotWhole::NoNumber), "{token}");
        }
    }

    #[test]
    fn numbers_are_compared_to_the_last_digit() {
        for (one, other) in [("1.50", "15e-1"), ("-0", "0.0"), ("1e21", "1.0E+21")] {
            assert!(is_same_number(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("3.14159265358979323846", "3.141592653589793"),
            ("1", "-1"),
            ("1e400", "1e401"),
        ] {
            assert!(!is_same_number(one, other), "{one} {other}");
        }
    }

    #[test]
    fn only_whole_numbers_outside_texts_are_rewritten() {
        let json = r#"{"a\"1.0": [1.0, -2e2, 1.5, "3.0\\", 1e400], "b": 5}"#;
        let expect = r#"{"a\"1.0": [1, -200, 1.5, "3.0\\", 1e400], "b": 5}"#;
        assert_eq!(with_plain_whole_numbers(json).as_deref(), Some(expect));
        assert_eq!(with_plain_whole_numbers(r#"[1, 1.5, "1.0"]"#), None);
        assert_eq!(with_plain_whole_numbers("\"1.0\\"), None);
    }

    #[test]
    fn a_whole_number_of_a_document_is_held_to_its_range() {
        let read = |text| serde_json::from_str::<Whole<u16>>(text);
        assert_eq!(read("65535.0").unwrap(), Whole(65535));
        for text in ["65536", "-1", "1.5", "\"1\"", "null", "[1]"] {
            let error = read(text).unwrap_err().to_string();
            assert!(
                error.contains("expected a whole number from 0 to 65535"),
                "{error}"
            );
        }
    }
}
