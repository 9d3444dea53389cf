//! The filters that take a text or make one.

use super::super::error::Mistake;
use super::super::render::Output;
use super::super::value::Value;
use super::super::work::Work;
use super::{Arguments, text_of};

/// A character can become three of up to three bytes each, or two of its own length.
const CASE_GROWTH: usize = 3;

pub(super) fn lower(work: &Work, value: &Value, _: Arguments<'_>) -> Result<Value, Mistake> {
    let text = work.written(value)?;
    work.text(text.len() * CASE_GROWTH, || text.to_lowercase())
}

pub(super) fn upper(work: &Work, value: &Value, _: Arguments<'_>) -> Result<Value, Mistake> {
    let text = work.written(value)?;
    work.text(text.len() * CASE_GROWTH, || text.to_uppercase())
}

pub(super) fn capitalize(work: &Work, value: &Value, _: Arguments<'_>) -> Result<Value, Mistake> {
    let text = work.written(value)?;
    work.text(text.len() * CASE_GROWTH, || {
        let mut signs = text.chars();
        let first = signs.next().into_iter().flat_map(char::to_uppercase);
        let rest = signs.as_str().to_lowercase();
        first.chain(rest.chars()).collect()
    })
}

pub(super) fn trim(work: &Work, value: &Value, args: Arguments<'_>) -> Result<Value, Mistake> {
    let text = text_of(value, "`trim`")?;
    let trimmed = match args.text("chars")? {
        Some(signs) => {
            // Each character is held against each of these.
            work.budget
                .steps(text.len().saturating_mul(signs.len()) / 64)?;
            text.trim_matches(|c| signs.contains(c))
        }
        None => text.trim(),
    };
    work.text(trimmed.len(), || trimmed.to_owned())
}

pub(super) fn replace(work: &Work, value: &Value, args: Arguments<'_>) -> Result<Value, Mistake> {
    let text = text_of(value, "`replace`")?;
    let (Some(old), Some(new)) = (args.text("old")?, args.text("new")?) else {
        return Err(args.wrong("new", "a text"));
    };
    let most = args.whole("count")?.map_or(usize::MAX, |count| {
        usize::try_from(count.max(0)).unwrap_or(usize::MAX)
    });
    let times = text.matches(old).take(most).count();
    work.budget.steps(times)?;
    let size = text.len().saturating_add(times.saturating_mul(new.len()));
    work.text(size, || text.replacen(old, new, times))
}

pub(super) fn split(work: &Work, value: &Value, args: Arguments<'_>) -> Result<Value, Mistake> {
    let text = text_of(value, "`split`")?;
    let separator = args.text("separator")?;
    if separator == Some("") {
        return Err(args.wrong("separator", "at least one character"));
    }
    let count = match separator {
        Some(separator) => text.split(separator).count(),
        None => text.split_whitespace().count(),
    };
    work.budget.items(count)?;
    work.budget.make(text.len())?;
    let parts = match separator {
        Some(separator) => text.split(separator).map(Value::from).collect(),
        None => text.split_whitespace().map(Value::from).collect(),
    };
    Ok(Value::list(parts))
}

pub(super) fn startswith(_: &Work, value: &Value, args: Arguments<'_>) -> Result<Value, Mistake> {
    let text = text_of(value, "`startswith`")?;
    let beginning = args.text("beginning")?.unwrap_or_default();
    Ok(Value::Bool(text.starts_with(beginning)))
}

pub(super) fn endswith(_: &Work, value: &Value, args: Arguments<'_>) -> Result<Value, Mistake> {
    let text = text_of(value, "`endswith`")?;
    let end = args.text("end")?.unwrap_or_default();
    Ok(Value::Bool(text.ends_with(end)))
}

pub(super) fn string(work: &Work, value: &Value, _: Arguments<'_>) -> Result<Value, Mistake> {
    if let Value::Text(_) = value {
        return Ok(value.clone());
    }
    work.written(value).map(Value::from)
}

pub(super) fn tojson(work: &Work, value: &Value, _: Arguments<'_>) -> Result<Value, Mistake> {
    let mut output = Output::new(&work.budget, work.manner);
    output.json(value)?;
    Ok(Value::from(output.finish()))
}
