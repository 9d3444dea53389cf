//! The composition root: the only file that names every room.
//!
//! It owns the runtimes. Connections live on actix's workers, modules on their lanes inside the driver runtime, everything else on the main one.

mod check;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::building::{self, Problems as BuildingProblems};
use crate::config::{self, Flags, Problems as ConfigProblems, Settings};
use crate::core::Core;
use crate::driver_host::in_process::InProcessHost;
use crate::driver_host::lanes::Lanes;
use crate::driver_host::{HostError, Spawn};
use crate::model::{Building, Secret};
use crate::observability::{self, ObservabilityError};
use crate::server::{BindError, CertificateError, Server, StartError};
use crate::stores::embedded::EmbeddedStatusStore;

pub use check::{Checked, check};

/// The fewest threads for drivers, so that one that blocks stops no other module.
const DRIVER_THREADS_MIN: usize = 4;

/// Threads for timers and supervision, which have little to do.
const MAIN_THREADS: usize = 2;

/// How long work that is left over may hold up the end of the process.
const RUNTIME_STOP_DEADLINE: Duration = Duration::from_millis(200);

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
    /// A file that is to be checked is of no kind that can be.
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
    #[error("could not listen on {} ({}); choose another with --listen", .0.address, .0.cause)]
    Bind(BindError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Certificate(CertificateError),
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
            | Self::Bind(_)
            | Self::Certificate(_)
            | Self::Host(_) => 2,
            Self::Observability(_) | Self::System { .. } => 1,
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

/// Where the building comes from.
enum Source {
    File,
    Demo { secret: Secret },
}

/// Runs the gateway until it is told to stop by a signal.
pub fn serve(
    directory: &Path,
    flags: &Flags,
    environment: &BTreeMap<String, String>,
) -> Result<(), AppError> {
    let settings = config::load(directory, flags, environment)?;
    let definitions = driver_registry::drivers();
    let drivers: Vec<&str> = definitions.iter().map(|driver| driver.id).collect();
    let (building, source) = read_building(&settings, &drivers, environment)?;
    observability::start_logging(&settings.log)?;
    let metrics = observability::start_metrics()?;
    raise_open_files();

    let main = runtime("riser-main", MAIN_THREADS)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let driver_threads = threads.max(DRIVER_THREADS_MIN);
    let driver_runtime = runtime("riser-driver", driver_threads)?;
    let lanes = Lanes::start(driver_threads, driver_runtime.handle()).map_err(|source| {
        AppError::System {
            doing: "start a thread for modules",
            source,
        }
    })?;
    let lanes = Arc::new(lanes);
    let host = Arc::new(InProcessHost::new(
        definitions,
        driver_runtime.handle().clone(),
    )?);
    let report_blocked = host.report_blocked();
    let core = Arc::new(Core::new(
        settings.core,
        |feed| Arc::new(EmbeddedStatusStore::new(feed)),
        host,
        Arc::clone(&lanes) as Arc<dyn Spawn>,
    ));
    let render = metrics.clone();
    // The address first: a second gateway by mistake must not get as far as the devices.
    let mut server = Server::bind(Arc::clone(&core), settings.server, move || render.render())?;
    let ended = main.block_on(async {
        let Signals { stop, reload } = listen_for_signals()?;
        tracing::info!(
            "everything is kept in memory: what is not in the building file is gone after a restart"
        );
        core.load(building)?;
        let core = Arc::clone(&core);
        main.spawn(async move { core.run().await });
        main.spawn(report_blocked);
        main.spawn(async move { metrics.upkeep().await });
        if let Some(keeper) = server.certificate_keeper() {
            main.spawn(keeper.run(reload));
        }
        announce(&server, &source);
        server.run(stop).await.map_err(|source| AppError::System {
            doing: "serve",
            source,
        })
    });
    lanes.end();
    // A driver that blocks its thread would hold up the end for as long as it likes.
    driver_runtime.shutdown_timeout(RUNTIME_STOP_DEADLINE);
    main.shutdown_timeout(RUNTIME_STOP_DEADLINE);
    ended
}

fn read_building(
    settings: &Settings,
    drivers: &[&str],
    environment: &BTreeMap<String, String>,
) -> Result<(Building, Source), AppError> {
    let Some(path) = &settings.building else {
        let secret = demo_secret();
        let building = building::demo(&secret, drivers)?;
        return Ok((building, Source::Demo { secret }));
    };
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let building = building::read(&file, &text, drivers, environment)?;
            Ok((building, Source::File))
        }
        Err(cause) => Err(AppError::UnreadableBuilding { file, cause }),
    }
}

/// A fresh secret: the demo's key is an administrator's, and the demo may listen on any address.
fn demo_secret() -> Secret {
    let mut bytes = [0_u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(bytes.map(|byte| format!("{byte:02x}")).concat())
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

/// What the operator says by signals.
struct Signals {
    /// Cancelled by SIGTERM or SIGINT; the second one ends the process at once.
    stop: CancellationToken,
    /// Given by SIGHUP.
    reload: Arc<Notify>,
}

fn listen_for_signals() -> Result<Signals, AppError> {
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
    let (stop, reload) = (CancellationToken::new(), Arc::new(Notify::new()));
    let (stopping, reloading) = (stop.clone(), Arc::clone(&reload));
    tokio::runtime::Handle::current().spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {
                    tracing::warn!("told to read the building file again, which takes a restart");
                    reloading.notify_one();
                    continue;
                }
            }
            if stopping.is_cancelled() {
                tracing::warn!("told to stop a second time: ending at once");
                std::process::exit(1);
            }
            stopping.cancel();
        }
    });
    Ok(Signals { stop, reload })
}

/// Says on stdout that the gateway is ready, and for the demo how to see something move.
///
/// Whoever started riser may never read this, so a write that fails is no failure of ours.
fn announce(server: &Server, source: &Source) {
    let address = server.address();
    let (http, ws) = if server.is_encrypted() {
        ("https", "wss")
    } else {
        ("http", "ws")
    };
    let mut text = format!("riser ready {http}://{address}\n");
    if let Source::Demo { secret } = source {
        let key = format!("demo.{}", secret.expose());
        let here = reachable(address);
        let program = this_program();
        text.push_str(&format!(
            "api key {key}\n\
             {program} bind --url {http}://{here} --key {key} sys-board/Sensor_1/temperature\n\
             node --experimental-websocket -e 'const s = new WebSocket(\"{ws}://{here}/api/engine/v2/systems/control?api-key={key}\"); \
             s.onopen = () => s.send(JSON.stringify({{id: 1, cmd: \"bind\", sys: \"sys-board\", mod: \"Sensor\", index: 1, name: \"temperature\"}})); \
             s.onmessage = (event) => console.log(event.data)'\n"
        ));
    }
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
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
