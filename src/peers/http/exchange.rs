//! One connection that carries calls, one at a time.
//!
//! No task of its own drives it: it moves while a caller waits for its answer, and is dropped with that caller.

use std::fmt;
use std::pin::{Pin, pin};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use crate::peers::PeerError;
use crate::peers::http::connect::Stream;
use crate::peers::limits::ANSWER_MAX_BYTES;

/// A call on the wire.
pub(super) type Ask = Request<Full<Bytes>>;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection had ended before a byte of the call was written: the call can go over another.
    NotSent(Box<Ask>),
    /// It was sent.
    Sent(PeerError),
}

/// A connection.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Pin<Box<http1::Connection<TokioIo<Stream>, Full<Bytes>>>>,
    /// When its last answer came.
    pub(super) rests_since: Instant,
}

impl Connection {
    /// Begins on a stream.
    pub(super) async fn new(stream: Stream) -> Result<Self, PeerError> {
        let (sender, driver) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| PeerError::Unreachable(error.to_string()))?;
        Ok(Self {
            sender,
            driver: Box::pin(driver),
            rests_since: Instant::now(),
        })
    }

    /// Asks, and hands the connection back if it can be used again. Dropping the future ends the connection.
    pub(super) async fn exchange(self, ask: Ask) -> Result<(Answer, Option<Self>), Broken> {
        let Self {
            mut sender,
            mut driver,
            ..
        } = self;
        let answer = {
            let mut answer = pin!(ask_and_read(&mut sender, ask));
            tokio::select! {
                biased;
                // First, so that the end of a connection that has rested is seen before anything is written to it.
                _ = &mut driver => {
                    // Trap: what it has not taken it gives back only when it is dropped.
                    drop(driver);
                    // What was read before the end is still to be handed over.
                    return Ok((answer.await?, None));
                }
                answer = &mut answer => answer?,
            }
        };
        let connection = Self {
            sender,
            driver,
            rests_since: Instant::now(),
        };
        Ok((answer, Some(connection)))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

async fn ask_and_read(sender: &mut SendRequest<Full<Bytes>>, ask: Ask) -> Result<Answer, Broken> {
    if sender.ready().await.is_err() {
        return Err(Broken::NotSent(Box::new(ask)));
    }
    let response =
        sender
            .try_send_request(ask)
            .await
            .map_err(|mut error| match error.take_message() {
                Some(ask) => Broken::NotSent(Box::new(ask)),
                None => Broken::Sent(PeerError::Lost(error.into_error().to_string())),
            })?;
    read(response).await.map_err(Broken::Sent)
}

async fn read(response: Response<Incoming>) -> Result<Answer, PeerError> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_MAX_BYTES).collect().await;
    let body = body.map_err(|error| PeerError::Lost(error.to_string()))?;
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.to_bytes(),
    })
}
