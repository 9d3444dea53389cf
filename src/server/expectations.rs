//! Requests whose body waits until it is asked for, by `Expect: 100-continue` (RFC 9110 section 10.1.1).
//!
//! actix asks for such a body before the App has seen the head. So the App begins to serve the request in actix's handler of expectations,
//! where its answer is still the only one, and actix asks for the body when the App first wants it.
//! Separate because it lies between actix and the App, and knows neither a stream nor a resource.

use std::cell::Cell;
use std::future::{poll_fn, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::body::{BoxBody, MessageBody};
use actix_http::error::PayloadError;
use actix_http::{ConnectionType, HttpMessage, Payload, Request, Response};
use actix_service::{Service, ServiceFactory, fn_factory, fn_service};
use actix_web::Error;
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, Stream};

/// What comes of a request.
type Answer = Result<Response<BoxBody>, Error>;

/// A request that the App has begun to serve; it travels through actix in the extensions of another.
struct Begun(LocalBoxFuture<'static, Answer>);

/// A body that tells when it is wanted.
struct AwaitedBody {
    payload: Payload,
    wanted: Rc<Cell<bool>>,
}

impl Stream for AwaitedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.wanted.set(true);
        Pin::new(&mut this.payload).poll_next(cx)
    }
}

/// The App, which goes on with what it [has begun](handler).
pub(super) fn service<A, B>(
    app: impl Fn() -> A,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = Response<BoxBody>,
    Error = Error,
    InitError = (),
    Service: Service<Request, Response = Response<BoxBody>, Error = Error, Future: 'static>,
    Future: 'static,
>
where
    A: ServiceFactory<
            Request,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
            Service: Service<Request, Future: 'static> + 'static,
            Future: 'static,
        > + 'static,
    B: MessageBody + 'static,
{
    fn_factory(move || {
        let app = app().new_service(());
        async move {
            let app = Rc::new(app.await?);
            Ok::<_, ()>(fn_service(move |request: Request| {
                let begun = request.extensions_mut().remove::<Begun>();
                match begun {
                    Some(Begun(serving)) => serving,
                    None => serve(&*app, request),
                }
            }))
        }
    })
}

/// Begins to serve requests whose body waits: gives the answer, or a request to go on with as soon as the body is wanted.
pub(super) fn handler<A, B>(
    app: impl Fn() -> A,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = Request,
    Error = Response<BoxBody>,
    InitError = (),
    Service: Service<Request, Response = Request, Error = Response<BoxBody>, Future: 'static>,
    Future: 'static,
>
where
    A: ServiceFactory<
            Request,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
            Service: Service<Request, Future: 'static> + 'static,
            Future: 'static,
        > + 'static,
    B: MessageBody + 'static,
{
    fn_factory(move || {
        let app = app().new_service(());
        async move {
            let app = Rc::new(app.await?);
            Ok::<_, ()>(fn_service(move |request: Request| {
                begin(Rc::clone(&app), request)
            }))
        }
    })
}

async fn begin<S, B>(app: Rc<S>, mut request: Request) -> Result<Request, Response<BoxBody>>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error, Future: 'static>,
    B: MessageBody + 'static,
{
    let wanted = Rc::new(Cell::new(false));
    let body = AwaitedBody {
        payload: request.take_payload(),
        wanted: Rc::clone(&wanted),
    };
    let payload: Payload = Payload::Stream {
        payload: Box::pin(body),
    };
    let mut serving = serve(&*app, request.replace_payload(payload).0);
    let served = poll_fn(|cx| match serving.poll_unpin(cx) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending if wanted.get() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await;
    let begun = match served {
        None => serving,
        // The body came unasked.
        Some(answer) if wanted.get() => ready(answer).boxed_local(),
        Some(answer) => {
            let mut answer = answer.unwrap_or_else(Response::from);
            // The client may send the body all the same or leave it out, so what comes next could be either.
            let head = answer.head_mut();
            head.set_connection_type(ConnectionType::Close);
            return Err(answer);
        }
    };
    let request = Request::new();
    request.extensions_mut().insert(Begun(begun));
    Ok(request)
}

fn serve<S, B>(app: &S, request: Request) -> LocalBoxFuture<'static, Answer>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error, Future: 'static>,
    B: MessageBody + 'static,
{
    let answer = app.call(request);
    let answer = answer.map(|answer| Ok(Response::from(answer?).map_into_boxed_body()));
    answer.boxed_local()
}
