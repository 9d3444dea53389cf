//! A JSON number that stays whole as long as it can.

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::{Deserialize, Serialize};

/// A whole number or a fraction, written the way it came.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", untagged, expecting = "expected a number")]
#[schemars(crate = "driver_sdk::schemars", with = "f64")]
pub enum Number {
    /// Without a point or an exponent, and within 64 bits.
    Whole(i64),
    /// Any other number.
    Fraction(f64),
}

impl Number {
    /// The sum; `None` past the largest number of its kind.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        if let (Self::Whole(a), Self::Whole(b)) = (self, other) {
            return a.checked_add(b).map(Self::Whole);
        }
        let sum = self.as_fraction() + other.as_fraction();
        sum.is_finite().then_some(Self::Fraction(sum))
    }

    fn as_fraction(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Fraction(number) => number,
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
}
