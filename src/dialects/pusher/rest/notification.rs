//! A notification for phones, as libraries sent it until 2017: its interests and what it says.
//!
//! An interest is the name of a service whose messages devices read; phones themselves are reached no more.

use serde::Deserialize;
use serde_json::Value;

use crate::dialects::pusher::rest::ApiRefusal;
use crate::model::{MessageLevel, Notice};

/// The most interests of a notification.
const INTERESTS_MAX: usize = 10;

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// For whom it is, by the names of services: one at least.
    pub interests: Vec<String>,
    /// What it says; `None` when it has no text for people, as one that only wakes an app.
    pub notice: Option<Notice>,
}

#[derive(Deserialize)]
struct Body {
    interests: Vec<String>,
    apns: Option<Value>,
    gcm: Option<Value>,
    // Nothing that could fail is left when the answer is given, so there is nobody to tell.
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
        let apns = body
            .apns
            .as_ref()
            .and_then(|apns| says(&apns["aps"]["alert"]));
        let gcm = || says(&body.gcm.as_ref()?["notification"]);
        Ok(Self {
            notice: apns.or_else(gcm),
            interests: body.interests,
        })
    }
}

/// What an alert says: it is a text, or has a `body` and perhaps a `title`.
fn says(alert: &Value) -> Option<Notice> {
    let field = |name: &str| alert[name].as_str().unwrap_or_default();
    let (text, title) = match alert.as_str() {
        Some(text) => (text, ""),
        None => (field("body"), field("title")),
    };
    (!text.is_empty()).then(|| Notice {
        text: text.to_owned(),
        title: title.to_owned(),
        link: String::new(),
        level: MessageLevel::USUAL,
    })
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
    fn what_it_says_is_a_message_for_people() {
        let notice = |parts: &str| {
            let body = format!("{{\"interests\":[\"a\"],{parts}}}");
            let notice = Notification::read(body.as_bytes())
                .expect("it is good")
                .notice;
            notice.map(|notice| (notice.title, notice.text))
        };
        let said = |title: &str, text: &str| Some((title.to_owned(), text.to_owned()));
        assert_eq!(notice(r#""apns":{"aps":{"alert":"hot"}}"#), said("", "hot"));
        let titled = r#""apns":{"aps":{"alert":{"title":"Boiler","body":"hot"}}}"#;
        assert_eq!(notice(titled), said("Boiler", "hot"));
        let gcm = r#""gcm":{"notification":{"title":"Boiler","body":"hot"}}"#;
        assert_eq!(notice(gcm), said("Boiler", "hot"));
        let both = r#""apns":{"aps":{"badge":1}},"gcm":{"notification":{"body":"hot"}}"#;
        assert_eq!(notice(both), said("", "hot"));
        for silent in [r#""gcm":{"data":{}}"#, r#""apns":7"#] {
            assert_eq!(notice(silent), None);
        }
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
