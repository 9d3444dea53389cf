//! A notification for phones, as libraries sent it until 2017: its interests and what it says.
//!
//! It is read and checked. Alerts, which interests name, are no part of this dialect.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::dialects::pusher::rest::ApiRefusal;

/// The most interests of a notification.
const INTERESTS_MAX: usize = 10;

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// For whom it is, by the names of interests: one at least.
    pub interests: Vec<String>,
}

#[derive(Deserialize)]
struct Body {
    interests: Vec<String>,
    apns: Option<IgnoredAny>,
    gcm: Option<IgnoredAny>,
    #[serde(rename = "webhook_url")]
    _webhook_url: Option<String>,
    webhook_level: Option<String>,
}

impl Notification {
    pub(super) fn read(body: &[u8]) -> Result<Self, ApiRefusal> {
        let body: Body = serde_json::from_slice(body).map_err(|_| {
            ApiRefusal::bad("The body must be a JSON object with a list of texts in `interests`")
        })?;
        if !(1..=INTERESTS_MAX).contains(&body.interests.len()) {
            return Err(ApiRefusal::bad(format!(
                "There must be 1 to {INTERESTS_MAX} interests"
            )));
        }
        if body.apns.is_none() && body.gcm.is_none() {
            return Err(ApiRefusal::bad("There must be `apns` or `gcm`"));
        }
        match body.webhook_level.as_deref() {
            None | Some("INFO" | "DEBUG") => {}
            Some(_) => return Err(ApiRefusal::bad("`webhook_level` must be INFO or DEBUG")),
        }
        let interests = body.interests;
        Ok(Self { interests })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: Result<&[&str], &str>) {
        let read = Notification::read(body.as_bytes());
        match (read, expect) {
            (Ok(read), Ok(expect)) => assert_eq!(read.interests, expect),
            (Err(refusal), Err(part)) => {
                assert_eq!(refusal.status, 400);
                assert!(refusal.text.contains(part), "{}", refusal.text);
            }
            (read, _) => panic!("{body}: {read:?}"),
        }
    }

    #[test]
    fn a_notification_has_interests_and_something_for_phones() {
        let apns = r#"{"interests":["boiler"],"apns":{"aps":{"alert":"hot"}},"webhook_url":"http://a.test","webhook_level":"INFO"}"#;
        check(apns, Ok(&["boiler"]));
        check(r#"{"interests":["a","b"],"gcm":{}}"#, Ok(&["a", "b"]));
    }

    #[test]
    fn what_is_missing_or_too_much_is_said() {
        let many = vec!["a"; 11];
        let many = format!("{{\"interests\":{many:?},\"gcm\":{{}}}}");
        for (body, part) in [
            ("nothing", "JSON object"),
            (r#"{"gcm":{}}"#, "interests"),
            (r#"{"interests":"a","gcm":{}}"#, "interests"),
            (r#"{"interests":[],"gcm":{}}"#, "1 to 10"),
            (&many, "1 to 10"),
            (r#"{"interests":["a"]}"#, "`apns` or `gcm`"),
            (r#"{"interests":["a"],"gcm":null}"#, "`apns` or `gcm`"),
            (
                r#"{"interests":["a"],"gcm":{},"webhook_level":"x"}"#,
                "INFO",
            ),
        ] {
            check(body, Err(part));
        }
    }
}
