//! What a listener serves: a stream becomes plain HTTP by actix-web's App, or leaves actix by the upgrade service (see `ws::upgrade`).
//!
//! Separate because the types of these services cannot be named, and because plain and encrypted streams are served alike.

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::body::{BoxBody, MessageBody};
use actix_http::error::DispatchError;
use actix_http::{ConnectionType, Extensions, HttpService, Protocol, Request};
use actix_server::GracefulShutdownSignal;
use actix_service::{Service, ServiceFactory, fn_factory, fn_service, map_config};
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::Data;
use actix_web::{App, Error};
use futures_util::future::{Either, select};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::dialects::DialectKind;
use crate::server::ServerState;
use crate::server::expectations;
use crate::server::http::mounts::Site;
use crate::server::http::{cors, edge};
use crate::server::limits::{LINGER_DEADLINE, REQUEST_HEAD_DEADLINE};
use crate::server::offers::Offers;
use crate::server::paced::{Pace, Paced};
use crate::server::tls::{HandshakeError, Tls};
use crate::server::ws::{self, ClientStream};

/// A stream on its way to be served.
type Incoming<T> = (T, Protocol, Option<SocketAddr>);

/// Everything that clients come for, websockets included.
pub(super) fn everything<T: ClientStream>(
    state: ServerState,
    ending: GracefulShutdownSignal,
    site: Site,
) -> impl ServiceFactory<Incoming<T>, Config = (), Response = (), Error = DispatchError, InitError = ()>
{
    let upgrade = {
        let (state, site) = (state.clone(), site.clone());
        fn_factory(move || {
            // A second instance of the App, for requests that only look like upgrades.
            let strays = app(state.clone(), site.clone()).new_service(());
            let (state, site) = (state.clone(), site.clone());
            async move {
                let worker = ws::worker_of_this_thread(&state);
                let strays = Rc::new(strays.await?);
                Ok::<_, ()>(fn_service(move |(request, framed)| {
                    ws::take_over::<T, _, _>(
                        state.clone(),
                        site.clone(),
                        Rc::clone(&worker),
                        Rc::clone(&strays),
                        request,
                        framed,
                    )
                }))
            }
        })
    };
    let keep_alive = state.settings.http_keep_alive;
    let apps = move || app(state.clone(), site.clone());
    HttpService::<T, _, _, _, _>::build()
        .keep_alive(keep_alive)
        .client_request_timeout(REQUEST_HEAD_DEADLINE)
        .client_disconnect_timeout(LINGER_DEADLINE)
        .on_connect_ext(introduce::<T>)
        .graceful_shutdown_signal(notified(ending))
        .expect(expectations::handler(apps.clone()))
        .upgrade(upgrade)
        .finish(expectations::service(apps))
}

/// Plain HTTP, and no websockets.
pub(super) fn http_only(
    state: ServerState,
    ending: GracefulShutdownSignal,
    site: Site,
) -> impl ServiceFactory<
    Incoming<Offers<Paced>>,
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
> {
    let keep_alive = state.settings.http_keep_alive;
    let apps = move || app(state.clone(), site.clone());
    HttpService::<Offers<Paced>, _, _, _>::build()
        .keep_alive(keep_alive)
        .client_request_timeout(REQUEST_HEAD_DEADLINE)
        .client_disconnect_timeout(LINGER_DEADLINE)
        .on_connect_ext(introduce::<Offers<Paced>>)
        .graceful_shutdown_signal(notified(ending))
        .expect(expectations::handler(apps.clone()))
        .finish(expectations::service(apps))
}

/// Messages of a dialect, on streams without HTTP.
pub(super) fn streams(
    state: ServerState,
    kind: DialectKind,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = io::Error, InitError = ()> {
    fn_service(move |stream: TcpStream| {
        let state = state.clone();
        async move {
            let worker = ws::worker_of_this_thread(&state);
            ws::serve_stream(&state, &worker, kind, stream).await
        }
    })
}

/// Lets the requests of a stream know its pace.
fn introduce<T: ClientStream>(stream: &T, to: &mut Extensions) {
    if let Some(pace) = stream.pace() {
        to.insert(Rc::clone(pace));
    }
}

/// Takes streams as they come.
pub(super) fn unencrypted(
    state: ServerState,
) -> impl ServiceFactory<
    TcpStream,
    Config = (),
    Response = Incoming<Offers<Paced>>,
    Error = DispatchError,
    InitError = (),
> {
    fn_service(move |stream: TcpStream| {
        // A client that has gone by now is not served: its failures could not be counted against an address.
        let peer = stream.peer_addr().map_err(DispatchError::Io);
        ready(peer.map(|peer| {
            let stream = Offers::new(paced(&state, stream));
            (stream, Protocol::Http1, Some(peer))
        }))
    })
}

/// A stream of a client that has shown no credentials yet.
fn paced(state: &ServerState, stream: TcpStream) -> Paced {
    Paced::new(
        stream,
        state.strangers.enter(),
        state.settings.http_keep_alive,
    )
}

/// Takes streams once they have shaken hands. Who has not by the time that the server stops is not waited for.
pub(super) fn encrypted(
    state: ServerState,
    tls: Arc<Tls>,
    ending: GracefulShutdownSignal,
) -> impl ServiceFactory<
    TcpStream,
    Config = (),
    Response = Incoming<Offers<TlsStream<Paced>>>,
    Error = DispatchError,
    InitError = (),
> {
    fn_service(move |stream: TcpStream| {
        let (state, tls, ending) = (state.clone(), Arc::clone(&tls), ending.clone());
        async move {
            let peer = stream.peer_addr().map_err(DispatchError::Io)?;
            let stream = paced(&state, stream);
            let shaken = {
                let (handshake, ending) =
                    (Box::pin(tls.accept(stream)), Box::pin(ending.notified()));
                match select(handshake, ending).await {
                    Either::Left((shaken, _)) => shaken,
                    Either::Right(_) => return Err(DispatchError::DisconnectTimeout),
                }
            };
            match shaken {
                Ok(stream) => Ok((Offers::new(stream), Protocol::Http1, Some(peer))),
                Err(error) => {
                    state.metrics.handshakes_failed.increment(1);
                    tracing::debug!(%peer, %error, "the TLS handshake failed");
                    Err(match error {
                        HandshakeError::TooSlow => DispatchError::SlowRequestTimeout,
                        HandshakeError::Failed(cause) => DispatchError::Io(cause),
                    })
                }
            }
        }
    })
}

/// The App with the routes of an address.
fn app(
    state: ServerState,
    site: Site,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = ServiceResponse<impl MessageBody>,
    Error = Error,
    InitError = (),
    Future: 'static,
    Service: Service<Request, Future: 'static>,
> {
    let app = App::new()
        .app_data(Data::new(state))
        .app_data(site.clone())
        .app_data(site.transport())
        .wrap(from_fn(let_in))
        .wrap(from_fn(cors::share))
        .wrap(from_fn(edge::surround))
        .wrap_fn(|request, service| {
            // actix ends the stream behind its answer to such a request, and does not say so.
            let ends = request.head().upgrade();
            let pace = request.conn_data::<Rc<Pace>>().cloned();
            if let Some(pace) = &pace {
                pace.begin();
            }
            let answer = service.call(request);
            async move {
                let answer = answer.await;
                if let Some(pace) = &pace {
                    pace.end();
                }
                let mut answer = answer?;
                if ends {
                    let head = answer.response_mut().head_mut();
                    head.set_connection_type(ConnectionType::Close);
                }
                Ok::<_, Error>(answer)
            }
        })
        .configure(|config| site.configure(config));
    // Trap: `AppConfig` says "http" and a made-up address; code that needs the real ones reads the request.
    map_config(app, |()| AppConfig::default())
}

/// Lets a request through when the building is known, and what its credentials are has been asked for where they are known.
async fn let_in(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (Some(state), Some(site)) = (
        request.app_data::<Data<ServerState>>(),
        request.app_data::<Site>(),
    ) else {
        return next.call(request).await;
    };
    let words = site.words(request.path());
    if !site.answers_at_once(request.path())
        && let Some(refusal) = words.closed(state)
    {
        return Ok(request.into_response(refusal.to_response()));
    }
    words.recognise(state, request.head()).await;
    next.call(request).await
}

/// What an idle connection listens for, so that it does not hold up the end.
fn notified(
    ending: GracefulShutdownSignal,
) -> impl Fn() -> futures_util::future::LocalBoxFuture<'static, ()> {
    move || {
        let ending = ending.clone();
        Box::pin(async move { ending.notified().await })
    }
}
