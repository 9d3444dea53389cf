//! The server: HTTP and websockets, on actix's workers.
//!
//! REST is plain actix-web. A websocket leaves actix after its handshake: the room `ws` owns the socket from then on.
//! `http::authn` authenticates the requests of both.
//! By TLS or not, a stream is served alike: `tls` shakes hands, `service` says what follows.

mod admission;
mod bodies;
mod expectations;
mod file_look;
mod http;
mod limits;
mod metrics;
mod offers;
mod paced;
mod passwords;
mod service;
mod settings;
mod shutdown;
mod strangers;
mod surroundings;
mod tls;
mod ws;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use actix_server::{Server as ActixServer, ServerBuilder};
use actix_service::ServiceFactoryExt;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::dialects::DialectKind;
use crate::model::rules::ForeignRules;
use crate::model::{Secret, Timestamp, UserId};
use crate::server::admission::Admission;
use crate::server::bodies::Bodies;
use crate::server::http::mounts::Site;
use crate::server::http::node_api::Orders;
use crate::server::http::{
    Fallbacks, LoginFlows, OnceDoor, PackedFiles, PlatypushDoor, PushjetDoor,
};
use crate::server::limits::{
    BODIES_MAX_BYTES, EVENT_STREAMS_MAX, HTTP_STOP_SECONDS, LISTEN_BACKLOG, STRANGERS_MAX_BYTES,
    WHOLE_BUILDINGS_AT_ONCE,
};
use crate::server::metrics::ServerMetrics;
use crate::server::passwords::Remembered;
use crate::server::strangers::Strangers;
use crate::server::surroundings::SurroundingsKeeper;
use crate::server::tls::Tls;

#[cfg(feature = "bench")]
#[doc(hidden)]
pub use ws::bench;

pub use file_look::FileLook;
pub use settings::{
    ConnectionLimits, CreateSettings, FolderSettings, HomeAssistantSettings, KeepAliveSettings,
    ListenerSettings, PlainSettings, PlatypushSettings, ProxyHeaderSettings, ProxySettings,
    PushjetSettings, ServerSettings, ServingSettings, TlsSettings,
};
pub use tls::{CertificateError, CertificateKeeper};

/// What a building is held to by those who ask for it over HTTP.
pub fn foreign_rules() -> ForeignRules<'static> {
    http::foreign_rules()
}

/// What all workers share.
#[derive(Clone)]
struct ServerState(Arc<ServerStateInner>);

struct ServerStateInner {
    core: Arc<Core>,
    settings: Arc<ServerSettings>,
    metrics: Arc<ServerMetrics>,
    admission: Arc<Admission>,
    strangers: Arc<Strangers>,
    bodies: Arc<Bodies>,
    /// Places for reads and writes of a whole building.
    whole_buildings: Arc<Semaphore>,
    surroundings: Arc<SurroundingsKeeper>,
    next_connection: AtomicU64,
    /// The order in which calls of other nodes begin.
    orders: Orders,
    /// The sign-ins that wait for a name and a password.
    login_flows: LoginFlows,
    /// Files for browsers, compressed.
    packed: PackedFiles,
    /// The demo's address that signs in once.
    once: OnceDoor,
    /// The sessions of pages that have no websocket.
    fallbacks: Fallbacks,
    /// How fast Pushjet's clients may go, and who of them may make services.
    pushjet: PushjetDoor,
    /// What requests of Platypush's clients share.
    platypush: PlatypushDoor,
    /// Passwords that were good a moment ago.
    remembered: Remembered,
    /// Places for streams of events over HTTP.
    event_streams: Arc<Semaphore>,
    /// When this process began, in Unix seconds: the time of documents that have none of their own.
    began: u64,
    /// The specification of the HTTP edge, made at the first request for it.
    specification: OnceLock<String>,
    render_metrics: Box<dyn Fn() -> String + Send + Sync>,
}

impl std::ops::Deref for ServerState {
    type Target = ServerStateInner;

    fn deref(&self) -> &ServerStateInner {
        &self.0
    }
}

/// The server, bound to its address and not yet serving.
pub struct Server {
    state: ServerState,
    listener: TcpListener,
    /// What the streams of `listener` are encrypted by.
    tls: Option<Arc<Tls>>,
    keeper: Option<CertificateKeeper>,
    plain: Option<(PlainSettings, TcpListener)>,
    health: Option<TcpListener>,
    /// The addresses that dialects have for themselves.
    own: Vec<(ListenerSettings, TcpListener)>,
    address: SocketAddr,
}

impl Server {
    /// Reads the certificate and binds the addresses of the settings. `render_metrics` gives the text of `/metrics`.
    pub fn bind(
        core: Arc<Core>,
        settings: ServerSettings,
        render_metrics: impl Fn() -> String + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let keeper = settings.tls.as_ref().map(CertificateKeeper::start);
        let keeper = keeper.transpose()?;
        let listener = listen(settings.listen, "--listen")?;
        let health = settings.health_listen;
        let health = health.map(|address| listen(address, "`health_listen`"));
        let health = health.transpose()?;
        let plain = match settings.tls.as_ref().and_then(|tls| tls.plain) {
            Some(plain) => {
                let listener = listen(plain.listen(), "`tls.plain_listen`")?;
                let address = listener.local_addr().unwrap_or(plain.listen());
                tracing::info!(%address, "there is a plain address beside the encrypted one");
                Some((plain, listener))
            }
            None => None,
        };
        let address = listener.local_addr().map_err(|cause| BindError {
            address: settings.listen,
            setting: "--listen".to_owned(),
            cause,
        })?;
        let own = settings.own_listeners.iter();
        let own = own.filter(|own| settings.opens(own.dialect)).map(|own| {
            let listener = listen(own.listen, &format!("`{}`", own.setting))?;
            Ok::<_, BindError>((*own, listener))
        });
        let own = own.collect::<Result<Vec<_>, _>>()?;
        let metrics = Arc::new(ServerMetrics::new());
        let strangers = Strangers::new(
            settings.limits.strangers_max,
            STRANGERS_MAX_BYTES,
            metrics.strangers_cut.clone(),
        );
        let state = ServerState(Arc::new(ServerStateInner {
            surroundings: Arc::new(SurroundingsKeeper::new(Arc::clone(&core.views))),
            core,
            admission: Arc::new(Admission::new(settings.limits.clone())),
            strangers: Arc::new(strangers),
            bodies: Arc::new(Bodies::new(BODIES_MAX_BYTES)),
            whole_buildings: Arc::new(Semaphore::new(WHOLE_BUILDINGS_AT_ONCE)),
            settings: Arc::new(settings),
            metrics,
            next_connection: AtomicU64::new(1),
            orders: Orders::default(),
            login_flows: LoginFlows::default(),
            packed: PackedFiles::default(),
            fallbacks: Fallbacks::default(),
            once: OnceDoor::default(),
            pushjet: PushjetDoor::default(),
            platypush: PlatypushDoor::default(),
            remembered: Remembered::default(),
            event_streams: Arc::new(Semaphore::new(EVENT_STREAMS_MAX)),
            began: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            specification: OnceLock::new(),
            render_metrics: Box::new(render_metrics),
        }));
        Ok(Self {
            state,
            listener,
            tls: keeper.as_ref().map(CertificateKeeper::tls),
            keeper,
            plain,
            health,
            own,
            address,
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stands in front of every path there; empty for nothing.
    pub fn base_path(&self) -> &str {
        &self.state.settings.base_path
    }

    /// The dialects that have an address of their own, and where that is.
    pub fn own_addresses(&self) -> io::Result<Vec<OwnAddress>> {
        let addresses = self.own.iter().map(|(own, listener)| {
            Ok(OwnAddress {
                dialect: own.dialect,
                serves: own.serves,
                address: listener.local_addr()?,
            })
        });
        addresses.collect()
    }

    /// Whether clients connect by TLS.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Says when the certificate ends, where there is one.
    pub fn certificate_end(&self) -> Option<impl Fn() -> Timestamp + Send + Sync + use<>> {
        let tls = self.tls.clone()?;
        Some(move || Timestamp::from_secs(tls.ends()))
    }

    /// What keeps the certificate fresh, when there is one; it is to be run beside the server.
    pub fn certificate_keeper(&mut self) -> Option<CertificateKeeper> {
        self.keeper.take()
    }

    /// What opens the state, when the building is known.
    pub fn readiness_gate(&self) -> ReadinessGate {
        ReadinessGate(self.state.clone())
    }

    /// Serves until `stop` is cancelled, then drains: see `shutdown.rs` for the order.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        let Self {
            state,
            listener,
            tls,
            plain,
            health,
            own,
            address,
            ..
        } = self;
        let workers = match state.settings.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        let builder = ActixServer::build()
            .workers(workers)
            .disable_signals()
            .shutdown_timeout(HTTP_STOP_SECONDS);
        let main = Site::main(&state.settings);
        let tls = tls.as_ref();
        let mut builder =
            listen_for_clients(builder, "riser", listener, &state, tls, main.clone())?;
        for (own, listener) in own {
            builder = listen_for_dialect(builder, own, listener, &state, tls)?;
        }
        builder = match plain {
            None => builder,
            Some((PlainSettings::Stay(_), listener)) => {
                listen_for_all(builder, "plain", listener, &state, main)?
            }
            Some((PlainSettings::Redirect(_), listener)) => {
                let site = Site::redirect(&state.settings, address.port());
                listen_for_http(builder, "plain", listener, &state, site)?
            }
        };
        if let Some(health) = health {
            let site = Site::health(&state.settings);
            builder = listen_for_http(builder, "health", health, &state, site)?;
        }
        tokio::select! {
            served = shutdown::run(builder.run(), &state, stop) => served,
            never = state.surroundings.keep() => match never {},
        }
    }
}

/// An address that a dialect has for itself, as it is listened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnAddress {
    /// The word of the dialect.
    pub dialect: &'static str,
    /// What is served there.
    pub serves: ServingSettings,
    /// Where.
    pub address: SocketAddr,
}

/// Opens a running server to clients. Before that only health is answered, and clients are asked to try again.
pub struct ReadinessGate(ServerState);

impl ReadinessGate {
    /// Lets clients in.
    pub fn open(&self) {
        self.0.admission.open();
    }

    /// Lets clients in to the demo building, where anyone may do what an operator would have to allow otherwise, unless the settings say something else.
    /// This secret signs this user in at the console, once.
    pub fn open_demo(&self, once: Secret, user: UserId) {
        self.0.once.open(once, user);
        self.0.pushjet.show_the_demo();
        self.open();
    }
}

impl fmt::Debug for ReadinessGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadinessGate").finish_non_exhaustive()
    }
}

/// Serves what a dialect has at an address of its own.
fn listen_for_dialect(
    builder: ServerBuilder,
    own: ListenerSettings,
    listener: TcpListener,
    state: &ServerState,
    tls: Option<&Arc<Tls>>,
) -> io::Result<ServerBuilder> {
    let kind = || {
        let kind = DialectKind::of_name(own.dialect);
        kind.ok_or_else(|| io::Error::other(format!("`{}` is for no dialect", own.setting)))
    };
    let site = match own.serves {
        ServingSettings::Everything => Site::of_dialect(own.dialect),
        ServingSettings::Websocket => Site::of_websocket(kind()?),
        ServingSettings::Stream => {
            let (kind, state) = (kind()?, state.clone());
            return builder.listen(own.setting, listener, move || {
                service::streams(state.clone(), kind)
            });
        }
    };
    listen_for_clients(builder, own.setting, listener, state, tls, site)
}

/// Serves everything, by TLS where there is a certificate.
fn listen_for_clients(
    builder: ServerBuilder,
    name: &str,
    listener: TcpListener,
    state: &ServerState,
    tls: Option<&Arc<Tls>>,
    site: Site,
) -> io::Result<ServerBuilder> {
    match tls {
        None => listen_for_all(builder, name, listener, state, site),
        Some(tls) => listen_by_tls(builder, name, listener, state, tls, site.by_tls()),
    }
}

/// Serves everything at a plain address.
fn listen_for_all(
    builder: ServerBuilder,
    name: &str,
    listener: TcpListener,
    state: &ServerState,
    site: Site,
) -> io::Result<ServerBuilder> {
    let (state, ending) = (state.clone(), builder.graceful_shutdown_signal());
    builder.listen(name, listener, move || {
        let served = service::everything(state.clone(), ending.clone(), site.clone());
        service::unencrypted(state.clone()).and_then(served)
    })
}

/// Serves everything at an encrypted address.
fn listen_by_tls(
    builder: ServerBuilder,
    name: &str,
    listener: TcpListener,
    state: &ServerState,
    tls: &Arc<Tls>,
    site: Site,
) -> io::Result<ServerBuilder> {
    let (state, tls, ending) = (
        state.clone(),
        Arc::clone(tls),
        builder.graceful_shutdown_signal(),
    );
    builder.listen(name, listener, move || {
        let served = service::everything(state.clone(), ending.clone(), site.clone());
        service::encrypted(state.clone(), Arc::clone(&tls), ending.clone()).and_then(served)
    })
}

/// Serves plain HTTP, and no websockets.
fn listen_for_http(
    builder: ServerBuilder,
    name: &str,
    listener: TcpListener,
    state: &ServerState,
    site: Site,
) -> io::Result<ServerBuilder> {
    let (state, ending) = (state.clone(), builder.graceful_shutdown_signal());
    builder.listen(name, listener, move || {
        let served = service::http_only(state.clone(), ending.clone(), site.clone());
        service::unencrypted(state.clone()).and_then(served)
    })
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken or not ours.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("could not listen on {address} ({cause}); choose another with {setting}")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// What sets it, for people.
    pub setting: String,
    /// What the system says.
    pub cause: io::Error,
}

fn listen(address: SocketAddr, setting: &str) -> Result<TcpListener, BindError> {
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
    open().map_err(|cause| BindError {
        address,
        setting: setting.to_owned(),
        cause,
    })
}
