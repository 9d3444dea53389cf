//! A scale: the factor between what a register holds and what it means.
//!
//! Separate because it counts in decimal digits: 2305 times 0.1 is 230.5 and not 230.50000000000003.

use std::str::FromStr;

use driver_sdk::serde_json::{Number, Value};

use crate::limits::{DECIMALS_MAX, SCALE_MAX};

/// A decimal number other than 0: `digits` divided by ten to the power of `decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    digits: i64,
    decimals: u32,
}

/// Why a text is no scale.
pub(crate) const EXPECTED: &str = "expected a scale: a number other than 0 with at most 9 decimals";

impl Scale {
    /// What is there without a scale.
    pub(crate) const ONE: Self = Self {
        digits: 1,
        decimals: 0,
    };

    /// What a whole number in a register means. No digit is lost before the result becomes a number of JSON.
    pub(crate) fn apply(self, raw: i128) -> Value {
        let digits = raw * i128::from(self.digits);
        if self.decimals == 0 {
            return whole(digits);
        }
        let one = 10_i128.pow(self.decimals);
        let sign = if digits < 0 { "-" } else { "" };
        let (before, after) = (digits.abs() / one, digits.abs() % one);
        let width = usize::try_from(self.decimals).unwrap_or(usize::MAX);
        fraction(&format!("{sign}{before}.{after:0width$}"))
    }

    /// What a number with a point in a register means, rounded to the decimals of the scale. What is no number is `null`.
    pub(crate) fn apply_to_float(self, raw: f64) -> Value {
        let product = raw * self.factor();
        if !product.is_finite() {
            return Value::Null;
        }
        let decimals = usize::try_from(self.decimals).unwrap_or(usize::MAX);
        fraction(&format!("{product:.decimals$}"))
    }

    /// What a register holds when it means this number.
    pub(crate) fn divide(self, value: f64) -> f64 {
        value * 10_f64.powf(f64::from(self.decimals)) / as_float(self.digits)
    }

    fn factor(self) -> f64 {
        as_float(self.digits) / 10_f64.powf(f64::from(self.decimals))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the digits of a scale that a person writes are few"
)]
fn as_float(digits: i64) -> f64 {
    digits as f64
}

fn whole(number: i128) -> Value {
    let exact = i64::try_from(number).map(Number::from);
    let exact = exact.or_else(|_| u64::try_from(number).map(Number::from));
    exact.map_or_else(|_| fraction(&number.to_string()), Value::Number)
}

fn fraction(decimal: &str) -> Value {
    let number: Result<f64, _> = decimal.parse();
    number.map_or(Value::Null, |number| {
        // A device does not mean less than nothing by -0.
        Number::from_f64(number + 0.0).map_or(Value::Null, Value::Number)
    })
}

impl FromStr for Scale {
    type Err = &'static str;

    /// Reads a number as JSON writes it; its decimals count, also those that are 0.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (before, after) = number.split_once('.').unwrap_or((number, ""));
        let exponent: i32 = exponent.parse().map_err(|_| EXPECTED)?;
        let after_digits = i32::try_from(after.len()).map_err(|_| EXPECTED)?;
        let digits: i64 = format!("{before}{after}").parse().map_err(|_| EXPECTED)?;
        let decimals = after_digits.checked_sub(exponent).ok_or(EXPECTED)?;
        let (digits, decimals) = match u32::try_from(decimals) {
            Ok(decimals) => (Some(digits), decimals),
            Err(_) => {
                let factor = 10_i64.checked_pow(decimals.unsigned_abs());
                (factor.and_then(|factor| digits.checked_mul(factor)), 0)
            }
        };
        match digits {
            Some(digits)
                if digits != 0 && digits.abs() <= SCALE_MAX && decimals <= DECIMALS_MAX =>
            {
                Ok(Self { digits, decimals })
            }
            _ => Err(EXPECTED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(text: &str) -> Scale {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_read_has_the_decimals_of_the_scale_and_no_others() {
        let check = |text: &str, raw: i128, expect: &str| {
            assert_eq!(scale(text).apply(raw).to_string(), expect, "{raw} * {text}");
        };
        check("0.1", 2305, "230.5");
        check("0.1", 3, "0.3");
        check("0.1", -5, "-0.5");
        check("0.1", 0, "0.0");
        check("0.01", 1999, "19.99");
        check("0.25", 3, "0.75");
        check("1e-3", 1, "0.001");
        check("10", 12, "120");
        check("1e2", 12, "1200");
        check("-1", 12, "-12");
        check("1", i128::from(u64::MAX), "18446744073709551615");
        check("100", i128::from(u64::MAX), "1.8446744073709552e+21");
    }

    #[test]
    fn a_number_with_a_point_is_rounded_to_the_decimals_of_the_scale() {
        let check = |text: &str, raw: f64, expect: &str| {
            let value = scale(text).apply_to_float(raw).to_string();
            assert_eq!(value, expect, "{raw} * {text}");
        };
        check("0.1", 2304.96, "230.5");
        check("1", 21.49, "21.0");
        check("1.00", 21.499, "21.5");
        check("0.1", -0.1, "0.0");
        check("1000", f64::MAX, "null");
        check("1", f64::NAN, "null");
    }

    #[test]
    fn what_is_written_is_divided() {
        assert_eq!(scale("0.1").divide(21.5), 215.0);
        assert_eq!(scale("0.01").divide(-0.07).round(), -7.0);
        assert_eq!(scale("10").divide(120.0), 12.0);
    }

    #[test]
    fn what_no_device_has_for_a_scale_is_refused() {
        for text in [
            "0",
            "0.0",
            "1e-10",
            "0.0000000001",
            "1e19",
            "1e999",
            "1e-999",
            "99999999999999999999",
            "1e99999999999",
            "x",
            "",
        ] {
            assert_eq!(text.parse::<Scale>(), Err(EXPECTED), "{text}");
        }
    }
}
