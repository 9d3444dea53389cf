//! Answers of HTTP, as far as programs that ask one thing after the other over a connection need them.

use anyhow::{Context, Result, bail};
use memchr::memmem;

use crate::protocol::{line, number};

/// What ends the head of an answer.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// How many bytes an answer that says yes takes; `None` while it is incomplete.
pub(super) fn answer(bytes: &[u8]) -> Result<Option<usize>> {
    let Some(end) = memmem::find(bytes, HEAD_END) else {
        return Ok(None);
    };
    let length = header(bytes, b"content-length:").and_then(number);
    let (length, _) = length.context("an answer does not say how long it is")?;
    let body = end + HEAD_END.len();
    let whole = body + usize::try_from(length)?;
    if bytes.len() < whole {
        return Ok(None);
    }
    if !bytes.starts_with(b"HTTP/1.1 200") {
        let (first, _) = line(bytes).context("an answer has a first line")?;
        bail!(
            "an unexpected answer: {} {}",
            String::from_utf8_lossy(first),
            String::from_utf8_lossy(&bytes[body..whole])
        );
    }
    Ok(Some(whole))
}

/// The body of a whole answer.
pub(super) fn body(answer: &[u8]) -> &[u8] {
    let end = memmem::find(answer, HEAD_END);
    end.map_or(&[], |end| &answer[end + HEAD_END.len()..])
}

/// Whether the server ends the connection behind this whole answer.
pub(super) fn is_last(answer: &[u8]) -> bool {
    header(answer, b"connection:").is_some_and(|value| value.eq_ignore_ascii_case(b"close"))
}

/// What the head of an answer says behind this name, which has its colon.
fn header<'a>(answer: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (_, mut at) = line(answer)?;
    while let Some((header, used)) = line(&answer[at..])
        && !header.is_empty()
    {
        at += used;
        if let Some((is, value)) = header.split_at_checked(name.len())
            && is.eq_ignore_ascii_case(name)
        {
            return Some(value.trim_ascii());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_error_with_its_text() {
        let refused = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 10\r\n\r\nnot signed";
        let error = answer(refused).expect_err("it was refused").to_string();
        assert!(error.ends_with("401 Unauthorized not signed"), "{error}");
        assert_eq!(answer(&refused[..58]).expect("not yet"), None);
    }

    #[test]
    fn an_answer_without_a_length_is_an_error() {
        assert!(answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
