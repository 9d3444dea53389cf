//! The body of a request, read whole and bounded.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::server::http::kit::{HttpDialect, HttpRejection};
use crate::server::limits::BODY_MAX_BYTES;

/// The bytes of a body. A dialect refuses in its own words a body that is too large or breaks off.
pub(in crate::server::http) struct Body<D> {
    pub(in crate::server::http) bytes: Bytes,
    dialect: PhantomData<D>,
}

impl<D: HttpDialect> FromRequest for Body<D> {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        async move {
            match bytes.await {
                Ok(bytes) => Ok(Self {
                    bytes,
                    dialect: PhantomData,
                }),
                Err(error) => Err(match error.as_response_error().status_code() {
                    status @ StatusCode::PAYLOAD_TOO_LARGE => D::rejection(
                        status,
                        &format!("the body is larger than {BODY_MAX_BYTES} bytes"),
                    ),
                    _ => D::rejection(StatusCode::BAD_REQUEST, "the body could not be read"),
                }),
            }
        }
        .boxed_local()
    }
}
