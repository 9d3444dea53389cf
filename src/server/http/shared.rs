//! A path that several dialects have at the main address: its body is read, and then each is asked in order whether the request is its own.
//!
//! Separate because no dialect knows another, and because the body decides. Which paths these are stands in the mount table.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::server::ServerState;
use crate::server::http::kit::{HttpDialect, HttpRejection, read_body};
use crate::server::limits::FORM_MAX_BYTES;

/// A dialect that has the path.
pub(super) struct Claimant {
    /// Its word: it is asked only while it is open.
    pub(super) owner: &'static str,
    /// Whether a request is its own, by the body.
    pub(super) claims: fn(&ServerState, &HttpRequest, &Bytes) -> bool,
    /// The answer to a request that is.
    pub(super) answer:
        fn(Data<ServerState>, HttpRequest, Bytes) -> LocalBoxFuture<'static, HttpResponse>,
}

/// The form of a request to a shared path. A body that cannot be read is refused in the words of the dialect `D`.
pub(super) struct SharedForm<D> {
    bytes: Bytes,
    dialect: PhantomData<fn() -> D>,
}

impl<D: HttpDialect> FromRequest for SharedForm<D> {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read_body::<D>(request, payload, FORM_MAX_BYTES);
        async move {
            Ok(Self {
                bytes: body.await?.bytes,
                dialect: PhantomData,
            })
        }
        .boxed_local()
    }
}

/// Has the first dialect that claims a request answer it, or the last that is open; `None` while none is.
pub(super) async fn answer<D>(
    claimants: &[Claimant],
    state: Data<ServerState>,
    request: HttpRequest,
    form: SharedForm<D>,
) -> Option<HttpResponse> {
    let open = || {
        let claimants = claimants.iter();
        claimants.filter(|claimant| state.settings.opens(claimant.owner))
    };
    let claimant = open()
        .find(|claimant| (claimant.claims)(&state, &request, &form.bytes))
        .or_else(|| open().next_back())?;
    let answer = claimant.answer;
    Some(answer(state, request, form.bytes).await)
}
