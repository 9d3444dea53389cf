//! The filters that make a number.

use super::super::error::Mistake;
use super::super::number::Number;
use super::super::value::Value;
use super::super::work::Work;
use super::Arguments;
use crate::model::is_json_number;

/// More digits than any float has behind its point.
const PRECISION_MAX: i128 = 15;

pub(super) fn int(_: &Work, value: &Value, args: Arguments<'_>) -> Result<Value, Mistake> {
    match read(value) {
        Some(number) => Ok(Value::Number(number.truncated()?)),
        None => instead(args, "int"),
    }
}

pub(super) fn float(_: &Work, value: &Value, args: Arguments<'_>) -> Result<Value, Mistake> {
    match read(value) {
        Some(number) => Ok(Value::Number(Number::float(number.as_f64())?)),
        None => instead(args, "float"),
    }
}

/// Jinja makes 0 of what is no number, which nobody notices in a building; so who wants that says it.
fn instead(args: Arguments<'_>, filter: &'static str) -> Result<Value, Mistake> {
    let default = args.get("default").cloned();
    default.ok_or(Mistake::NoNumber { filter })
}

/// Without digits behind the point the result is whole, because that is what a person means by it.
pub(super) fn round(_: &Work, value: &Value, args: Arguments<'_>) -> Result<Value, Mistake> {
    let number = value.number_for("`round`")?;
    let precision = args.whole("precision")?.unwrap_or(0);
    let digits = match usize::try_from(precision) {
        Ok(digits) if precision <= PRECISION_MAX => digits,
        Ok(_) | Err(_) => return Err(args.wrong("precision", "a whole number from 0 to 15")),
    };
    if number.is_whole() && digits == 0 {
        return Ok(value.clone());
    }
    let float = Number::float(number.as_f64())?.as_f64();
    let scale = 10_f64.powi(i32::try_from(precision).unwrap_or(0));
    let rounded = match args.text("method")?.unwrap_or("common") {
        // By its digits, because a multiplication would round before the rounding.
        "common" => format!("{float:.digits$}").parse().unwrap_or(float),
        "ceil" => (float * scale).ceil() / scale,
        "floor" => (float * scale).floor() / scale,
        _ => return Err(args.wrong("method", "`common`, `ceil` or `floor`")),
    };
    let rounded = Number::float(rounded)?;
    Ok(Value::Number(match digits {
        0 => rounded.truncated()?,
        _ => rounded,
    }))
}

pub(super) fn abs(_: &Work, value: &Value, _: Arguments<'_>) -> Result<Value, Mistake> {
    Ok(Value::Number(value.number_for("`abs`")?.absolute()?))
}

/// The number that a value is or says.
fn read(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::Bool(value) => Some(Number::from(i64::from(*value))),
        Value::Text(text) => {
            let text = text.trim();
            let (sign, digits) = match text.strip_prefix('-') {
                Some(digits) => ("-", digits),
                None => ("", text.strip_prefix('+').unwrap_or(text)),
            };
            let plain = digits.trim_start_matches('0');
            // JSON writes no zeros in front, people do.
            let zero = if plain.starts_with(|c: char| c.is_ascii_digit()) {
                ""
            } else {
                "0"
            };
            let plain = format!("{sign}{zero}{plain}");
            let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && is_json_number(&plain);
            is_number.then(|| Number::of_json(&plain))
        }
        Value::Null | Value::List(_) | Value::Object(_) | Value::Json(_) => None,
    }
}
