//! Durations and sizes as people write them: `10s`, `500ms`, `64KiB`.

use std::time::Duration;

/// The longest duration, far beyond any use: longer ones could overflow the clock.
const DURATION_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A number and a unit; longer than zero and at most a day.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        _ => return None,
    };
    let duration = Duration::from_millis(number.checked_mul(milliseconds)?);
    (!duration.is_zero() && duration <= DURATION_MAX).then_some(duration)
}

/// A number of bytes, or a number and a unit; at most 1 GiB.
pub(super) fn size(text: &str) -> Option<usize> {
    let (number, unit) = number_and_unit(text)?;
    let bytes = match unit {
        "" | "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        "GiB" => 1024 * 1024 * 1024,
        _ => return None,
    };
    let size = number.checked_mul(bytes).filter(|size| *size <= 1 << 30)?;
    usize::try_from(size).ok()
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}
