//! Durations and sizes as people write them (`10s`, `500ms`, `64KiB`), paths to stand below, and origins.

use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::whole_number;
use crate::server::FolderSettings;

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

/// A path of plain segments, without the slash at its end: what means itself in a URL, a cookie and a page.
pub(super) fn base_path(text: &str) -> Option<String> {
    let path = text.trim();
    if path == "/" {
        return Some(String::new());
    }
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_segment = |segment: &str| {
        !segment.is_empty() && !matches!(segment, "." | "..") && segment.chars().all(is_plain)
    };
    let is_path = path.split('/').all(is_segment);
    is_path.then(|| format!("/{path}"))
}

/// A folder at a path, which may lack the slash at its end, with a file in it.
pub(super) fn folder(path: &str, folder: &str, fallback: Option<String>) -> Option<FolderSettings> {
    let path = base_path(path)? + "/";
    let folder = folder.trim();
    let is_name = |name: &String| {
        !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
    };
    let is_good = !folder.is_empty() && fallback.iter().all(is_name);
    is_good.then(|| FolderSettings {
        path,
        folder: PathBuf::from(folder),
        fallback,
    })
}

/// A scheme, a host and perhaps a port, in the form in which browsers send it.
pub(super) fn origin(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let authority = authority.strip_suffix(default_port).unwrap_or(authority);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_host = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            !host.is_empty() && host.chars().all(is_plain)
        }
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    (is_host && is_port).then(|| format!("{scheme}://{authority}"))
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((whole(number)?, unit.trim_start()))
}

/// A whole number, with zeros in front or behind a point too.
pub(super) fn whole(text: &str) -> Option<u64> {
    let number = text.parse().ok();
    number.or_else(|| u64::try_from(whole_number(text).ok()?).ok())
}
