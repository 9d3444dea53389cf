//! A request to an address at which a hook or a webhook is called, in the words of the core.
//!
//! Separate because several dialects have such addresses.

use actix_web::HttpRequest;
use tokio::time::timeout;

use crate::dialects;
use crate::model::{Failure, FailureKind, HookOutcome, HookRequest};
use crate::server::ServerState;
use crate::server::http::kit::{address, reads_head};
use crate::server::limits::HOOK_ANSWER_DEADLINE;

/// What the request asks of the hook or webhook of this name.
pub(super) fn hook_request(request: &HttpRequest, name: &str, body: &[u8]) -> HookRequest {
    let method = match reads_head(request) {
        true => "HEAD",
        false => request.method().as_str(),
    };
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let (query, address) = (request.query_string(), address(request));
    dialects::hook_request(name, method, query, headers, body, address)
}

/// Does what stands behind the name, and waits for it no longer than a caller does. What was begun goes on.
pub(super) async fn call(state: &ServerState, request: HookRequest) -> HookOutcome {
    in_time(state.core.automation.hook(request)).await
}

async fn in_time(outcome: impl Future<Output = HookOutcome>) -> HookOutcome {
    let late = |_| {
        let message = "the hook has not answered yet; what it began goes on";
        HookOutcome::Failed(Failure::new(FailureKind::TimedOut, message))
    };
    timeout(HOOK_ANSWER_DEADLINE, outcome)
        .await
        .unwrap_or_else(late)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_hook_that_does_not_answer_is_late() {
        let HookOutcome::Failed(failure) = in_time(std::future::pending()).await else {
            panic!("it has no answer");
        };
        assert_eq!(failure.kind(), FailureKind::TimedOut);
    }

    #[test]
    fn a_request_says_what_it_has_in_its_query_and_its_headers() {
        let request = TestRequest::post()
            .uri("/hook/h?a=1&b=%2F&a=2")
            .insert_header(("x-hook-token", "t"))
            .to_http_request();
        let hook = hook_request(&request, "h", b"");
        assert_eq!((hook.name.as_str(), hook.method.as_str()), ("h", "POST"));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(hook.args, [pair("a", "1"), pair("b", "/")]);
        assert!(hook.headers.contains(&pair("X-Hook-Token", "t")));
    }
}
