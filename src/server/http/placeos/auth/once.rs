//! The demo's way in for the person who has started it: an address that signs in once.
//!
//! The secret stands behind the `#` of that address, which no browser sends; the console posts it here.
//! Nothing but the demo opens this door, and nobody from another machine comes through it.

use std::net::IpAddr;
use std::sync::Mutex;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, post};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use crate::dialects::placeos::rest::{ErrorShape, Parameters};
use crate::model::{Secret, UserId, lock};
use crate::server::ServerState;
use crate::server::http::kit::address;
use crate::server::http::placeos::Answer;
use crate::server::http::placeos::auth::session::with_session;
use crate::server::http::placeos::auth::{Form, retry_after, unkept, verdict};
use crate::server::http::placeos::rejections::rejection;
use crate::server::limits::ONCE_LIFE;

/// What signs in once, while there is something.
#[derive(Debug, Default)]
pub(in crate::server) struct OnceDoor(Mutex<Option<Pass>>);

#[derive(Debug)]
struct Pass {
    secret: Secret,
    user: UserId,
    until: Instant,
}

impl OnceDoor {
    /// From now on, and for a while, this secret signs this user in.
    pub(in crate::server) fn open(&self, secret: Secret, user: UserId) {
        let until = Instant::now() + ONCE_LIFE;
        *lock(&self.0) = Some(Pass {
            secret,
            user,
            until,
        });
    }

    /// Whom it signs in. A wrong secret uses the door up as the right one does, so nobody can try.
    fn pass(&self, shown: &Secret, from: IpAddr) -> Option<UserId> {
        if !from.to_canonical().is_loopback() {
            return None;
        }
        let pass = lock(&self.0).take()?;
        let is_right = pass
            .secret
            .expose()
            .as_bytes()
            .ct_eq(shown.expose().as_bytes());
        (bool::from(is_right) && Instant::now() < pass.until).then_some(pass.user)
    }
}

/// Signs the browser of the person in who has started the demo, by the `token` that it has printed. Good once, for ten minutes, from the same machine.
#[utoipa::path(
    tag = "auth",
    security(()), request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 202, description = "The browser has a session."),
        (status = 403, description = "A page of another origin asks."),
        (status = 408, description = "The form does not come fast enough.", body = ErrorShape<'_>),
        (status = 410, description = "It was shown before, is too old, or there is none.", body = ErrorShape<'_>),
        (status = 413, description = "The form is too large.", body = ErrorShape<'_>),
        (status = "default", description = "503 not at the moment.", body = Object),
    )
)]
#[post("/auth/once")]
pub(super) async fn sign_in_once(
    state: Data<ServerState>,
    request: HttpRequest,
    form: Form,
) -> Answer {
    let parameters = Parameters::read("", form.bytes());
    let shown = Secret::new(parameters.get("token").unwrap_or_default());
    let from = address(&request);
    let Some(user) = state.once.pass(&shown, from) else {
        state.metrics.not_let_in.increment(1);
        return Err(rejection(
            StatusCode::GONE,
            "this address signs in once, within ten minutes and from the machine of the demo",
        ));
    };
    match state.core.sign_ins.sign_in_known(&user, from).await {
        Ok(cookie) => {
            let response = unkept(StatusCode::ACCEPTED);
            Ok(with_session(response, &state, &request, Some(&cookie)))
        }
        Err(failure) => {
            let (status, _, wait) = verdict(&failure);
            let mut response = rejection(status, &failure.to_string()).to_response();
            retry_after(&mut response, wait);
            Ok(response)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn open() -> OnceDoor {
        let door = OnceDoor::default();
        door.open(Secret::new("right"), user());
        door
    }

    fn user() -> UserId {
        UserId::new("user-demo").unwrap()
    }

    #[tokio::test]
    async fn the_right_secret_signs_in_once() {
        let door = open();
        assert_eq!(door.pass(&Secret::new("right"), HERE), Some(user()));
        assert_eq!(door.pass(&Secret::new("right"), HERE), None);
    }

    #[tokio::test]
    async fn a_wrong_secret_uses_it_up() {
        let door = open();
        assert_eq!(door.pass(&Secret::new("wrong"), HERE), None);
        assert_eq!(door.pass(&Secret::new("right"), HERE), None);
    }

    #[tokio::test]
    async fn another_machine_neither_comes_in_nor_uses_it_up() {
        let door = open();
        let there = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(door.pass(&Secret::new("right"), there), None);
        assert_eq!(door.pass(&Secret::new("right"), HERE), Some(user()));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_too_old_after_ten_minutes() {
        let door = open();
        tokio::time::advance(ONCE_LIFE).await;
        assert_eq!(door.pass(&Secret::new("right"), HERE), None);
    }

    #[test]
    fn without_a_demo_there_is_none() {
        let door = OnceDoor::default();
        assert_eq!(door.pass(&Secret::new(""), HERE), None);
    }
}
