//! A JSON number that stays whole as long as it can, and is never rounded on the way in.

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::de::{Deserialize, Deserializer, Error as _};
use driver_sdk::serde::ser::{Serialize, Serializer};
use driver_sdk::{JsonText, schemars, whole_number};

/// Below it a fraction tells every whole number from the next.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A whole number or a fraction, written the way it came.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema)]
#[schemars(crate = "schemars", with = "f64")]
pub enum Number {
    /// Without a point or an exponent, and within 64 bits.
    Whole(i64),
    /// Any other number.
    Fraction(f64),
}

impl Number {
    /// The sum; `None` past the largest number of its kind, and where it would not be exact to the whole.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let sum = match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => return a.checked_add(b).map(Self::Whole),
            (Self::Fraction(a), Self::Fraction(b)) => a + b,
            (Self::Whole(whole), Self::Fraction(fraction))
            | (Self::Fraction(fraction), Self::Whole(whole)) => {
                let whole = exact(whole as f64)?;
                exact(whole + fraction)?
            }
        };
        sum.is_finite().then_some(Self::Fraction(sum))
    }

    fn read(token: &str) -> Result<Self, &'static str> {
        if !token.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Err("expected a number");
        }
        if token.contains(['.', 'e', 'E']) {
            let fraction: Option<f64> = token.parse().ok();
            let fraction = fraction.filter(|fraction| fraction.is_finite());
            return fraction
                .map(Self::Fraction)
                .ok_or("expected a number of at most 1.7976931348623157e308");
        }
        let whole = whole_number(token).ok();
        let whole = whole.and_then(|whole| i64::try_from(whole).ok());
        whole.map(Self::Whole).ok_or(
            "expected a whole number from -9223372036854775808 to 9223372036854775807, or one with a point",
        )
    }
}

/// The number, if it is told from the next whole one.
fn exact(number: f64) -> Option<f64> {
    (number.abs() < EXACT_MAX).then_some(number)
}

/// From its own text, which says more than what it is parsed to.
impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = JsonText::deserialize(deserializer)?;
        Self::read(text.as_str()).map_err(D::Error::custom)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Fraction(number) => serializer.serialize_f64(*number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_stay_whole_and_fractions_spread() {
        use Number::{Fraction, Whole};
        assert_eq!(Whole(1).plus(Whole(2)), Some(Whole(3)));
        assert_eq!(Whole(1).plus(Fraction(0.5)), Some(Fraction(1.5)));
        assert_eq!(Fraction(0.5).plus(Fraction(0.5)), Some(Fraction(1.0)));
    }

    #[test]
    fn a_sum_past_the_largest_number_is_none() {
        use Number::{Fraction, Whole};
        assert_eq!(Whole(i64::MAX).plus(Whole(1)), None);
        assert_eq!(Fraction(f64::MAX).plus(Fraction(f64::MAX)), None);
    }

    #[test]
    fn a_whole_number_that_a_fraction_would_round_is_not_added_to_one() {
        use Number::{Fraction, Whole};
        let large = 9_007_199_254_740_993;
        assert_eq!(Whole(large).plus(Fraction(0.5)), None);
        assert_eq!(Fraction(-0.5).plus(Whole(-large)), None);
        assert_eq!(Whole(1).plus(Fraction(1e300)), None);
    }

    #[test]
    fn what_64_bits_do_not_hold_is_refused_and_not_rounded() {
        assert_eq!(
            Number::read("9223372036854775807"),
            Ok(Number::Whole(i64::MAX))
        );
        for token in ["9223372036854775808", "-9223372036854775809", "1e400"] {
            assert!(Number::read(token).is_err(), "{token}");
        }
    }
}
