//! The composition root: the only room that names every other.
//!
//! It owns the runtimes. Connections live on actix's workers, modules on their executor inside the driver runtime, everything else on the main one.
//!
//! - `source` says where the building comes from, `reload` reads its file again.
//! - `embedded` runs the gateway inside of another program.
//! - `check` looks for mistakes, `admin` edits a store at rest, `service_manager` says how far the gateway is.

mod admin;
#[cfg(test)]
mod automation_tests;
mod check;
mod cluster;
mod command;
mod embedded;
mod reload;
mod service_manager;
mod source;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use driver_sdk::Definition;
use futures_util::future::{Either, select};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_rustls::rustls;
use tokio_util::sync::CancellationToken;

use crate::automation::{CertificateEnd, OwnAlerts, OwnHost};
use crate::building_file::{self, KnownDriver, Problems as BuildingProblems};
use crate::config::{self, Flags, Problems as ConfigProblems, Settings};
use crate::core::{
    Apply, Core, CorePorts, EditError, ForeignForms, MakeMessageStore, MakeTopicStore, OpenError,
};
use crate::dialects::placeos::{claims, permissions};
use crate::driver_host::executor::ModuleExecutor;
use crate::driver_host::hosts::Hosts;
use crate::driver_host::in_process::InProcessHost;
use crate::driver_host::process::ProcessHost;
use crate::driver_host::{DriverHost, HostError, Spawn};
use crate::model::{Building, Clock, Source, Timestamp};
use crate::observability::{self, Metrics, ObservabilityError, Repeats};
use crate::peers::http::PlaceOsApiError;
use crate::server::{BindError, CertificateError, OwnAddress, Server, ServingSettings, StartError};
use crate::stores::embedded::{
    EmbeddedDocumentStore, EmbeddedMessageStore, EmbeddedStatusStore, EmbeddedTopicStore,
};
use crate::stores::redis::BadRedisAddress;
use crate::stores::{DocumentStore, StoreError};
use crate::webhooks::WebhookSender;

use cluster::{ClusterStores, Tries, goes_over, open_patiently, roots_of_the_system};
use embedded::{Door, Embedding};
use reload::Reload;
use source::{BuildingFile, Demo, fresh_secret, is_for_the_demo, known, known_drivers};

pub use crate::core::Rehearsal;
pub use crate::core::{CommandMessage, CommandRefusal};
pub use admin::{AdminCommand, AdminError, AdminTarget, NewKey, run_admin_command};
pub use check::{Checked, check, verdict_line};
pub use command::{Command, InvalidCommand};
pub use embedded::{Announcement, Binding, Gateway, GatewayBuilder, GatewayError, Subscription};

/// The fewest threads for drivers, so that one that blocks stops no other module.
const DRIVER_THREADS_MIN: usize = 4;

/// Threads for timers and supervision, which have little to do.
const MAIN_THREADS: usize = 2;

/// How long work that is left over may hold up the end of the process.
const RUNTIME_STOP_DEADLINE: Duration = Duration::from_millis(200);

/// SIGXFSZ, which has this number on every Unix but one that riser does not run on.
const FILE_SIZE_SIGNAL: i32 = 25;

/// Tokens and permissions have PlaceOS's form, in every dialect.
const FORMS: ForeignForms = ForeignForms {
    write_claims: claims::write,
    read_claims: claims::read,
    read_permissions: permissions::read,
    governs: permissions::governs,
};

/// Why the gateway did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] ConfigProblems),
    /// The building file cannot be read.
    #[error("{file}: could not read the building file ({cause}); name another with --building")]
    UnreadableBuilding {
        /// The file.
        file: String,
        /// What the system says.
        cause: io::Error,
    },
    /// A file that is to be checked cannot be read.
    #[error("{file}: could not read the file ({cause}); check the path and its permissions")]
    UnreadableFile {
        /// The file.
        file: String,
        /// What the system says.
        cause: io::Error,
    },
    /// A file that is to be checked is neither a building file nor a file of settings.
    #[error(
        "{file}: neither a building file (.yaml, .yml, .json) nor a file of settings (.toml); rename it or name another"
    )]
    NeitherKind {
        /// The file.
        file: String,
    },
    /// The building file has mistakes.
    #[error(transparent)]
    Building(#[from] BuildingProblems),
    /// The address is taken or not ours.
    #[error(transparent)]
    Bind(BindError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Certificate(CertificateError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store holds no sound building.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The building file does not go together with what else is in the store, or could not be kept.
    #[error("the building file could not be applied: {0}")]
    Edit(#[from] EditError),
    /// A piece of work did not come to its end.
    #[error("reading the building file was interrupted")]
    Interrupted,
    /// The address of Redis, or what it takes to reach it, cannot be used.
    #[error("`redis.url` {0}")]
    Redis(#[from] BadRedisAddress),
    /// The other nodes could not reach this one.
    #[error(
        "the other nodes cannot know where this one is, since it listens on every address; name one that they can reach with --advertise, such as http://10.0.0.7:3000"
    )]
    Advertise,
    /// The PlaceOS's address or TLS set-up cannot be used.
    #[error("{0}")]
    PlaceOsApi(#[from] PlaceOsApiError),
    /// TLS to others cannot be set up.
    #[error("TLS cannot be set up to ask other nodes ({0})")]
    Tls(#[from] rustls::Error),
    /// A linked-in driver cannot be used.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Logging or metrics could not be set up.
    #[error(transparent)]
    Observability(#[from] ObservabilityError),
    /// The system refused something that every process needs.
    #[error("could not {doing}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl AppError {
    /// The exit code: 2 for what the operator can put right, 1 for the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(_)
            | Self::UnreadableBuilding { .. }
            | Self::UnreadableFile { .. }
            | Self::NeitherKind { .. }
            | Self::Building(_)
            | Self::Store(_)
            | Self::Open(_)
            | Self::Edit(_)
            | Self::Bind(_)
            | Self::Certificate(_)
            | Self::Redis(_)
            | Self::Advertise
            | Self::PlaceOsApi(_)
            | Self::Host(_) => 2,
            Self::Tls(_) | Self::Interrupted | Self::Observability(_) | Self::System { .. } => 1,
        }
    }
}

impl From<StartError> for AppError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Bind(error) => Self::Bind(error),
            StartError::Certificate(error) => Self::Certificate(error),
        }
    }
}

/// Runs the gateway until it is told to stop by a signal.
pub fn serve(
    directory: &Path,
    flags: &Flags,
    environment: &BTreeMap<String, String>,
) -> Result<(), AppError> {
    let settings = config::load(directory, flags, environment)?;
    let definitions = driver_registry::drivers();
    let drivers = known_drivers();
    let file = settings
        .building
        .as_ref()
        .map(|path| {
            let file = BuildingFile::new(path, &drivers, environment);
            BuildingAtStart::read(file.with_admin(settings.admin_secret.clone()))
        })
        .transpose()?;
    let repeats = observability::start_logging(&settings.log, settings.log_format)?;
    let metrics = observability::start_metrics()?;
    raise_open_files();
    let surroundings = Surroundings::Process(repeats.clone());
    let ended = run(
        settings,
        definitions,
        file,
        environment,
        metrics,
        surroundings,
    );
    repeats.tell_rest();
    ended
}

/// What a gateway runs in.
enum Surroundings {
    /// A process of its own, which signals stop, and whose log counts what repeats.
    Process(Repeats),
    /// A program that embeds it.
    Program(Embedding),
}

impl Surroundings {
    fn door(&self) -> Door {
        match self {
            Self::Process(_) => Door::Open,
            Self::Program(embedding) => embedding.door,
        }
    }
}

/// Runs the gateway until its surroundings stop it.
fn run(
    settings: Settings,
    definitions: Vec<Definition>,
    file: Option<BuildingAtStart>,
    environment: &BTreeMap<String, String>,
    metrics: Metrics,
    surroundings: Surroundings,
) -> Result<(), AppError> {
    let drivers = known(&definitions);
    let main = runtime("riser-main", MAIN_THREADS)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let driver_threads = threads.max(DRIVER_THREADS_MIN);
    let driver_runtime = runtime("riser-driver", driver_threads)?;
    let executor =
        ModuleExecutor::start(driver_threads, driver_runtime.handle()).map_err(|source| {
            AppError::System {
                doing: "start a thread for modules",
                source,
            }
        })?;
    let executor = Arc::new(executor);
    let in_process = InProcessHost::new(definitions, driver_runtime.handle().clone())?;
    let report_blocked = in_process.report_blocked();
    let in_process = Arc::new(in_process) as Arc<dyn DriverHost>;
    let processes = ProcessHost::new(
        folder_of_drivers(settings.building.as_deref()),
        environment,
        settings.processes,
        driver_runtime.handle().clone(),
    );
    let processes = Arc::new(processes) as Arc<dyn DriverHost>;
    let own = Arc::new(OwnHost::new(
        main.handle().clone(),
        clock(),
        settings.data.as_deref(),
    ));
    let hosts = [
        ("the linked-in drivers", in_process),
        ("the processes", processes),
        ("riser itself", Arc::clone(&own) as Arc<dyn DriverHost>),
    ];
    let host = Arc::new(Hosts::new(hosts)?);
    let mut cluster = match &settings.redis {
        Some(redis) => Some(ClusterStores::new(redis, &settings.cluster)?),
        None => None,
    };
    let documents = match &cluster {
        Some(cluster) => cluster.documents(),
        None => Arc::new(documents(settings.data.as_deref())?) as Arc<dyn DocumentStore>,
    };
    let key_inspector = match (&cluster, &settings.placeos_api) {
        (Some(cluster), Some(api)) => Some(cluster.key_inspector(api)?),
        // The settings have an API of a PlaceOS only beside its Redis.
        (Some(_) | None, _) => None,
    };
    let ours = cluster.as_ref().map(ClusterStores::ports);
    let topics = cluster.as_ref();
    let topics = topics.map_or_else(embedded_topics, ClusterStores::topics);
    let messages = match &cluster {
        Some(cluster) => cluster.messages(),
        None => embedded_messages(settings.data.as_deref())?,
    };
    let core = Arc::new(Core::new(
        settings.core,
        |feed| match &mut cluster {
            Some(cluster) => cluster.statuses(feed),
            None => Arc::new(EmbeddedStatusStore::new(feed)),
        },
        CorePorts {
            documents,
            topics,
            messages,
            host,
            clock: clock(),
            main: main.handle().clone(),
            executor: Arc::clone(&executor) as Arc<dyn Spawn>,
            forms: FORMS,
            automation: own.automation(),
            key_inspector,
            cluster: ours,
        },
    ));
    own.connect(&core);
    if let Surroundings::Program(embedding) = &surroundings {
        embedding.register(&core);
    }
    let render = metrics.clone();
    // The address first: a second gateway that was started by mistake must not reach the devices.
    let mut server = match surroundings.door() {
        Door::Open => {
            let render = move || render.render();
            Some(Server::bind(Arc::clone(&core), settings.server, render)?)
        }
        Door::None => None,
    };
    if let (Some(cluster), Some(server)) = (&cluster, &server) {
        cluster.join(&core, server)?;
    }
    let closing = match cluster {
        Some(cluster) => Some(cluster.begin(main.handle())?),
        None => None,
    };
    let certificate = server.as_ref().and_then(Server::certificate_end);
    let certificate = certificate.map(|end| Box::new(end) as CertificateEnd);
    let alerts = OwnAlerts::new(settings.alerts, &core, clock(), certificate);
    let leaving = Arc::clone(&core);
    let ended = main.block_on(async {
        let Signals {
            stop,
            read_building,
            read_certificate,
        } = match &surroundings {
            Surroundings::Process(_) => listen_to_signals()?,
            Surroundings::Program(embedding) => Signals::stopped_by(embedding.stop.clone()),
        };
        if let Some(keeper) = server.as_mut().and_then(Server::certificate_keeper) {
            main.spawn(keeper.run(read_certificate));
        }
        main.spawn(report_blocked);
        main.spawn(Arc::clone(&own).keep());
        main.spawn(async move { metrics.upkeep().await });
        if let Surroundings::Process(repeats) = &surroundings {
            let counted = repeats.clone();
            main.spawn(async move { counted.keep().await });
        }
        let state = server.as_ref().map(Server::readiness_gate);
        let place = server.as_ref().map(Listening::at).transpose();
        let place = place.map_err(not_served)?;
        // The server runs from here on, so that `/healthz` and `/readyz` answer while the gateway waits for its store.
        let mut serving = pin!(serve_until(server, &leaving, stop.clone()));
        let opening = pin!(async {
            open_patiently(&core).await?;
            let demo = match &closing {
                Some(_) => {
                    begin_shared(&core, file.as_ref()).await?;
                    None
                }
                None => {
                    tell_what_is_kept(settings.data.as_deref());
                    begin(&core, file.as_ref(), &drivers).await?
                }
            };
            let clockwork = Arc::clone(&core);
            main.spawn(async move { clockwork.run().await });
            main.spawn(webhooks(&core).run());
            main.spawn(alerts.run());
            let served = Arc::clone(&core);
            match file.and_then(|at_start| at_start.source) {
                Some((file, text)) => {
                    main.spawn(Reload::new(core, file, text, read_building).run())
                }
                None => main.spawn(refuse_reloads(read_building)),
            };
            if let Some(state) = state {
                match &demo {
                    Some(Demo { once, user, .. }) => state.open_demo(once.clone(), user.clone()),
                    None => state.open(),
                }
            }
            match surroundings {
                Surroundings::Process(_) => {
                    if let Some(place) = &place {
                        announce(place, demo.as_ref());
                    }
                    service_manager::ready();
                }
                Surroundings::Program(embedding) => {
                    embedding.tell_ready(served, place.map(|place| place.address));
                }
            }
            Ok::<(), AppError>(())
        });
        let opened = match select(serving.as_mut(), opening).await {
            Either::Left((ended, _)) => return ended.map_err(not_served),
            Either::Right((opened, _)) => opened,
        };
        if opened.is_err() {
            stop.cancel();
        }
        let ended = serving.await.map_err(not_served);
        if let Some(closing) = &closing {
            closing.finish().await;
        }
        leaving.leave().await;
        own.write().await;
        opened.and(ended)
    });
    executor.end();
    // A driver that blocks its thread would hold up the end for as long as it likes.
    driver_runtime.shutdown_timeout(RUNTIME_STOP_DEADLINE);
    if let Some(closing) = closing {
        closing.end();
    }
    main.shutdown_timeout(RUNTIME_STOP_DEADLINE);
    ended
}

/// Serves until `stop`, and stops the modules; without a server there is nothing else to wait for.
async fn serve_until(
    server: Option<Server>,
    core: &Core,
    stop: CancellationToken,
) -> io::Result<()> {
    match server {
        Some(server) => server.run(stop).await,
        None => {
            stop.cancelled().await;
            core.stop().await;
            Ok(())
        }
    }
}

/// The building as it was before anything was started, so that a mistake in it is reported first.
struct BuildingAtStart {
    building: Building,
    /// The file with its text, which is read again when it changes; `None` for a building that is no file.
    source: Option<(BuildingFile, String)>,
}

impl BuildingAtStart {
    fn read(file: BuildingFile) -> Result<Self, AppError> {
        let text = file.text()?;
        let building = file.read(&text)?;
        Ok(Self {
            building,
            source: Some((file, text)),
        })
    }
}

/// Where the processes of drivers run: in the folder of the building file, or else where the gateway does.
fn folder_of_drivers(building: Option<&Path>) -> PathBuf {
    let folder = building.and_then(Path::parent);
    match folder.filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => folder.to_owned(),
        None => PathBuf::from("."),
    }
}

fn documents(directory: Option<&Path>) -> Result<EmbeddedDocumentStore, StoreError> {
    match directory {
        Some(directory) => EmbeddedDocumentStore::open(directory),
        None => EmbeddedDocumentStore::in_memory(),
    }
}

/// Topics of this process alone.
fn embedded_topics() -> MakeTopicStore {
    Box::new(|process, feed, clock| Arc::new(EmbeddedTopicStore::new(process, feed, clock)))
}

/// Messages of this process alone: in a directory, or else in memory.
fn embedded_messages(directory: Option<&Path>) -> Result<MakeMessageStore, StoreError> {
    let store = match directory {
        Some(directory) => EmbeddedMessageStore::open(directory)?,
        None => EmbeddedMessageStore::in_memory()?,
    };
    Ok(Box::new(|feed| Arc::new(store.reporting_to(feed))))
}

/// What happens in the channels of apps is told to their servers.
fn webhooks(core: &Core) -> WebhookSender {
    WebhookSender::new(
        Arc::clone(&core.topics),
        Arc::clone(&core.queries),
        Arc::clone(&core.views),
        clock(),
        roots_of_the_system,
    )
}

/// Logs whether the building outlives the process.
fn tell_what_is_kept(directory: Option<&Path>) {
    match directory {
        Some(directory) => {
            tracing::info!(directory = %directory.display(), "the building is kept on disk");
        }
        None => tracing::info!(
            "everything is kept in memory: what is not in the building file is gone after a restart; --data DIR keeps it"
        ),
    }
}

/// Starts the building: that of the file, or the demo over an empty store, or the store's own. Returns how people come into the demo.
async fn begin(
    core: &Core,
    file: Option<&BuildingAtStart>,
    drivers: &[KnownDriver],
) -> Result<Option<Demo>, AppError> {
    let (building, source, demo) = match file {
        Some(file) => (file.building.clone(), Source::File, None),
        None if is_for_the_demo(&core.queries.directory()) => {
            let secret = fresh_secret();
            let building = building_file::demo(&secret, drivers)?;
            let demo = Demo::of(&building, secret);
            (building, Source::Demo, demo)
        }
        None => {
            core.begin();
            return Ok(None);
        }
    };
    let differences = core
        .editor
        .apply(Apply {
            building,
            source,
            rehearsal: Rehearsal::Real,
        })
        .await?;
    if source == Source::File {
        reload::log_applied(&differences);
    }
    Ok(demo)
}

/// Starts the building that many nodes share: that of the file, over the store's own. A cluster has no demo building.
async fn begin_shared(core: &Core, file: Option<&BuildingAtStart>) -> Result<(), AppError> {
    let Some(file) = file else {
        if core.queries.directory().ids().next().is_none() {
            tracing::info!(
                "the store has no building yet; put one there with --building FILE, or with riser apply once there is an administrator's key"
            );
        }
        core.begin();
        return Ok(());
    };
    let mut tries = Tries::default();
    loop {
        let applied = core.editor.apply(Apply {
            building: file.building.clone(),
            source: Source::File,
            rehearsal: Rehearsal::Real,
        });
        match applied.await {
            Ok(differences) => {
                reload::log_applied(&differences);
                return Ok(());
            }
            Err(error) if goes_over(&error) => tries.pause(&error).await,
            Err(error) => return Err(error.into()),
        }
    }
}

fn not_served(source: io::Error) -> AppError {
    AppError::System {
        doing: "serve",
        source,
    }
}

/// The system's clock.
fn clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let micros = since.map_or(0, |since| since.as_micros());
        Timestamp(u64::try_from(micros).unwrap_or(u64::MAX))
    })
}

/// Without a building file there is nothing to read again.
async fn refuse_reloads(told: Arc<Notify>) {
    loop {
        told.notified().await;
        tracing::warn!(
            "SIGHUP asks for the building file again, but none was named with --building"
        );
    }
}

fn runtime(name: &'static str, threads: usize) -> Result<Runtime, AppError> {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(|source| AppError::System {
            doing: "start a runtime",
            source,
        })
}

/// Each connection is an open file, and the soft limit is often 1024.
fn raise_open_files() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "could not raise the limit of open files; it bounds the number of connections");
    }
}

/// What signals ask for.
#[derive(Clone)]
struct Signals {
    /// Cancelled by SIGTERM or SIGINT.
    stop: CancellationToken,
    /// SIGHUP notifies both.
    read_building: Arc<Notify>,
    read_certificate: Arc<Notify>,
}

impl Signals {
    /// No signals: only the token stops the gateway, and nothing is read again.
    fn stopped_by(stop: CancellationToken) -> Self {
        Self {
            stop,
            read_building: Arc::default(),
            read_certificate: Arc::default(),
        }
    }
}

/// SIGTERM and SIGINT stop the gateway, the second one at once; SIGHUP has the building file and the certificate read again.
fn listen_to_signals() -> Result<Signals, AppError> {
    let listen = |kind| {
        signal(kind).map_err(|source| AppError::System {
            doing: "listen for signals",
            source,
        })
    };
    let (mut terminate, mut interrupt, mut hangup) = (
        listen(SignalKind::terminate())?,
        listen(SignalKind::interrupt())?,
        listen(SignalKind::hangup())?,
    );
    // A listener keeps the signal from ending the process, so that a write past the limit on the size of files fails instead. It has no other use.
    drop(listen(SignalKind::from_raw(FILE_SIZE_SIGNAL))?);
    let signals = Signals {
        stop: CancellationToken::new(),
        read_building: Arc::default(),
        read_certificate: Arc::default(),
    };
    let told = signals.clone();
    tokio::runtime::Handle::current().spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {
                    told.read_building.notify_one();
                    told.read_certificate.notify_one();
                    continue;
                }
            }
            if told.stop.is_cancelled() {
                tracing::warn!("a second signal asks for the stop: ending at once");
                std::process::exit(1);
            }
            service_manager::stopping();
            told.stop.cancel();
        }
    });
    Ok(signals)
}

/// Where clients come in.
struct Listening {
    address: SocketAddr,
    is_encrypted: bool,
    /// What stands in front of every path; empty for nothing.
    base_path: String,
    /// The dialects that have an address of their own, and where that is.
    own: Vec<OwnAddress>,
}

impl Listening {
    fn at(server: &Server) -> io::Result<Self> {
        Ok(Self {
            address: server.address(),
            is_encrypted: server.is_encrypted(),
            base_path: server.base_path().to_owned(),
            own: server.own_addresses()?,
        })
    }
}

/// Says on stdout that the gateway is ready.
///
/// The program that started riser may never read this, so a failed write is no failure of ours.
fn announce(place: &Listening, demo: Option<&Demo>) {
    let text = announcement(place, demo);
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// Where the gateway listens, a line for each address, and for the demo how to see something move.
fn announcement(place: &Listening, demo: Option<&Demo>) -> String {
    let Listening {
        address,
        is_encrypted,
        base_path: base,
        own,
    } = place;
    let (http, ws) = if *is_encrypted {
        ("https", "wss")
    } else {
        ("http", "ws")
    };
    let mut text = format!("riser ready {http}://{address}{base}\n");
    for own in own {
        let (kind, scheme) = match own.serves {
            ServingSettings::Everything => ("", http),
            ServingSettings::Websocket => ("_websocket", ws),
            ServingSettings::Stream => ("_tcp", "tcp"),
        };
        let (dialect, address) = (own.dialect, own.address);
        text.push_str(&format!("listening {dialect}{kind} {scheme}://{address}\n"));
    }
    if let Some(Demo { key, once, .. }) = demo {
        let key = format!("demo.{}", key.expose());
        let here = format!("{}{base}", reachable(*address));
        let program = this_program();
        text.push_str(&format!(
            "api key {key}\n\
             {program} bind --url {http}://{here} --key {key} sys-board/Sensor_1/temperature\n\
             node --experimental-websocket -e 'const s = new WebSocket(\"{ws}://{here}/api/engine/v2/systems/control?api-key={key}\"); \
             s.onopen = () => s.send(JSON.stringify({{id: 1, cmd: \"bind\", sys: \"sys-board\", mod: \"Sensor\", index: 1, name: \"temperature\"}})); \
             s.onmessage = (event) => console.log(event.data)'\n\
             console {http}://{here}/console/#once={}\n",
            once.expose()
        ));
    }
    text
}

/// The path of this executable as a shell takes it.
fn this_program() -> String {
    let path = std::env::current_exe();
    let path = path.map_or_else(
        |_| "riser".to_owned(),
        |path| path.to_string_lossy().into_owned(),
    );
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    match path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// An address that a client on this machine can connect to.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port())
    } else {
        address
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Secret, UserId};

    use super::*;

    fn own(dialect: &'static str, serves: ServingSettings, port: u16) -> OwnAddress {
        OwnAddress {
            dialect,
            serves,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        }
    }

    #[test]
    fn every_address_is_told_of_directly_after_the_ready_line() {
        let place = Listening {
            address: SocketAddr::from(([0, 0, 0, 0], 3000)),
            is_encrypted: true,
            base_path: "/riser".to_owned(),
            own: vec![
                own("home_assistant", ServingSettings::Everything, 8123),
                own("pushjet", ServingSettings::Everything, 3001),
                own("pushjet", ServingSettings::Websocket, 8181),
                own("pushjet", ServingSettings::Stream, 7171),
            ],
        };
        let demo = Demo {
            key: Secret::new("x"),
            once: Secret::new("y"),
            user: UserId::new("user-demo").unwrap(),
        };
        let text = announcement(&place, Some(&demo));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..6],
            [
                "riser ready https://0.0.0.0:3000/riser",
                "listening home_assistant https://127.0.0.1:8123",
                "listening pushjet https://127.0.0.1:3001",
                "listening pushjet_websocket wss://127.0.0.1:8181",
                "listening pushjet_tcp tcp://127.0.0.1:7171",
                "api key demo.x",
            ]
        );
        assert!(lines[6].contains(" --url https://127.0.0.1:3000/riser "));
        assert!(lines[7].contains("wss://127.0.0.1:3000/riser/api/engine/v2/"));
        let console = "console https://127.0.0.1:3000/riser/console/#once=y";
        assert_eq!(lines[8..], [console]);
    }
}
