//! Signed requests: which app's server sends one, and what it says in its query.
//!
//! A request is signed over its method, its path and its parameters, one of which is the MD5 of its body.
//! Clients escape in different ways before or after they sign, so several texts are tried: a match of any is proof.
//! What is read afterwards are the parameters by which the signature was good, and no others.

use std::fmt;

use md5::{Digest, Md5};
use percent_encoding::percent_decode_str;

use crate::dialects::pusher::rest::ApiRefusal;
use crate::dialects::pusher::rest::parameters::{Decoding, Parameters};
use crate::dialects::pusher::signature::is_signed;
use crate::model::{AppKey, ChannelApp, Timestamp};

/// How far the time of a request may be from ours.
const SKEW_MAX_SECONDS: u64 = 600;

/// How much of a signature that is wrong is said back.
const SHOWN_MAX_CHARS: usize = 100;

const KEY: &str = "auth_key";
const TIMESTAMP: &str = "auth_timestamp";
const VERSION: &str = "auth_version";
const SIGNATURE: &str = "auth_signature";
const BODY_MD5: &str = "body_md5";

/// The head of a request as it came.
#[derive(Clone, Copy)]
pub struct RawHead<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path, nothing decoded, without the query.
    pub path: &'a str,
    /// The query, nothing decoded, without its question mark.
    pub query: &'a str,
}

/// The query opens the door for ten minutes.
impl fmt::Debug for RawHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawHead")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A request whose signature is good. It is over the MD5 of the body, so the head alone says whose request it is.
#[derive(Debug)]
pub struct Signed {
    /// The app whose server sends it.
    pub app: ChannelApp,
    /// The key by which it is signed. No secret.
    pub key: String,
    /// The parameters, all of them signed.
    pub parameters: Parameters,
}

impl Signed {
    /// Finds out whose request it is at this moment. `app` is the id that the path has, if it has one; `find` finds a key.
    ///
    /// # Errors
    ///
    /// With 400 a key that no app has, else with 401.
    pub fn verify<'d>(
        head: &RawHead<'_>,
        app: Option<&str>,
        find: impl FnOnce(&str) -> Option<(&'d ChannelApp, &'d AppKey)>,
        now: Timestamp,
    ) -> Result<Self, ApiRefusal> {
        let shown = Parameters::read(head.query, Decoding::Percent).unwrap_or_default();
        let need = |name| shown.get(name).ok_or_else(|| missing(name, head.query));
        let (owner, key) = find(need(KEY)?).ok_or_else(|| ApiRefusal::bad("Unknown auth_key"))?;
        if need(VERSION)? != "1.0" {
            return Err(ApiRefusal::unauthorized(
                "Version not supported: auth_version must be 1.0",
            ));
        }
        check_time(need(TIMESTAMP)?, now)?;
        let parameters = check_signature(head, key, need(SIGNATURE)?)?;
        if app.is_some_and(|app| app != owner.id.as_str()) {
            return Err(ApiRefusal::unauthorized(
                "The auth_key is not one of the app in the path",
            ));
        }
        Ok(Self {
            app: owner.clone(),
            key: key.key.clone(),
            parameters,
        })
    }

    /// Whether this is the body that was signed.
    ///
    /// # Errors
    ///
    /// With 401 another body, or one of which nothing was signed.
    pub fn check_body(&self, body: &[u8]) -> Result<(), ApiRefusal> {
        let Some(shown) = self.parameters.get(BODY_MD5) else {
            return match body.is_empty() {
                true => Ok(()),
                false => Err(ApiRefusal::unauthorized(format!(
                    "{BODY_MD5} is missing: it must be the MD5 of the body in lower-case hexadecimal digits"
                ))),
            };
        };
        if shown == digest(body) {
            return Ok(());
        }
        Err(ApiRefusal::unauthorized(format!(
            "Invalid {BODY_MD5}: it is not the MD5 of the body that came, in lower-case hexadecimal digits"
        )))
    }
}

fn missing(name: &str, query: &str) -> ApiRefusal {
    let hint = match query.is_empty() {
        true => "; the request came without any query: a proxy on the way may have dropped it",
        false => "",
    };
    ApiRefusal::unauthorized(format!("{name} is missing{hint}"))
}

fn check_time(shown: &str, now: Timestamp) -> Result<(), ApiRefusal> {
    let given: Option<u64> = shown.parse().ok();
    let given = given.ok_or_else(|| {
        ApiRefusal::unauthorized(format!("{TIMESTAMP} must be a time in whole Unix seconds"))
    })?;
    let now = now.as_secs();
    if given.abs_diff(now) <= SKEW_MAX_SECONDS {
        return Ok(());
    }
    let (given, now) = (date(given), date(now));
    Err(ApiRefusal::unauthorized(format!(
        "Timestamp expired: Given timestamp ({given}) not within {SKEW_MAX_SECONDS}s of server time ({now})"
    )))
}

/// `2026-12-01T08:00:00Z`.
fn date(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).ok();
    let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// The parameters as they were signed.
fn check_signature(
    head: &RawHead<'_>,
    key: &AppKey,
    shown: &str,
) -> Result<Parameters, ApiRefusal> {
    let decoded_path = percent_decode_str(head.path).decode_utf8_lossy();
    let mut first = None;
    for decoding in Decoding::ALL {
        let Some(parameters) = Parameters::read(head.query, decoding) else {
            continue;
        };
        for path in [head.path, &decoded_path] {
            let signed = parameters.signed_text(SIGNATURE);
            let text = format!("{}\n{path}\n{signed}", head.method);
            if is_signed(&key.secret, text.as_bytes(), shown) {
                return Ok(parameters);
            }
            first.get_or_insert(text);
            if path == decoded_path {
                break;
            }
        }
    }
    let expected = first.unwrap_or_default();
    let shown: String = shown.chars().take(SHOWN_MAX_CHARS).collect();
    Err(ApiRefusal::unauthorized(format!(
        "Invalid signature: you should have sent HmacSHA256Hex({expected:?}, your_secret_key), but you sent {shown:?}"
    )))
}

fn digest(body: &[u8]) -> String {
    let digest = Md5::digest(body);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
