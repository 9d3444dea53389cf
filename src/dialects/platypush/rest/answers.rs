//! The bodies of answers.

use serde::Serialize;

use crate::dialects::platypush::actions::user_number;
use crate::dialects::platypush::errors::AuthError;
use crate::dialects::platypush::message::{BadRequest, MessageId, put_response};
use crate::model::{JsonText, KeptToken, KeptTokenKind, Secret, Timestamp, UserId};

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    fn json(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: "application/json",
            body,
        }
    }

    fn of(status: u16, json: &impl Serialize) -> Self {
        // Every map here has texts for keys, so nothing fails.
        Self::json(status, serde_json::to_vec(json).unwrap_or_default())
    }
}

/// The response to a request for an action.
pub fn response(id: &MessageId, at: Timestamp, outcome: Result<&JsonText, &str>) -> Answer {
    let mut body = Vec::new();
    put_response(id, at, outcome, &mut body);
    Answer::json(200, body)
}

/// Nothing is said: to an event, or a response.
pub fn nothing() -> Answer {
    Answer::json(200, b"{}".to_vec())
}

/// A body that is no message. Platypush answered some of these by 500.
pub fn bad_message(why: BadRequest) -> Answer {
    Answer::of(
        400,
        &ErrorShape {
            code: 400,
            error: "BAD_REQUEST",
            message: &why.to_string(),
        },
    )
}

#[derive(Serialize)]
struct ErrorShape<'a> {
    code: u16,
    error: &'a str,
    message: &'a str,
}

/// A refusal.
pub fn error(error: &AuthError) -> Answer {
    Answer::of(
        error.status(),
        &ErrorShape {
            code: error.status(),
            error: error.name(),
            message: &error.to_string(),
        },
    )
}

/// It was done.
pub fn done() -> Answer {
    #[derive(Serialize)]
    struct Body {
        status: &'static str,
    }
    Answer::of(200, &Body { status: "ok" })
}

/// A session, for the page that has it.
#[derive(Debug)]
pub struct SessionShape<'s> {
    /// Whose it is.
    pub user: &'s UserId,
    /// Its secret.
    pub session: &'s Secret,
    /// What the page shows beside it.
    pub csrf: &'s str,
    /// Where the page goes on: a path of the gateway.
    pub redirect: &'s str,
}

/// A session. When it ends is not said: it goes on for as long as it is used.
pub fn session(shape: &SessionShape<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body<'b> {
        status: &'static str,
        user_id: u32,
        session_token: &'b str,
        csrf_token: &'b str,
        expires_at: Option<String>,
        redirect: &'b str,
    }
    Answer::of(
        200,
        &Body {
            status: "ok",
            user_id: user_number(shape.user.as_str()),
            session_token: shape.session.expose(),
            csrf_token: shape.csrf,
            expires_at: None,
            redirect: own_path(shape.redirect),
        },
    )
}

/// A path of the gateway; anything else leads to its first page.
fn own_path(path: &str) -> &str {
    let is_own = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    if is_own { path } else { "/" }
}

/// Who a client is that shows no session.
pub fn token_user(user: &UserId) -> Answer {
    #[derive(Serialize)]
    struct Body<'b> {
        status: &'static str,
        user_id: u32,
        username: &'b str,
    }
    Answer::of(
        200,
        &Body {
            status: "ok",
            user_id: user_number(user.as_str()),
            username: user.as_str(),
        },
    )
}

/// A token that has just been made. Nothing else shows it.
pub fn token(token: &Secret) -> Answer {
    #[derive(Serialize)]
    struct Body<'b> {
        token: &'b str,
    }
    Answer::of(
        200,
        &Body {
            token: token.expose(),
        },
    )
}

/// The tokens that last, of one user. Those of other clients' apps are not among them.
pub fn tokens(kept: &[KeptToken]) -> Answer {
    #[derive(Serialize)]
    struct Body<'b> {
        tokens: Vec<Shape<'b>>,
    }
    #[derive(Serialize)]
    struct Shape<'b> {
        id: String,
        name: &'b str,
        created_at: Option<String>,
        expires_at: Option<String>,
    }
    let lasting = kept.iter().filter_map(|token| match &token.kind {
        KeptTokenKind::LongLived { name, .. } => Some((token, name)),
        KeptTokenKind::Client(_) => None,
    });
    let shapes = lasting.map(|(token, name)| Shape {
        id: token.id.to_string(),
        name,
        created_at: token.made.map(http_date),
        expires_at: Some(http_date(token.expires)),
    });
    Answer::of(
        200,
        &Body {
            tokens: shapes.collect(),
        },
    )
}

/// A moment as HTTP has it.
fn http_date(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SessionId;

    fn text(answer: Answer) -> String {
        String::from_utf8(answer.body).unwrap()
    }

    #[test]
    fn a_refusal_has_its_status_in_the_body() {
        let refused = error(&AuthError::InvalidCredentials);
        assert_eq!(refused.status, 401);
        assert_eq!(
            text(refused),
            r#"{"code":401,"error":"INVALID_CREDENTIALS","message":"Invalid credentials"}"#
        );
    }

    #[test]
    fn a_session_leads_to_no_other_host() {
        let user = UserId::new("ops").unwrap();
        let of = |redirect: &str| {
            text(session(&SessionShape {
                user: &user,
                session: &Secret::new("s"),
                csrf: "c",
                redirect,
            }))
        };
        assert!(of("/plugin/x").ends_with(r#""expires_at":null,"redirect":"/plugin/x"}"#));
        for bad in [
            "//elsewhere.test",
            "http://elsewhere.test",
            "/\\elsewhere.test",
            "",
        ] {
            assert!(of(bad).ends_with(r#""redirect":"/"}"#), "{bad}");
        }
    }

    #[test]
    fn tokens_are_listed_without_themselves_and_without_other_apps() {
        let kept = |kind| KeptToken {
            id: SessionId(7),
            kind,
            made: Some(1_760_000_000),
            used: None,
            expires: 1_760_086_400,
            is_current: false,
        };
        let lasting = kept(KeptTokenKind::LongLived {
            name: "tablet".to_owned(),
            icon: None,
        });
        let app = kept(KeptTokenKind::Client("http://a.test".to_owned()));
        assert_eq!(
            text(tokens(&[lasting, app])),
            r#"{"tokens":[{"id":"00000000000000000000000000000007","name":"tablet","created_at":"Thu, 09 Oct 2025 08:53:20 GMT","expires_at":"Fri, 10 Oct 2025 08:53:20 GMT"}]}"#
        );
    }
}
