//! What an operator may set, from four layers: the defaults, `riser.toml`, the environment, the flags. The last one wins.
//!
//! Separate so that no room knows where its settings come from: each owns a plain struct, and this room fills them in.
//!
//! - `keys` is the list of all settings; `docs/settings.md` is made from it.
//! - `raw` merges the layers and refuses keys that are not in the list.
//! - `values` reads durations, sizes, paths to stand below and origins.
//! - `env` turns the environment into a layer.
//! - `places` knows on which line of the file a key stands.
//! - `outcome` prints what the layers lead to.
//! - `problem` holds what can be wrong: all of it is reported together, a line each.

mod env;
mod keys;
mod outcome;
mod places;
mod problem;
mod raw;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::automation::AlertSettings;
use crate::core::{ClusterSettings, CoreSettings, RemoteProgramSettings};
use crate::driver_host::process::ProcessSettings;
use crate::model::{NodeRole, NodeUri, Secret, ServiceName};
use crate::observability::LogSettings;
use crate::server::{
    CreateSettings, ListenerSettings, PlainSettings, ProxyHeaderSettings, ServerSettings,
    ServingSettings, TlsSettings,
};
use crate::stores::redis::RedisSettings;

pub use env::environment;
pub use keys::reference;
pub use problem::{Origin, Problem, ProblemKind, Problems};

use raw::Raw;

/// The file that is read from the working directory when no other is named.
const DEFAULT_FILE: &str = "riser.toml";

/// The longest drain. The whole stop has 8 s; two of them are for the modules and the store.
const DRAIN_DEADLINE_MAX: Duration = Duration::from_secs(5);

/// The smallest largest message: less than this and no ordinary request fits.
const MESSAGE_MAX_MIN: usize = 1024;

/// The shortest life of a token: PlaceOS's client library (4.7) keeps each for a minute, however short its life is, and one that has ended meanwhile is refused over and over.
const TOKEN_LIFE_MIN: Duration = Duration::from_secs(60);

/// The shortest silence that Pusher's clients can be told: they are told whole seconds, and none is no number for them.
const ACTIVITY_TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// The smallest send buffer: less than this and the kernel raises it anyway.
const SEND_BUFFER_MIN: usize = 4096;

/// What `dialects` may be one day.
const DIALECTS: &[&str] = &[
    "placeos",
    "home_assistant",
    "platypush",
    "pusher",
    "pushjet",
];

/// The addresses that dialects may have for themselves, in the order of the ready lines.
const OWN_LISTENERS: &[(&str, ServingSettings, &str)] = &[
    (
        "home_assistant",
        ServingSettings::Everything,
        "home_assistant.listen",
    ),
    ("platypush", ServingSettings::Everything, "platypush.listen"),
    ("pusher", ServingSettings::Everything, "pusher.listen"),
    ("pushjet", ServingSettings::Everything, "pushjet.listen"),
    (
        "pushjet",
        ServingSettings::Websocket,
        "pushjet.websocket_listen",
    ),
    ("pushjet", ServingSettings::Stream, "pushjet.tcp_listen"),
];

/// What `pushjet.create` may be.
const CREDENTIALS: &str = "credentials";
const ANYONE: &str = "anyone";

/// What `log_format` may be.
const TEXT: &str = "text";
const JSON: &str = "json";

/// What `tls.plain_mode` may be.
const REDIRECT: &str = "redirect";
const STAY: &str = "stay";

/// What `cluster.role` may be.
const GATEWAY: &str = "gateway";
const CORE: &str = "core";
const BOTH: &str = "both";

/// The shortest lease: a node renews it three times, and a garbled packet must not stop a building.
const LEASE_MIN: Duration = Duration::from_secs(1);

/// The longest lease: for as long the modules of a dead node do not run.
const LEASE_MAX: Duration = Duration::from_secs(5 * 60);

/// The shortest secret, in characters: with less it could be guessed.
const SECRET_MIN: usize = 16;

/// The most workers; each is a thread, and actix takes no more.
const WORKERS_MAX: usize = 512;

/// All settings of the program. Checked: every value can be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Of the server room.
    pub server: ServerSettings,
    /// Of the core.
    pub core: CoreSettings,
    /// The building file; the demo building when absent.
    pub building: Option<PathBuf>,
    /// The secret of an administrator's key that is in no file; there is none when absent.
    pub admin_secret: Option<Secret>,
    /// Where the building is kept; in memory when absent.
    pub data: Option<PathBuf>,
    /// The Redis that nodes share; the gateway is alone when absent.
    pub redis: Option<RedisSettings>,
    /// How nodes find and ask each other.
    pub cluster: ClusterSettings,
    /// Whether the gateway shares the Redis of a PlaceOS, with its systems and cores.
    pub placeos: bool,
    /// The PlaceOS whose API keys are good here too.
    pub placeos_api: Option<NodeUri>,
    /// Where the gateway sends what is wrong with itself.
    pub alerts: AlertSettings,
    /// How much each process of a driver may take.
    pub processes: ProcessSettings,
    /// What is logged, in the words of `tracing_subscriber::EnvFilter`; known to be valid. Default `info`.
    pub log: String,
    /// How it is written.
    pub log_format: LogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server: ServerSettings::default(),
            core: CoreSettings::default(),
            building: None,
            admin_secret: None,
            data: None,
            redis: None,
            cluster: ClusterSettings::default(),
            placeos: false,
            placeos_api: None,
            alerts: AlertSettings::default(),
            processes: ProcessSettings::default(),
            log: "info".to_owned(),
            log_format: LogSettings::default(),
        }
    }
}

/// The flags of the command line. Values are text here: they are read with those of the other layers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config`: the file of settings; it must exist.
    pub config: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--building`.
    pub building: Option<PathBuf>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--redis`.
    pub redis: Option<String>,
    /// `--advertise`.
    pub advertise: Option<String>,
    /// `--placeos`, as the word that the setting takes.
    pub placeos: Option<String>,
    /// `--workers`.
    pub workers: Option<String>,
    /// `--log`.
    pub log: Option<String>,
    /// `--tls-cert`.
    pub tls_cert: Option<String>,
    /// `--tls-key`.
    pub tls_key: Option<String>,
}

/// Reads all layers; `riser.toml` is looked for in `directory`.
pub fn load(
    directory: &Path,
    flags: &Flags,
    environment: &BTreeMap<String, String>,
) -> Result<Settings, Problems> {
    let (path, required) = match &flags.config {
        Some(path) => (path.clone(), true),
        None => (directory.join(DEFAULT_FILE), false),
    };
    let name = match &flags.config {
        Some(path) => path.display().to_string(),
        None => DEFAULT_FILE.to_owned(),
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => None,
        Err(error) => {
            return Err(Problems(vec![Problem {
                origin: Origin::File { name, line: None },
                kind: ProblemKind::Unreadable {
                    reason: error.to_string(),
                },
            }]));
        }
    };
    read(
        text.as_deref().map(|text| (name.as_str(), text)),
        flags,
        environment,
    )
}

/// Reads all layers, the file as its name and text.
pub fn read(
    file: Option<(&str, &str)>,
    flags: &Flags,
    environment: &BTreeMap<String, String>,
) -> Result<Settings, Problems> {
    merged(file, flags, environment).map(|(settings, _)| settings)
}

/// What all layers lead to, as text in the form of the file, with where each value comes from.
pub fn outcome(
    file: Option<(&str, &str)>,
    flags: &Flags,
    environment: &BTreeMap<String, String>,
) -> Result<String, Problems> {
    merged(file, flags, environment).map(|(_, raw)| outcome::print(&raw))
}

fn merged(
    file: Option<(&str, &str)>,
    flags: &Flags,
    environment: &BTreeMap<String, String>,
) -> Result<(Settings, Raw), Problems> {
    let mut raw =
        Raw::merge(file, flags, environment).map_err(|problem| Problems(vec![problem]))?;
    let settings = build(&mut raw, flags);
    if raw.problems.is_empty() {
        return Ok((settings, raw));
    }
    // In the order of the file, and then what is elsewhere.
    raw.problems
        .sort_by_key(|problem| problem.origin.line().unwrap_or(usize::MAX));
    Err(Problems(raw.problems))
}

/// Fills the settings in over their defaults and checks them. A mistake is noted and leaves the default.
fn build(raw: &mut Raw, flags: &Flags) -> Settings {
    let mut settings = Settings::default();

    let server = &mut settings.server;
    raw.address("listen", &mut server.listen);
    raw.optional_address("health_listen", &mut server.health_listen);
    raw.base_path("base_path", &mut server.base_path);
    // The defaults are all that there are.
    let served = server.dialects.clone();
    raw.words("dialects", &mut server.dialects, DIALECTS, &served);
    raw.origins("http.allowed_origins", &mut server.allowed_origins);
    raw.networks("http.trusted_proxies", &mut server.proxies.trusted);
    let mut headers = None;
    raw.word(
        "http.proxy_headers",
        &mut headers,
        ["x-forwarded", "forwarded"],
    );
    if headers == Some("forwarded") {
        server.proxies.headers = ProxyHeaderSettings::Forwarded;
    }
    raw.switch("http.hsts", &mut server.hsts);
    raw.duration("http.keep_alive", &mut server.http_keep_alive);
    raw.count("workers", &mut server.workers, WORKERS_MAX);
    raw.duration("drain_deadline", &mut server.drain_deadline);
    raw.size("send_buffer", &mut server.send_buffer_bytes);

    let limits = &mut server.limits;
    raw.size("limits.message_max", &mut limits.message_max_bytes);
    raw.count("limits.bindings_max", &mut limits.bindings_max, usize::MAX);
    raw.count(
        "limits.requests_per_second",
        &mut limits.requests_per_second,
        u32::MAX,
    );
    raw.count(
        "limits.connections_max",
        &mut limits.connections_max,
        usize::MAX,
    );
    raw.count(
        "limits.connections_per_key",
        &mut limits.connections_per_key,
        usize::MAX,
    );
    raw.count(
        "limits.connections_per_address",
        &mut limits.connections_per_address,
        usize::MAX,
    );
    raw.count(
        "limits.strangers_max",
        &mut limits.strangers_max,
        usize::MAX,
    );

    let quotas = &mut settings.core.quotas;
    raw.size("limits.arguments_max", &mut quotas.arguments_bytes);
    raw.size("limits.statuses_max", &mut quotas.statuses_bytes);
    raw.size("limits.entry_max", &mut quotas.entry_bytes);
    raw.size("limits.metadata_max", &mut quotas.metadata_bytes);

    let processes = &mut settings.processes;
    raw.size("processes.memory_max", &mut processes.memory_bytes);
    raw.count("processes.files_max", &mut processes.files, usize::MAX);
    let mut remote_programs = false;
    raw.switch("processes.remote", &mut remote_programs);
    if remote_programs {
        settings.core.remote_programs = RemoteProgramSettings::Allowed;
    }

    let keep_alive = &mut server.keep_alive;
    raw.duration("keep_alive.ping_after", &mut keep_alive.ping_after);
    raw.duration("keep_alive.pong_every", &mut keep_alive.pong_every);
    raw.duration("keep_alive.reap_after", &mut keep_alive.reap_after);

    server.tls = tls(raw);
    own_listeners(raw, &mut server.own_listeners);
    raw.folders("static", &mut server.folders);
    raw.path(
        "home_assistant.frontend",
        &mut server.home_assistant.frontend,
    );

    raw.path("platypush.web_ui", &mut server.platypush.web_ui);

    let pusher = &mut server.pusher;
    raw.duration("pusher.activity_timeout", &mut pusher.activity_timeout);
    raw.duration("pusher.pong_timeout", &mut pusher.pong_timeout);
    raw.switch("pusher.strict_protocol", &mut pusher.strict_protocol);
    let pushjet = &mut server.pushjet;
    let mut create = None;
    raw.word("pushjet.create", &mut create, [CREDENTIALS, ANYONE]);
    pushjet.create = create.map(|word| match word == ANYONE {
        true => CreateSettings::Anyone,
        false => CreateSettings::Credentials,
    });
    raw.count(
        "pushjet.messages_per_second",
        &mut pushjet.messages_per_second,
        u32::MAX,
    );

    raw.list("alerts.services", &mut settings.alerts.services);
    raw.duration("alerts.after", &mut settings.alerts.after);

    raw.duration("exec.deadline", &mut settings.core.exec_deadline);
    let sign_in = &mut settings.core.sign_in;
    raw.duration("sign_in.token_life", &mut sign_in.token_life);
    raw.list("sign_in.redirects", &mut settings.server.redirects);
    raw.hidden(
        "jwt_public",
        "`jwt_public` is not the PEM of an RSA public key of at least 2048 bits, nor that in base64; copy it from who signs the tokens",
        |text| sign_in.believe(text).is_ok(),
    );
    raw.path("building", &mut settings.building);
    raw.hidden(
        "admin_secret",
        "`admin_secret` must have at least 16 characters; make one with: openssl rand -hex 32",
        |text| long_secret(text, &mut settings.admin_secret),
    );
    raw.path("data", &mut settings.data);
    raw.log_filter("log", &mut settings.log);
    let mut format = None;
    raw.word("log_format", &mut format, [TEXT, JSON]);
    if format == Some(JSON) {
        settings.log_format = LogSettings::Json;
    }
    // A path on the command line need not be text.
    if flags.building.is_some() {
        settings.building.clone_from(&flags.building);
    }
    if flags.data.is_some() {
        settings.data.clone_from(&flags.data);
    }

    settings.redis = redis(raw);
    raw.switch("placeos", &mut settings.placeos);
    raw.web_address("placeos_api", &mut settings.placeos_api);
    settings.cluster = cluster(raw, settings.placeos);
    check(raw, &settings);
    settings
}

/// Takes a secret; whether it is long enough to be one.
fn long_secret(text: &str, secret: &mut Option<Secret>) -> bool {
    let is_long_enough = text.chars().count() >= SECRET_MIN;
    if is_long_enough {
        *secret = Some(Secret::new(text));
    }
    is_long_enough
}

/// The addresses that dialects have for themselves, as far as they are given.
fn own_listeners(raw: &mut Raw, listeners: &mut Vec<ListenerSettings>) {
    for &(dialect, serves, setting) in OWN_LISTENERS {
        let mut listen = None;
        raw.optional_address(setting, &mut listen);
        listeners.extend(listen.map(|listen| ListenerSettings {
            dialect,
            serves,
            listen,
            setting,
        }));
    }
}

/// The Redis, when one is named.
fn redis(raw: &mut Raw) -> Option<RedisSettings> {
    let mut found = None;
    raw.hidden(
        "redis.url",
        "`redis.url` is no address of a Redis; write redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH, with USER:PASSWORD@ before the host where needed",
        |text| {
            found = RedisSettings::at(text).ok();
            found.is_some()
        },
    );
    let (mut ca, mut certificate, mut key) = (None, None, None);
    raw.path("redis.ca", &mut ca);
    raw.path("redis.cert", &mut certificate);
    raw.path("redis.key", &mut key);
    let files = ["redis.ca", "redis.cert", "redis.key"];
    let any = files.iter().any(|file| raw.is_given(file));
    if any && !found.as_ref().is_some_and(RedisSettings::is_encrypted) {
        raw.refuse(
            &files,
            "`redis.ca`, `redis.cert` and `redis.key` are for an encrypted Redis; set `redis.url` to a rediss:// address, or leave them out",
        );
    }
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            raw.refuse(
                &["redis.cert", "redis.key"],
                "`redis.cert` and `redis.key` belong together; set both or neither",
            );
            None
        }
    };
    if let Some(found) = &mut found {
        found.ca = ca;
        found.identity = identity;
    }
    found
}

/// How nodes find and ask each other.
fn cluster(raw: &mut Raw, placeos: bool) -> ClusterSettings {
    let mut cluster = ClusterSettings::default();
    if placeos {
        cluster.beside_placeos();
    }
    let mut service = None;
    raw.text("cluster.service", &mut service);
    if let Some(service) = service {
        match ServiceName::new(&service) {
            Ok(name) if !service.contains(['{', '}']) => cluster.service = name,
            Ok(_) | Err(_) => raw.refuse(
                &["cluster.service"],
                "`cluster.service` must be a name without braces; choose another",
            ),
        }
    }
    let mut role = None;
    raw.word("cluster.role", &mut role, [GATEWAY, CORE, BOTH]);
    match role {
        Some(GATEWAY) => cluster.role = NodeRole::Gateway,
        Some(CORE) => cluster.role = NodeRole::Core,
        Some(_) => cluster.role = NodeRole::Both,
        None => {}
    }
    raw.web_address("cluster.advertise", &mut cluster.advertise);
    raw.hidden(
        "cluster.secret",
        "`cluster.secret` must have at least 16 characters; make one with: openssl rand -hex 32",
        |text| long_secret(text, &mut cluster.secret),
    );
    raw.duration("cluster.lease", &mut cluster.lease);
    raw.switch("cluster.open_core_api", &mut cluster.open_core_api);
    raw.edges("placeos_edges", &mut cluster.edges);
    cluster
}

/// TLS, when all that it needs is there.
fn tls(raw: &mut Raw) -> Option<TlsSettings> {
    let (mut certificate, mut key, mut plain_listen, mut plain_mode) = (None, None, None, None);
    raw.path("tls.cert", &mut certificate);
    raw.path("tls.key", &mut key);
    raw.optional_address("tls.plain_listen", &mut plain_listen);
    raw.word("tls.plain_mode", &mut plain_mode, [REDIRECT, STAY]);
    if plain_mode.is_some() && plain_listen.is_none() {
        raw.refuse(
            &["tls.plain_mode"],
            "`tls.plain_mode` says what `tls.plain_listen` does, which is not set; set it or leave out both",
        );
    }
    let plain = plain_listen.map(match plain_mode {
        Some(STAY) => PlainSettings::Stay,
        _ => PlainSettings::Redirect,
    });
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(TlsSettings {
            certificate,
            key,
            plain,
        }),
        (None, None) => {
            if plain.is_some() {
                raw.refuse(
                    &["tls.plain_listen"],
                    "`tls.plain_listen` stands beside an encrypted address; set `tls.cert` and `tls.key`, or leave it out since `listen` is plain",
                );
            }
            None
        }
        (Some(_), None) => {
            raw.refuse(
                &["tls.cert"],
                "`tls.cert` needs `tls.key`; set both or neither",
            );
            None
        }
        (None, Some(_)) => {
            raw.refuse(
                &["tls.key"],
                "`tls.key` needs `tls.cert`; set both or neither",
            );
            None
        }
    }
}

/// Checks the values against each other and against the promises of the gateway.
fn check(raw: &mut Raw, settings: &Settings) {
    let ServerSettings {
        listen,
        health_listen,
        tls,
        workers: _,
        drain_deadline,
        send_buffer_bytes,
        limits,
        keep_alive,
        http_keep_alive: _,
        redirects: _,
        base_path: _,
        dialects: _,
        own_listeners,
        home_assistant,
        platypush,
        pusher,
        pushjet: _,
        allowed_origins: _,
        proxies: _,
        hsts: _,
        folders: _,
    } = &settings.server;
    let lease = settings.cluster.lease;
    if lease < LEASE_MIN || lease > LEASE_MAX {
        raw.refuse(
            &["cluster.lease"],
            "`cluster.lease` must be from 1s to 5m; change it or leave it out",
        );
    }
    if settings.redis.is_some() && settings.data.is_some() {
        raw.refuse(
            &["data", "redis.url"],
            "`data` keeps the building on this machine and `redis.url` in Redis; set one of them",
        );
    }
    if settings.admin_secret.is_some() && settings.building.is_none() {
        raw.refuse(
            &["admin_secret"],
            "`admin_secret` is for a gateway with a building file; set `building`, or leave it out",
        );
    }
    if settings.placeos_api.is_some() && !settings.placeos {
        raw.refuse(
            &["placeos_api"],
            "`placeos_api` is for a gateway beside a PlaceOS; set `placeos`, or leave it out",
        );
    }
    if settings.redis.is_none() && settings.placeos {
        raw.refuse(
            &["placeos"],
            "`placeos` needs the Redis of the PlaceOS; set `redis.url`",
        );
    }
    if settings.core.sign_in.token_life < TOKEN_LIFE_MIN {
        raw.refuse(
            &["sign_in.token_life"],
            "`sign_in.token_life` must be at least 1m: PlaceOS's apps keep a token for a minute, and are refused with one that has ended before; raise it or leave it out",
        );
    }
    if *health_listen == Some(*listen) && listen.port() != 0 {
        raw.refuse(
            &["health_listen", "listen"],
            "`health_listen` must differ from `listen`; leave it out to serve health beside everything else",
        );
    }
    let plain_listen = tls
        .as_ref()
        .and_then(|tls| tls.plain)
        .map(|plain| plain.listen());
    if let Some(plain) = plain_listen
        && plain.port() != 0
        && (plain == *listen || Some(plain) == *health_listen)
    {
        raw.refuse(
            &["tls.plain_listen"],
            "`tls.plain_listen` must differ from `listen` and `health_listen`; choose another port",
        );
    }
    let is_taken = |own: &ListenerSettings| {
        let taken = [Some(*listen), *health_listen, plain_listen];
        own.listen.port() != 0 && taken.contains(&Some(own.listen))
    };
    if let Some(own) = own_listeners.iter().find(|own| is_taken(own)) {
        raw.refuse(
            &[own.setting],
            "a dialect's own address must differ from `listen`, `health_listen` and `tls.plain_listen`; choose another port",
        );
    }
    let has_own = |dialect| own_listeners.iter().any(|own| own.dialect == dialect);
    if home_assistant.frontend.is_some() && !has_own("home_assistant") {
        raw.refuse(
            &["home_assistant.frontend"],
            "`home_assistant.frontend` is served at `home_assistant.listen`, which is not set; set it, to 127.0.0.1:8123 for example, or leave out both",
        );
    }
    if platypush.web_ui.is_some() && !has_own("platypush") {
        raw.refuse(
            &["platypush.web_ui"],
            "`platypush.web_ui` is served at `platypush.listen`, which is not set; set it, to 127.0.0.1:8008 for example, or leave out both",
        );
    }
    if pusher.activity_timeout < ACTIVITY_TIMEOUT_MIN {
        raw.refuse(
            &["pusher.activity_timeout"],
            "`pusher.activity_timeout` must be at least 1s; raise it or leave it out",
        );
    }
    if *drain_deadline > DRAIN_DEADLINE_MAX {
        raw.refuse(
            &["drain_deadline"],
            "`drain_deadline` must be at most 5s, since the whole stop may take 8s; lower it",
        );
    }
    if *send_buffer_bytes < SEND_BUFFER_MIN {
        raw.refuse(
            &["send_buffer"],
            "`send_buffer` must be at least 4KiB; raise it or leave it out",
        );
    }
    if limits.message_max_bytes < MESSAGE_MAX_MIN {
        raw.refuse(
            &["limits.message_max"],
            "`limits.message_max` must be at least 1KiB, or no request fits; raise it or leave it out",
        );
    }
    if keep_alive.ping_after >= keep_alive.reap_after {
        raw.refuse(
            &["keep_alive.ping_after", "keep_alive.reap_after"],
            "`keep_alive.ping_after` must be shorter than `keep_alive.reap_after`, or no client lives long enough to answer a ping; lower the first or raise the second",
        );
    }
}
