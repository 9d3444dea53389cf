//! What an operator may set about the server. Bounds that no operator needs to set are in `limits.rs`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::dialects::{DialectSettings, PusherSettings};
use crate::model::Network;

/// Settings of the server room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// Where to listen; port 0 takes a free one. Default `127.0.0.1:3000`.
    pub listen: SocketAddr,
    /// Where `/metrics`, `/healthz` and `/readyz` are served. Absent (the default) means: beside everything else.
    pub health_listen: Option<SocketAddr>,
    /// How clients are served by TLS at `listen`. Absent (the default) means: everything is plain.
    pub tls: Option<TlsSettings>,
    /// How many worker threads serve connections. 0 (the default) means one per core.
    pub workers: usize,
    /// How long clients have to answer the close frame when the gateway stops. Default 5 s.
    pub drain_deadline: Duration,
    /// `SO_SNDBUF` of each connection in bytes: what the kernel may hold for a client that does not read. Default 64 KiB.
    pub send_buffer_bytes: usize,
    /// What one client may take.
    pub limits: ConnectionLimits,
    /// How dead connections are noticed.
    pub keep_alive: KeepAliveSettings,
    /// How long a connection is kept for the next plain request. Default 75 s: longer than the 60 s for which balancers keep theirs, so that they end it and not we.
    pub http_keep_alive: Duration,
    /// Where a browser may be sent with a token, to the letter, beside the pages of the origin that it called. Default nowhere.
    pub redirects: Vec<String>,
    /// What stands in front of every path, as `/riser` does. Empty (the default) means: nothing.
    pub base_path: String,
    /// The words of the dialects that are served. Default: all that there are.
    pub dialects: Vec<&'static str>,
    /// Addresses that dialects have for themselves, in the order in which the ready lines name them.
    pub own_listeners: Vec<ListenerSettings>,
    /// Folders of files for browsers, such as apps of PlaceOS.
    pub folders: Vec<FolderSettings>,
    /// Of Home Assistant's pages.
    pub home_assistant: HomeAssistantSettings,
    /// Of Platypush's pages.
    pub platypush: PlatypushSettings,
    /// Of Pusher's websocket.
    pub pusher: PusherSettings,
    /// Of Pushjet's services.
    pub pushjet: PushjetSettings,
    /// Other origins whose pages may use the gateway, as browsers write them. Default none.
    pub allowed_origins: Vec<String>,
    /// The proxies in front. Default none.
    pub proxies: ProxySettings,
    /// Whether browsers are asked to use TLS alone from then on. Default yes.
    pub hsts: bool,
}

/// What is served of Home Assistant beside its API.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct HomeAssistantSettings {
    /// The folder of its dashboard, which is served at the dialect's own address. Absent (the default) means: there is none.
    pub frontend: Option<PathBuf>,
}

/// What is served of Platypush beside its API.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PlatypushSettings {
    /// The folder of its pages, which are served at the dialect's own address. Absent (the default) means: there are none.
    pub web_ui: Option<PathBuf>,
}

/// What strangers may do with Pushjet's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PushjetSettings {
    /// Who may make a service. Absent (the default) means: who has credentials, and in the demo building anyone.
    pub create: Option<CreateSettings>,
    /// Messages per second of one service; past it they are refused. 0 means no limit. Default 10.
    pub messages_per_second: u32,
}

impl PushjetSettings {
    /// What holds where nothing is set.
    pub const DEFAULT: Self = Self {
        create: None,
        messages_per_second: 10,
    };
}

/// Who may make a service over Pushjet's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateSettings {
    /// Whoever shows the credentials of a user or a key of level support and up.
    Credentials,
    /// Everybody who reaches the gateway.
    Anyone,
}

/// The proxies in front, of which is believed where a client is and how it came.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ProxySettings {
    /// Where they are.
    pub trusted: Vec<Network>,
    /// How they say it.
    pub headers: ProxyHeaderSettings,
}

/// The headers in which proxies say it. The others are a client's own, and would be believed if both counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeaderSettings {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// A folder of files that browsers get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderSettings {
    /// The path below the base at which it stands, with a slash at both ends.
    pub path: String,
    /// Where it is.
    pub folder: PathBuf,
    /// The file in it that is sent for every path without a file, which pages find their own way from; none where such a path is an error.
    pub fallback: Option<String>,
}

/// An address that a dialect has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenerSettings {
    /// The word of the dialect.
    pub dialect: &'static str,
    /// What is served there.
    pub serves: ServingSettings,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The key of the setting, for an error.
    pub setting: &'static str,
}

/// What is served at an address that a dialect has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServingSettings {
    /// All that the dialect has, each at its path.
    Everything,
    /// Its websocket, at every path.
    Websocket,
    /// Its messages on plain streams, without HTTP.
    Stream,
}

impl ServerSettings {
    /// Whether a dialect is served.
    pub(super) fn opens(&self, dialect: &str) -> bool {
        self.dialects.contains(&dialect)
    }

    /// Whether an address is that of a proxy which is believed.
    pub(super) fn trusts_proxy(&self, address: IpAddr) -> bool {
        self.proxies
            .trusted
            .iter()
            .any(|network| network.contains(address))
    }

    /// Whether a browser that came by TLS is to use nothing else. Where everything is also served without TLS, that would close the plain address.
    pub(super) fn keeps_to_tls(&self) -> bool {
        let is_open_too = |tls: &TlsSettings| matches!(tls.plain, Some(PlainSettings::Stay(_)));
        self.hsts && !self.tls.as_ref().is_some_and(is_open_too)
    }

    /// Whether pages of an origin may ask with the cookie of a sign-in, beside our own.
    pub(super) fn allows_origin(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed == origin)
    }
}

/// How clients are served by TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The certificate and behind it those of its issuers, in PEM. It is read again when it changes.
    pub certificate: PathBuf,
    /// The certificate's private key, in PEM, not encrypted.
    pub key: PathBuf,
    /// A plain address beside the encrypted one. Absent (the default) means: there is none.
    pub plain: Option<PlainSettings>,
}

/// A plain address beside the encrypted one, and what is served there. Port 0 takes a free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainSettings {
    /// Health and metrics; every other request is redirected to the encrypted address.
    Redirect(SocketAddr),
    /// Everything.
    Stay(SocketAddr),
}

impl PlainSettings {
    /// Where to listen.
    pub fn listen(&self) -> SocketAddr {
        match self {
            Self::Redirect(listen) | Self::Stay(listen) => *listen,
        }
    }
}

/// What one client may take. For counts and rates 0 means no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The largest message from a client in bytes. Past it the connection is closed with 1009. Default 2 MiB.
    pub message_max_bytes: usize,
    /// Bindings per connection. One more is refused. Default 10 000.
    pub bindings_max: usize,
    /// Requests per second and connection; past it requests are answered "busy". Default 0.
    pub requests_per_second: u32,
    /// Connections in all; past it new ones get 503. Default 0.
    pub connections_max: usize,
    /// Connections per API key, or per sign-in; past it new ones get 503. Default 0.
    pub connections_per_key: usize,
    /// Connections per client address; past it new ones get 503. Default 0.
    pub connections_per_address: usize,
    /// Connections without good credentials; past it the one that came first is ended. Default 8192.
    pub strangers_max: usize,
}

/// How dead connections are noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepAliveSettings {
    /// A protocol PING goes out after this long without any inbound frame. Default 30 s.
    pub ping_after: Duration,
    /// The dialect's own sign of life goes out this often, counted from each connection's start. Default 80 s.
    pub pong_every: Duration,
    /// A connection without any inbound frame for this long is closed. Default 90 s.
    pub reap_after: Duration,
}

impl ServerSettings {
    /// What of these dialects take their limits from.
    pub(super) fn dialect_settings(&self) -> DialectSettings {
        DialectSettings {
            message_max_bytes: self.limits.message_max_bytes,
            ping_after: self.keep_alive.ping_after,
            pong_every: self.keep_alive.pong_every,
            reap_after: self.keep_alive.reap_after,
            pusher: self.pusher,
        }
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
            health_listen: None,
            tls: None,
            workers: 0,
            drain_deadline: Duration::from_secs(5),
            send_buffer_bytes: 64 * 1024,
            limits: ConnectionLimits::default(),
            keep_alive: KeepAliveSettings::default(),
            http_keep_alive: Duration::from_secs(75),
            redirects: Vec::new(),
            base_path: String::new(),
            dialects: vec![
                "placeos",
                "home_assistant",
                "platypush",
                "pusher",
                "pushjet",
            ],
            own_listeners: Vec::new(),
            folders: Vec::new(),
            home_assistant: HomeAssistantSettings::default(),
            platypush: PlatypushSettings::default(),
            pusher: PusherSettings::DEFAULT,
            pushjet: PushjetSettings::DEFAULT,
            allowed_origins: Vec::new(),
            proxies: ProxySettings::default(),
            hsts: true,
        }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            message_max_bytes: 2 * 1024 * 1024,
            bindings_max: 10_000,
            requests_per_second: 0,
            connections_max: 0,
            connections_per_key: 0,
            connections_per_address: 0,
            strangers_max: 8_192,
        }
    }
}

impl Default for KeepAliveSettings {
    fn default() -> Self {
        Self {
            ping_after: Duration::from_secs(30),
            pong_every: Duration::from_secs(80),
            reap_after: Duration::from_secs(90),
        }
    }
}
