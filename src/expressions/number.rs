//! Numbers: whole ones of 64 bits, floats, and those that JSON wrote in another way, which stay as they are written.
//!
//! Separate so that no other file can round one: a number is rounded when something is reckoned from it and never on its way through.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::error::Mistake;
use crate::model::{is_same_number, whole_number};

/// A number as it is written in JSON.
#[derive(Debug, Clone)]
pub struct Number(Repr);

#[derive(Debug, Clone)]
enum Repr {
    /// Signed or not, of at most 64 bits.
    Whole(i128),
    /// Never infinite and never "not a number", which JSON does not have.
    Float(f64),
    /// A number of JSON that the other two would write in another way.
    Written(Arc<Written>),
}

/// What is known of such a number is found once, for it may have thousands of digits.
#[derive(Debug)]
struct Written {
    text: Box<str>,
    /// Without a point and an exponent.
    is_whole: bool,
    is_zero: bool,
    /// Where it is whole and has at most 64 bits.
    whole: Option<i128>,
    /// The nearest one; infinite beyond all floats.
    float: f64,
}

/// The longest number of 64 bits, and a little more than the longest float.
const LENGTH_MAX: usize = 24;

/// What can be reckoned with.
enum Operand {
    Whole(i128),
    Float(f64),
}

impl Number {
    /// Takes a number in the grammar of JSON.
    pub(super) fn of_json(text: &str) -> Self {
        if let Ok(whole) = whole_number(text)
            && whole.to_string() == text
        {
            return Self(Repr::Whole(whole));
        }
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() && float_text(float) == text => Self(Repr::Float(float)),
            Ok(_) | Err(_) => Self(Repr::Written(Arc::new(Written::of(text)))),
        }
    }

    /// A whole number, unless it takes more than 64 bits.
    pub(super) fn whole(number: i128) -> Result<Self, Mistake> {
        let fits = i64::try_from(number).is_ok() || u64::try_from(number).is_ok();
        fits.then_some(Self(Repr::Whole(number)))
            .ok_or(Mistake::NumberTooLarge)
    }

    /// A float, unless it is infinite or no number.
    pub(super) fn float(number: f64) -> Result<Self, Mistake> {
        let is_number = number.is_finite();
        is_number
            .then_some(Self(Repr::Float(number)))
            .ok_or(Mistake::NumberTooLarge)
    }

    /// The whole number, if it is one that is written without a point.
    pub fn as_whole(&self) -> Option<i128> {
        match self.operand() {
            Ok(Operand::Whole(whole)) => Some(whole),
            Ok(Operand::Float(_)) | Err(_) => None,
        }
    }

    /// The float next to it; infinite where it is beyond all floats.
    #[expect(
        clippy::cast_precision_loss,
        reason = "who asks for a float gets the nearest one"
    )]
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Repr::Whole(whole) => *whole as f64,
            Repr::Float(float) => *float,
            Repr::Written(written) => written.float,
        }
    }

    /// Whether it is written as a whole number, however large.
    pub(super) fn is_whole(&self) -> bool {
        match &self.0 {
            Repr::Whole(_) => true,
            Repr::Float(_) => false,
            Repr::Written(written) => written.is_whole,
        }
    }

    /// As Python would have read it: there is one way to write a float, and a whole number keeps its digits.
    pub(super) fn as_python(&self) -> Self {
        let float = Self::float(self.as_f64()).ok();
        float
            .filter(|_| !self.is_whole())
            .unwrap_or_else(|| self.clone())
    }

    pub(super) fn is_zero(&self) -> bool {
        match &self.0 {
            Repr::Whole(whole) => *whole == 0,
            Repr::Float(float) => *float == 0.0,
            Repr::Written(written) => written.is_zero,
        }
    }

    /// How long it is in JSON, at most.
    pub(super) fn length(&self) -> usize {
        match &self.0 {
            Repr::Whole(_) | Repr::Float(_) => LENGTH_MAX,
            Repr::Written(written) => written.text.len(),
        }
    }

    /// By size. Two that no float tells apart, and that are not whole numbers of 64 bits, count as equal here.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self.as_whole(), other.as_whole()) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }

    pub(super) fn plus(&self, other: &Self) -> Result<Self, Mistake> {
        self.reckon(other, i128::checked_add, |one, other| one + other)
    }

    pub(super) fn minus(&self, other: &Self) -> Result<Self, Mistake> {
        self.reckon(other, i128::checked_sub, |one, other| one - other)
    }

    pub(super) fn times(&self, other: &Self) -> Result<Self, Mistake> {
        self.reckon(other, i128::checked_mul, |one, other| one * other)
    }

    pub(super) fn divided_by(&self, other: &Self) -> Result<Self, Mistake> {
        let (one, other) = (self.operand()?.float(), other.divisor()?.float());
        Self::float(one / other)
    }

    /// Rounded down, as Jinja does.
    pub(super) fn divided_whole(&self, other: &Self) -> Result<Self, Mistake> {
        other.divisor()?;
        let down = |one: i128, other: i128| {
            let is_below = one % other != 0 && (one < 0) != (other < 0);
            Some(one / other - i128::from(is_below))
        };
        self.reckon(other, down, |one, other| (one / other).floor())
    }

    /// What is left of a division, with the sign of the divisor, as in Jinja.
    pub(super) fn modulo(&self, other: &Self) -> Result<Self, Mistake> {
        other.divisor()?;
        let left = |one: i128, other: i128| Some(((one % other) + other) % other);
        self.reckon(other, left, |one, other| {
            one - other * (one / other).floor()
        })
    }

    pub(super) fn power(&self, other: &Self) -> Result<Self, Mistake> {
        if let (Some(base), Some(Ok(exponent))) =
            (self.as_whole(), other.as_whole().map(u32::try_from))
        {
            let power = base.checked_pow(exponent);
            return Self::whole(power.ok_or(Mistake::NumberTooLarge)?);
        }
        Self::float(self.operand()?.float().powf(other.operand()?.float()))
    }

    pub(super) fn negative(&self) -> Result<Self, Mistake> {
        match self.operand()? {
            Operand::Whole(whole) => Self::whole(-whole),
            Operand::Float(float) => Self::float(-float),
        }
    }

    pub(super) fn absolute(&self) -> Result<Self, Mistake> {
        match self.operand()? {
            Operand::Whole(whole) => Self::whole(whole.abs()),
            Operand::Float(float) => Self::float(float.abs()),
        }
    }

    /// Without what stands behind the point.
    pub(super) fn truncated(&self) -> Result<Self, Mistake> {
        match self.operand()? {
            Operand::Whole(whole) => Self::whole(whole),
            Operand::Float(float) => {
                // By way of its digits, which no cast could cut off silently.
                let whole = format!("{:.0}", float.trunc()).parse();
                Self::whole(whole.map_err(|_| Mistake::NumberTooLarge)?)
            }
        }
    }

    fn reckon(
        &self,
        other: &Self,
        whole: impl Fn(i128, i128) -> Option<i128>,
        float: impl Fn(f64, f64) -> f64,
    ) -> Result<Self, Mistake> {
        match (self.operand()?, other.operand()?) {
            (Operand::Whole(one), Operand::Whole(other)) => {
                Self::whole(whole(one, other).ok_or(Mistake::NumberTooLarge)?)
            }
            (one, other) => Self::float(float(one.float(), other.float())),
        }
    }

    fn divisor(&self) -> Result<Operand, Mistake> {
        match self.is_zero() {
            true => Err(Mistake::DivisionByZero),
            false => self.operand(),
        }
    }

    fn operand(&self) -> Result<Operand, Mistake> {
        match &self.0 {
            Repr::Whole(whole) => Ok(Operand::Whole(*whole)),
            Repr::Float(float) => Ok(Operand::Float(*float)),
            Repr::Written(written) => match written.whole {
                Some(whole) => Ok(Operand::Whole(whole)),
                None if !written.is_whole && written.float.is_finite() => {
                    Ok(Operand::Float(written.float))
                }
                None => Err(Mistake::NumberTooLarge),
            },
        }
    }
}

impl Written {
    fn of(text: &str) -> Self {
        let is_whole = !text.contains(['.', 'e', 'E']);
        Self {
            text: Box::from(text),
            is_whole,
            is_zero: is_same_number(text, "0"),
            whole: whole_number(text).ok().filter(|_| is_whole),
            float: text.parse().unwrap_or(f64::INFINITY),
        }
    }
}

impl Operand {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a whole number beside a float becomes the nearest one, as in Jinja"
    )]
    fn float(&self) -> f64 {
        match self {
            Self::Whole(whole) => *whole as f64,
            Self::Float(float) => *float,
        }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(Repr::Whole(i128::from(number)))
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(Repr::Whole(i128::from(number)))
    }
}

/// To the last digit; `1` and `1.0` are the same number.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::Whole(one), Repr::Whole(other)) => one == other,
            _ => is_same_number(&self.to_string(), &other.to_string()),
        }
    }
}

/// As JSON writes it.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Whole(whole) => write!(f, "{whole}"),
            Repr::Float(float) => f.write_str(&float_text(*float)),
            Repr::Written(written) => f.write_str(&written.text),
        }
    }
}

/// A float as Python writes it, which is JSON as well: with a point or an exponent of two digits, so that it stays a float.
fn float_text(float: f64) -> String {
    let text = format!("{float:?}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let digits = digits.strip_suffix(".0").unwrap_or(digits);
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}
