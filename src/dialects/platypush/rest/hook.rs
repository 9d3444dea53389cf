//! What is answered to a request for a hook.

use indexmap::IndexMap;
use serde::Serialize;

use crate::dialects::platypush::errors::AuthError;
use crate::dialects::platypush::rest::answers::{self, Answer};
use crate::model::{FailureKind, HookOutcome, HookReply, HookRequest, JsonText};

/// What is answered: an answer with headers of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookAnswer {
    /// Status, type and body.
    pub answer: Answer,
    /// Further headers; one named `Content-Type` goes before the answer's own.
    pub headers: Vec<(String, String)>,
}

/// What is answered to a request for a hook.
pub fn hook_answer(request: &HookRequest, outcome: HookOutcome) -> HookAnswer {
    match outcome {
        HookOutcome::Unknown => of(unknown(request)),
        HookOutcome::NotAllowed { allow } => {
            let message = format!("{} is not possible here", request.method);
            let refused = AuthError::Refused {
                status: 405,
                message,
            };
            HookAnswer {
                headers: vec![("Allow".to_owned(), allow)],
                answer: answers::error(&refused),
            }
        }
        HookOutcome::Refused => of(Answer {
            status: 401,
            content_type: "text/html; charset=utf-8",
            body: b"Unauthorized".to_vec(),
        }),
        HookOutcome::Busy => of(answers::error(&AuthError::Refused {
            status: 429,
            message: "Too many requests at the moment".to_owned(),
        })),
        HookOutcome::Answered(reply) => answered(reply),
        HookOutcome::Failed(failure) => {
            // Whoever calls a hook is not known, and what went wrong inside is not for everybody.
            let status = match failure.kind() {
                FailureKind::TimedOut => 504,
                FailureKind::Busy => 429,
                FailureKind::SystemNotFound
                | FailureKind::ModuleNotFound
                | FailureKind::FunctionNotFound
                | FailureKind::BadRequest
                | FailureKind::Unauthenticated
                | FailureKind::UnknownKey
                | FailureKind::Forbidden
                | FailureKind::SystemOutOfReach
                | FailureKind::ModuleOutOfReach
                | FailureKind::Restricted
                | FailureKind::ProtectedModule
                | FailureKind::Unavailable
                | FailureKind::Lost
                | FailureKind::DriverFailed
                | FailureKind::TooLarge
                | FailureKind::Internal => 500,
            };
            of(answers::error(&AuthError::Refused {
                status,
                message: "The hook has failed".to_owned(),
            }))
        }
    }
}

fn of(answer: Answer) -> HookAnswer {
    HookAnswer {
        answer,
        headers: Vec::new(),
    }
}

/// What Platypush answers where nothing takes the request: the request itself.
fn unknown(request: &HookRequest) -> Answer {
    #[derive(Serialize)]
    struct Body<'b> {
        status: &'static str,
        hook: &'b str,
        method: &'b str,
        args: IndexMap<&'b str, &'b str>,
        data: &'b JsonText,
        headers: IndexMap<&'b str, &'b str>,
    }
    let args = request.args.iter().map(|(name, value)| (&**name, &**value));
    // Secrets are not repeated.
    let is_plain = |(name, _): &&(String, String)| !HookRequest::is_credential(name);
    let headers = request.headers.iter().filter(is_plain);
    let headers = headers.map(|(name, value)| (&**name, &**value));
    let body = Body {
        status: "ok",
        hook: &request.name,
        method: &request.method,
        args: args.collect(),
        data: &request.data,
        headers: headers.collect(),
    };
    Answer {
        status: 200,
        content_type: "application/json",
        body: serde_json::to_vec(&body).unwrap_or_default(),
    }
}

/// A text is answered as a page, as in Platypush, and everything else as JSON.
fn answered(reply: HookReply) -> HookAnswer {
    let HookReply {
        status,
        headers,
        body,
    } = reply;
    let page = "text/html; charset=utf-8";
    let (content_type, body) = match body.to::<String>() {
        Ok(text) => (page, text.into_bytes()),
        Err(_) if body.is_null() => (page, Vec::new()),
        Err(_) => ("application/json", body.as_str().as_bytes().to_vec()),
    };
    HookAnswer {
        answer: Answer {
            status,
            content_type,
            body,
        },
        headers,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::dialects::hook_request;
    use crate::model::Failure;

    fn asked(headers: &[(&str, &str)], query: &str, body: &[u8]) -> HookRequest {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()));
        let address = Ipv4Addr::LOCALHOST.into();
        hook_request("badge", "post", query, headers, body, address)
    }

    #[test]
    fn a_hook_that_nothing_has_is_answered_by_the_request_without_credentials() {
        let request = asked(&[("x-token", "s3cret"), ("host", "a.test")], "door=2", b"");
        let HookAnswer { answer, .. } = hook_answer(&request, HookOutcome::Unknown);
        assert_eq!(
            String::from_utf8(answer.body).unwrap(),
            r#"{"status":"ok","hook":"badge","method":"POST","args":{"door":"2"},"data":"","headers":{"Host":"a.test"}}"#
        );
    }

    #[test]
    fn what_a_hook_returns_is_a_page_or_json() {
        let answer = |body: &str| {
            let reply = HookReply {
                status: 201,
                headers: vec![("X-A".to_owned(), "1".to_owned())],
                body: JsonText::parse(body).unwrap(),
            };
            let HookAnswer { answer, headers } =
                hook_answer(&asked(&[], "", b""), HookOutcome::Answered(reply));
            assert_eq!((answer.status, headers.len()), (201, 1));
            (answer.content_type, String::from_utf8(answer.body).unwrap())
        };
        let page = "text/html; charset=utf-8";
        assert_eq!(answer("\"hi\""), (page, "hi".to_owned()));
        assert_eq!(answer("null"), (page, String::new()));
        assert_eq!(answer("[1, 2]"), ("application/json", "[1, 2]".to_owned()));
    }

    #[test]
    fn a_failure_is_told_without_its_reason() {
        let status = |outcome| {
            let HookAnswer { answer, .. } = hook_answer(&asked(&[], "", b""), outcome);
            let body = String::from_utf8(answer.body).unwrap();
            assert!(!body.contains("10.0.0.7"), "{body}");
            answer.status
        };
        let failed = |kind| HookOutcome::Failed(Failure::new(kind, "10.0.0.7 is away"));
        assert_eq!(status(failed(FailureKind::DriverFailed)), 500);
        assert_eq!(status(failed(FailureKind::TimedOut)), 504);
        assert_eq!(status(HookOutcome::Refused), 401);
        assert_eq!(status(HookOutcome::Busy), 429);
        let allow = "GET".to_owned();
        assert_eq!(status(HookOutcome::NotAllowed { allow }), 405);
    }
}
