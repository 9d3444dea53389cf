//! The doors: HTTP and websockets, served by actix's workers.
//!
//! REST is plain actix-web. A websocket leaves actix after its handshake: the room `ws` owns the socket from then on.
//! Both ask the same function of `http::door` whether somebody may come in.
//! Two services are bound per worker, the App and beside it the upgrade service (see `ws::upgrade`).

mod admission;
mod http;
mod limits;
mod metrics;
mod settings;
mod shutdown;
mod ws;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::SystemTime;

use actix_http::HttpService;
use actix_server::Server as ActixServer;
use actix_service::{ServiceFactory, fn_factory, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, web};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::server::admission::Admission;
use crate::server::limits::{
    HTTP_KEEP_ALIVE, HTTP_STOP_SECONDS, LISTEN_BACKLOG, REQUEST_HEAD_DEADLINE,
};
use crate::server::metrics::ServerMetrics;

#[cfg(feature = "bench")]
#[doc(hidden)]
pub use ws::bench;

pub use settings::{ConnectionLimits, KeepAliveSettings, ServerSettings};

/// What all workers share.
#[derive(Clone)]
struct Doors(Arc<Shared>);

struct Shared {
    core: Arc<Core>,
    settings: Arc<ServerSettings>,
    metrics: Arc<ServerMetrics>,
    admission: Arc<Admission>,
    next_connection: AtomicU64,
    /// When this process began, in Unix seconds: the time of documents that have none of their own.
    began: u64,
    render_metrics: Box<dyn Fn() -> String + Send + Sync>,
}

impl std::ops::Deref for Doors {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The server, bound to its address and not yet serving.
pub struct Server {
    doors: Doors,
    listener: TcpListener,
    health: Option<TcpListener>,
    address: SocketAddr,
}

impl Server {
    /// Binds the addresses of the settings. `render_metrics` gives the text of `/metrics`.
    pub fn bind(
        core: Arc<Core>,
        settings: ServerSettings,
        render_metrics: impl Fn() -> String + Send + Sync + 'static,
    ) -> Result<Self, BindError> {
        let listener = listen(settings.listen)?;
        let health = settings.health_listen.map(listen).transpose()?;
        let address = listener.local_addr().map_err(|cause| BindError {
            address: settings.listen,
            cause,
        })?;
        let doors = Doors(Arc::new(Shared {
            core,
            admission: Arc::new(Admission::new(settings.limits.clone())),
            settings: Arc::new(settings),
            metrics: Arc::new(ServerMetrics::new()),
            next_connection: AtomicU64::new(1),
            began: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            render_metrics: Box::new(render_metrics),
        }));
        Ok(Self {
            doors,
            listener,
            health,
            address,
        })
    }

    /// Where clients come in.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is told to stop, then drains: see `shutdown.rs` for the order.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        let Self {
            doors,
            listener,
            health,
            ..
        } = self;
        let workers = match doors.settings.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        let mut builder = ActixServer::build()
            .workers(workers)
            .disable_signals()
            .shutdown_timeout(HTTP_STOP_SECONDS);
        let stopping = builder.graceful_shutdown_signal();
        let scope = if health.is_some() {
            http::Scope::WithoutHealth
        } else {
            http::Scope::Everything
        };
        let public = doors.clone();
        let ending = stopping.clone();
        builder = builder.listen("riser", listener, move || {
            // Trap: `AppConfig` says "http" and the address of nobody; what needs the real ones reads the request.
            let app = {
                let doors = public.clone();
                move || {
                    let doors = doors.clone();
                    map_config(
                        App::new()
                            .app_data(web::Data::new(doors.clone()))
                            .wrap_fn(|request, service| {
                                // actix ends the stream behind its answer to such a request, and does not say so.
                                let ends = request.head().upgrade();
                                let answer = actix_service::Service::call(service, request);
                                async move {
                                    let mut answer = answer.await?;
                                    if ends {
                                        let head = answer.response_mut().head_mut();
                                        head.set_connection_type(actix_http::ConnectionType::Close);
                                    }
                                    Ok::<_, actix_web::Error>(answer)
                                }
                            })
                            .configure(|config| http::configure(config, scope)),
                        |()| AppConfig::default(),
                    )
                }
            };
            let upgrade = {
                let (doors, app) = (public.clone(), app.clone());
                fn_factory(move || {
                    // A second instance of the App, for requests that only look like upgrades.
                    let (doors, strays) = (doors.clone(), app().new_service(()));
                    async move {
                        let worker = ws::worker_of_this_thread(&doors);
                        let strays = std::rc::Rc::new(strays.await?);
                        Ok::<_, ()>(fn_service(move |(request, framed)| {
                            ws::take_over(
                                doors.clone(),
                                std::rc::Rc::clone(&worker),
                                std::rc::Rc::clone(&strays),
                                request,
                                framed,
                            )
                        }))
                    }
                })
            };
            let ending = ending.clone();
            HttpService::<TcpStream, _, _, _, _>::build()
                .keep_alive(HTTP_KEEP_ALIVE)
                .client_request_timeout(REQUEST_HEAD_DEADLINE)
                .graceful_shutdown_signal(move || {
                    let ending = ending.clone();
                    async move { ending.notified().await }
                })
                .upgrade(upgrade)
                .finish(app())
                .tcp()
        })?;
        if let Some(health) = health {
            let doors = doors.clone();
            builder = builder.listen("health", health, move || {
                let doors = doors.clone();
                let ending = stopping.clone();
                let app = App::new()
                    .app_data(web::Data::new(doors))
                    .configure(|config| http::configure(config, http::Scope::HealthOnly));
                HttpService::<TcpStream, _, _, _, _>::build()
                    .keep_alive(HTTP_KEEP_ALIVE)
                    .client_request_timeout(REQUEST_HEAD_DEADLINE)
                    .graceful_shutdown_signal(move || {
                        let ending = ending.clone();
                        async move { ending.notified().await }
                    })
                    .finish(map_config(app, |()| AppConfig::default()))
                    .tcp()
            })?;
        }
        shutdown::run(builder.run(), &doors, stop).await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("could not listen on {address} ({cause})")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    pub cause: io::Error,
}

fn listen(address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // A restart must not wait for the connections of the process before it to time out.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(LISTEN_BACKLOG).unwrap_or(i32::MAX))?;
        Ok(socket.into())
    };
    open().map_err(|cause| BindError { address, cause })
}
