//! The body of a request, read whole: bounded in size, in time and in what all bodies hold together.
//!
//! It is read behind the extractors that let a caller in, and what its head says of it is looked at before any of it is.
//! A client that sends it too slowly is answered like one that sends too much: the rest of the body is not waited for.

use std::marker::PhantomData;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, HeaderValue, RETRY_AFTER};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use crate::server::bodies::BodyPlace;
use crate::server::http::kit::{HttpDialect, HttpRejection, state_of};
use crate::server::limits::{
    BODY_BEGIN_DEADLINE, BODY_BYTES_PER_SECOND_MIN, BODY_MAX_BYTES, BODY_STEP_BYTES,
    BODY_STEP_DEADLINE, SMALL_BODY_BYTES,
};

/// The bytes of a body. A dialect refuses in its own words a body that is too large, too slow or breaks off.
#[derive(Debug)]
pub(in crate::server::http) struct Body<D> {
    pub(in crate::server::http) bytes: Bytes,
    /// Of what is beyond a small body; held for as long as the bytes are.
    _place: BodyPlace,
    dialect: PhantomData<fn() -> D>,
}

/// The largest body of the resources that it is given to, in place of [`BODY_MAX_BYTES`].
#[derive(Debug, Clone, Copy)]
pub(in crate::server::http) struct BodyMax(pub(in crate::server::http) usize);

/// Why a body is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    TooLarge,
    TooSlow,
    /// All bodies together hold as much as they may.
    Crowded,
    /// It broke off, or is no body.
    Broken,
}

impl<D: HttpDialect> FromRequest for Body<D> {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let most = request.app_data::<BodyMax>();
        read_body(request, payload, most.map_or(BODY_MAX_BYTES, |most| most.0))
    }
}

/// Reads the body of a request, of so many bytes at most.
pub(in crate::server::http) fn read_body<D: HttpDialect>(
    request: &HttpRequest,
    payload: &mut Payload,
    most: usize,
) -> LocalBoxFuture<'static, Result<Body<D>, HttpRejection>> {
    let place = state_of(request).map(|state| state.bodies.place());
    let declared = request.headers().get(CONTENT_LENGTH).map(length);
    let payload = payload.take();
    async move {
        let (bytes, place) = read(payload, declared, most, place?)
            .await
            .map_err(|refused| refused.worded::<D>(most))?;
        Ok(Body {
            bytes: Bytes::from(bytes),
            _place: place,
            dialect: PhantomData,
        })
    }
    .boxed_local()
}

/// A length that no number holds is larger than any body may be.
fn length(declared: &HeaderValue) -> usize {
    let declared = declared.to_str().ok();
    declared
        .and_then(|declared| declared.parse().ok())
        .unwrap_or(usize::MAX)
}

async fn read(
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    declared: Option<usize>,
    most: usize,
    place: BodyPlace,
) -> Result<(Vec<u8>, BodyPlace), Refused> {
    if declared.is_some_and(|declared| declared > most) {
        return Err(Refused::TooLarge);
    }
    let (mut payload, mut place) = (payload, place);
    let mut bytes = Vec::new();
    let mut pace = BodyPace::new(Instant::now());
    loop {
        let chunk = match timeout_at(pace.until(), payload.next()).await {
            Err(_) => return Err(Refused::TooSlow),
            Ok(None) => return Ok((bytes, place)),
            Ok(Some(Err(PayloadError::Overflow))) => return Err(Refused::TooLarge),
            Ok(Some(Err(_))) => return Err(Refused::Broken),
            Ok(Some(Ok(chunk))) => chunk,
        };
        if chunk.len() > most - bytes.len() {
            return Err(Refused::TooLarge);
        }
        let counted = |length: usize| length.saturating_sub(SMALL_BODY_BYTES);
        place
            .grow(counted(bytes.len() + chunk.len()) - counted(bytes.len()))
            .map_err(|_| Refused::Crowded)?;
        make_room(&mut bytes, chunk.len(), declared.unwrap_or(most));
        bytes.extend_from_slice(&chunk);
        pace.heard(bytes.len(), Instant::now());
    }
}

/// Grows as vectors do, but never beyond what is to come: what is claimed costs nothing until it is there.
fn make_room(bytes: &mut Vec<u8>, more: usize, in_all: usize) {
    if bytes.capacity() - bytes.len() < more {
        let doubled = bytes.len().saturating_mul(2).min(in_all);
        let wanted = doubled.max(bytes.len() + more);
        bytes.reserve_exact(wanted - bytes.len());
    }
}

/// How fast a body has to come: a part of it every few seconds, and all of it at a least rate. The first alone would let who begins fast
/// go on for hours, the second who sends nearly everything at once wait for as long as all of it might have taken.
struct BodyPace {
    began: Instant,
    length: usize,
    step_began: Instant,
    step_from: usize,
}

impl BodyPace {
    fn new(now: Instant) -> Self {
        Self {
            began: now,
            length: 0,
            step_began: now,
            step_from: 0,
        }
    }

    fn heard(&mut self, length: usize, now: Instant) {
        self.length = length;
        if length - self.step_from >= BODY_STEP_BYTES {
            (self.step_began, self.step_from) = (now, length);
        }
    }

    /// When more has to have come.
    fn until(&self) -> Instant {
        let seconds = self.length as u64 / BODY_BYTES_PER_SECOND_MIN;
        let in_all = self.began + BODY_BEGIN_DEADLINE + Duration::from_secs(seconds);
        in_all.min(self.step_began + BODY_STEP_DEADLINE)
    }
}

impl Refused {
    fn worded<D: HttpDialect>(self, most: usize) -> HttpRejection {
        match self {
            Self::TooLarge => D::rejection(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("the body is larger than {most} bytes"),
            ),
            Self::TooSlow => D::rejection(
                StatusCode::REQUEST_TIMEOUT,
                "the body does not come fast enough; send it again over a better connection",
            ),
            Self::Crowded => D::rejection(
                StatusCode::SERVICE_UNAVAILABLE,
                "the gateway is reading as many bodies as it can hold; try again later",
            )
            .with_header(RETRY_AFTER, HeaderValue::from_static("1")),
            Self::Broken => D::rejection(StatusCode::BAD_REQUEST, "the body could not be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::stream;

    use super::*;
    use crate::server::bodies::Bodies;

    type Chunk = Result<Bytes, PayloadError>;

    fn chunk(bytes: usize) -> Chunk {
        Ok(Bytes::from(vec![b'a'; bytes]))
    }

    /// Chunks that come so far apart, and behind them nothing for ever.
    fn trickle(chunks: Vec<usize>, pause: Duration) -> impl Stream<Item = Chunk> + Unpin {
        let come = stream::iter(chunks).then(move |bytes| async move {
            tokio::time::sleep(pause).await;
            chunk(bytes)
        });
        Box::pin(come.chain(stream::pending()))
    }

    fn place() -> BodyPlace {
        Arc::new(Bodies::new(usize::MAX)).place()
    }

    async fn refused(payload: impl Stream<Item = Chunk> + Unpin, most: usize) -> Refused {
        read(payload, None, most, place()).await.unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_one_byte_short_of_whole_is_held_for_seconds_only() {
        let began = Instant::now();
        let nearly_all = trickle(vec![1 << 20; 16], Duration::ZERO);
        assert_eq!(refused(nearly_all, 1 << 30).await, Refused::TooSlow);
        let held = began.elapsed();
        assert!(
            held <= BODY_STEP_DEADLINE + Duration::from_millis(100),
            "{held:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_cut_and_one_of_a_slow_line_is_not() {
        let second = Duration::from_secs(1);
        let byte_by_byte = trickle(vec![1; 1_000], second);
        assert_eq!(refused(byte_by_byte, 1 << 20).await, Refused::TooSlow);
        // Each part in time, and all of it too slow.
        let began = Instant::now();
        let a_step = trickle(vec![BODY_STEP_BYTES; 1_000], 4 * second);
        assert_eq!(refused(a_step, 1 << 30).await, Refused::TooSlow);
        assert!(began.elapsed() < Duration::from_secs(60));
        let rate = usize::try_from(BODY_BYTES_PER_SECOND_MIN).unwrap();
        let slow_line = trickle(vec![rate; 100], second).take(100);
        let read = read(slow_line, None, 1 << 30, place()).await;
        assert_eq!(read.map(|(bytes, _)| bytes.len()).ok(), Some(100 * rate));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_head_says_is_believed_when_it_says_too_much_and_costs_nothing_when_it_does_not()
    {
        let never = stream::pending::<Chunk>();
        let claimed = read(never, Some(101), 100, place()).await;
        assert_eq!(claimed.unwrap_err(), Refused::TooLarge);
        let mut bytes = Vec::new();
        make_room(&mut bytes, 10, 1 << 30);
        assert!(bytes.capacity() < 100);
        bytes.resize(1_000, 0);
        bytes.shrink_to_fit();
        make_room(&mut bytes, 10, 1_010);
        assert_eq!(bytes.capacity(), 1_010);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_without_a_length_is_bounded_all_the_same() {
        let chunks = vec![chunk(60), chunk(40), chunk(1)];
        assert_eq!(refused(stream::iter(chunks), 100).await, Refused::TooLarge);
        let all = Arc::new(Bodies::new(50));
        let chunks = stream::iter(vec![chunk(SMALL_BODY_BYTES + 30), chunk(30)]);
        let crowded = read(chunks, None, 1 << 20, all.place()).await;
        assert_eq!(crowded.unwrap_err(), Refused::Crowded);
        let mut others = all.place();
        assert_eq!(others.grow(50), Ok(()), "it is given back");
        let small = stream::iter(vec![chunk(SMALL_BODY_BYTES)]);
        let small = read(small, None, 1 << 20, all.place()).await;
        assert!(small.is_ok(), "there is always room for a small one");
    }
}
