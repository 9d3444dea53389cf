//! All settings in one table: what is not here is refused, and the reference in `docs/settings.md` is made from it.

use std::fmt::Write as _;

use super::env::variable;

/// One setting.
pub(super) struct Key {
    /// The name; a dot separates the section.
    pub(super) name: &'static str,
    /// What it takes, for people.
    pub(super) takes: &'static str,
    /// The value that holds when nothing is set, as one would write it; empty for none.
    pub(super) default: &'static str,
    /// The flag, where there is one.
    pub(super) flag: &'static str,
    /// What it does, and what zero means.
    pub(super) about: &'static str,
}

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "listen",
        takes: ADDRESS,
        default: "127.0.0.1:3000",
        flag: "--listen",
        about: "Where clients connect. Port 0 takes a free one, which the ready line names.",
    },
    Key {
        name: "health_listen",
        takes: ADDRESS,
        default: "",
        flag: "",
        about: "Where `/metrics`, `/healthz` and `/readyz` are served, when not beside everything else.",
    },
    Key {
        name: "base_path",
        takes: BASE_PATH,
        default: "/",
        flag: "",
        about: "The path below which everything is served, where a proxy passes on a path of its own. Other nodes use paths without it.",
    },
    Key {
        name: "static",
        takes: FOLDERS,
        default: "",
        flag: "",
        about: "Folders of files that browsers get, such as apps of PlaceOS: each at a `path` below `base_path`, with the file `fallback` in the place of pages that are no files. No folder hides a resource of riser's own.",
    },
    Key {
        name: "dialects",
        takes: "words apart by commas; there are `placeos`, `home_assistant`, `platypush`, `pusher` and `pushjet`",
        default: "placeos,home_assistant,platypush,pusher,pushjet",
        flag: "",
        about: "Which dialects are served; the others' resources and websockets are not there. An empty list closes all of them.",
    },
    Key {
        name: "workers",
        takes: COUNT,
        default: "0",
        flag: "--workers",
        about: "Threads that serve connections. 0 means one per core.",
    },
    Key {
        name: "building",
        takes: PATH,
        default: "",
        flag: "--building",
        about: "The building file, read again when it changes and on SIGHUP. Without one the building in `data` runs, or the demo.",
    },
    Key {
        name: "admin_secret",
        takes: "text, at least 16 characters",
        default: "",
        flag: "",
        about: "The secret of the administrator's key `riser-admin`, which is good while this gateway runs on its `building`: for a program that starts the gateway itself. Without it the file's own keys are all there are.",
    },
    Key {
        name: "data",
        takes: "a path",
        default: "",
        flag: "--data",
        about: "The directory in which the building is kept, made if there is none. Without one it is kept in memory.",
    },
    Key {
        name: "log",
        takes: "a level, or a filter such as `info,riser::server=debug`",
        default: "info",
        flag: "--log",
        about: "What is logged to stderr: `error`, `warn`, `info`, `debug`, `trace` or `off`, in general and for parts.",
    },
    Key {
        name: "log_format",
        takes: LOG_FORMAT,
        default: "text",
        flag: "",
        about: "How a line of the log is written: `text` for people, `json` as an object for a collector of logs.",
    },
    Key {
        name: "drain_deadline",
        takes: DURATION,
        default: "5s",
        flag: "",
        about: "How long clients may take to answer the close when the gateway stops; at most 5s.",
    },
    Key {
        name: "send_buffer",
        takes: SIZE,
        default: "64KiB",
        flag: "",
        about: "The bytes that the kernel may hold for one client that does not read; at least 4KiB.",
    },
    Key {
        name: "jwt_public",
        takes: "the PEM of an RSA public key, or that in base64",
        default: "",
        flag: "",
        about: "The key that verifies bearer tokens which are good beside riser's own: that of a PlaceOS, for example. `JWT_PUBLIC` sets it too.",
    },
    Key {
        name: "placeos",
        takes: SWITCH,
        default: "false",
        flag: "--placeos",
        about: "Share the Redis of a PlaceOS, whose cores run the modules. Sets `cluster.service` to `core` and `cluster.role` to `gateway` unless these are set.",
    },
    Key {
        name: "placeos_api",
        takes: WEB_ADDRESS,
        default: "",
        flag: "",
        about: "The PlaceOS whose API keys are good here too: riser asks it about a key that riser does not know. Needs `placeos`.",
    },
    Key {
        name: "placeos_edges",
        takes: EDGES,
        default: "",
        flag: "",
        about: "Modules behind edges of the PlaceOS, each with its edge's id: they are called at the core that the edge belongs to. PlaceOS keeps these ids in its database alone.",
    },
    Key {
        name: "limits.message_max",
        takes: SIZE,
        default: "2MiB",
        flag: "",
        about: "The largest message from a client; at least 1KiB. Past it the connection is closed with 1009.",
    },
    Key {
        name: "limits.bindings_max",
        takes: COUNT,
        default: "10000",
        flag: "",
        about: "Bindings per connection; one more is refused. 0 means no limit.",
    },
    Key {
        name: "limits.requests_per_second",
        takes: COUNT,
        default: "0",
        flag: "",
        about: "Requests per second and connection; past it they are answered \"busy\". 0 means no limit.",
    },
    Key {
        name: "limits.connections_max",
        takes: COUNT,
        default: "0",
        flag: "",
        about: "Connections in all; past it new ones get 503. 0 means no limit.",
    },
    Key {
        name: "limits.connections_per_key",
        takes: COUNT,
        default: "0",
        flag: "",
        about: "Connections per API key, or per sign-in; past it new ones get 503. 0 means no limit.",
    },
    Key {
        name: "limits.connections_per_address",
        takes: COUNT,
        default: "0",
        flag: "",
        about: "Connections per client address; past it new ones get 503. 0 means no limit.",
    },
    Key {
        name: "limits.arguments_max",
        takes: SIZE,
        default: "64MiB",
        flag: "",
        about: "Arguments of all calls under way, from clients, nodes and code inside; past it a call is answered \"busy\". Half of it is kept for arguments of up to 4KiB.",
    },
    Key {
        name: "limits.statuses_max",
        takes: SIZE,
        default: "16MiB",
        flag: "",
        about: "Statuses of one module, names and values; past it a driver cannot set another or a larger one.",
    },
    Key {
        name: "limits.entry_max",
        takes: SIZE,
        default: "1MiB",
        flag: "",
        about: "One entry of the building as it is kept, such as one metadata; an edit that makes it larger is refused. A building file is not held to it.",
    },
    Key {
        name: "limits.metadata_max",
        takes: SIZE,
        default: "8MiB",
        flag: "",
        about: "All metadata of one zone, system, module or user; an edit that makes it larger is refused. A building file is not held to it.",
    },
    Key {
        name: "limits.strangers_max",
        takes: COUNT,
        default: "8192",
        flag: "",
        about: "Connections without good credentials; past it the one that came first is ended. 0 means no limit.",
    },
    Key {
        name: "processes.memory_max",
        takes: SIZE,
        default: "1GiB",
        flag: "",
        about: "Memory that one process of a driver may write to; a driver that asks for more fails and starts again. 0 means no limit.",
    },
    Key {
        name: "processes.files_max",
        takes: COUNT,
        default: "1024",
        flag: "",
        about: "Files and connections that one process of a driver may have open. 0 means as many as the gateway.",
    },
    Key {
        name: "processes.remote",
        takes: SWITCH,
        default: "false",
        flag: "",
        about: "Whether a building that comes over the network, by `riser apply`, may name programs to run as drivers. With `true` an administrator's key runs any program on this machine.",
    },
    Key {
        name: "http.keep_alive",
        takes: DURATION,
        default: "75s",
        flag: "",
        about: "How long a connection is kept for the next plain request. Longer than a balancer in front keeps its own connections, or it sends a request into a connection that ends.",
    },
    Key {
        name: "http.allowed_origins",
        takes: ORIGINS,
        default: "",
        flag: "",
        about: "Other origins whose pages may use the gateway with a user's credentials, by CORS and by websocket.",
    },
    Key {
        name: "http.trusted_proxies",
        takes: NETWORKS,
        default: "",
        flag: "",
        about: "The proxies in front, by their addresses: riser believes them which address a client has and whether it came by TLS. The audit log and the limits then use the client's address.",
    },
    Key {
        name: "http.proxy_headers",
        takes: PROXY_HEADERS,
        default: "x-forwarded",
        flag: "",
        about: "How these proxies say it: by `X-Forwarded-For` and `X-Forwarded-Proto`, or by `Forwarded` (RFC 7239). The other kind is ignored, because a client may have written it.",
    },
    Key {
        name: "http.hsts",
        takes: SWITCH,
        default: "true",
        flag: "",
        about: "Whether riser asks a browser that came by TLS to use nothing else with this host for half a year (`Strict-Transport-Security`); never where `tls.plain_mode` is `stay`.",
    },
    Key {
        name: "keep_alive.ping_after",
        takes: DURATION,
        default: "30s",
        flag: "",
        about: "A protocol PING goes out after this long without a frame from the client; shorter than `keep_alive.reap_after`.",
    },
    Key {
        name: "keep_alive.pong_every",
        takes: DURATION,
        default: "80s",
        flag: "",
        about: "The dialect's own sign of life goes out this often, counted from each connection's start.",
    },
    Key {
        name: "keep_alive.reap_after",
        takes: DURATION,
        default: "90s",
        flag: "",
        about: "A connection without a frame from the client for this long is closed.",
    },
    Key {
        name: "home_assistant.listen",
        takes: ADDRESS,
        default: "",
        flag: "",
        about: "An address at which Home Assistant's clients have every path to themselves, by habit with the port 8123. Without it they use `listen`.",
    },
    Key {
        name: "home_assistant.frontend",
        takes: PATH,
        default: "",
        flag: "",
        about: "The folder of Home Assistant's dashboard, `hass_frontend` of the Python package `home-assistant-frontend`: it is then served at `home_assistant.listen`.",
    },
    Key {
        name: "platypush.listen",
        takes: ADDRESS,
        default: "",
        flag: "",
        about: "An address at which Platypush's clients have every path to themselves, by habit with the port 8008. Without it they use `listen`.",
    },
    Key {
        name: "platypush.web_ui",
        takes: PATH,
        default: "",
        flag: "",
        about: "The folder of Platypush's pages, `backend/http/webapp/dist` of the Python package `platypush`: they are then served at `platypush.listen`.",
    },
    Key {
        name: "pusher.listen",
        takes: ADDRESS,
        default: "",
        flag: "",
        about: "An address at which Pusher's clients and servers have every path to themselves. Without it they use `listen`.",
    },
    Key {
        name: "pusher.activity_timeout",
        takes: DURATION,
        default: "120s",
        flag: "",
        about: "After this long without a frame a client of Pusher asks for a sign of life, and so does riser; whole seconds.",
    },
    Key {
        name: "pusher.pong_timeout",
        takes: DURATION,
        default: "30s",
        flag: "",
        about: "How long a client of Pusher may take to give that sign before it is closed with 4201.",
    },
    Key {
        name: "pusher.strict_protocol",
        takes: SWITCH,
        default: "false",
        flag: "",
        about: "Whether a client of Pusher must name the version of the protocol; without one it is then closed with 4008.",
    },
    Key {
        name: "pushjet.listen",
        takes: ADDRESS,
        default: "",
        flag: "",
        about: "An address at which Pushjet's clients have every path to themselves. Without it they use `listen`, below `/pushjet`.",
    },
    Key {
        name: "pushjet.websocket_listen",
        takes: ADDRESS,
        default: "",
        flag: "",
        about: "An address at which every path is Pushjet's websocket, by habit with the port 8181. Without it that is at `/pushjet/ws` of `listen`.",
    },
    Key {
        name: "pushjet.tcp_listen",
        takes: ADDRESS,
        default: "",
        flag: "",
        about: "An address for Pushjet's clients without HTTP, by habit with the port 7171; never by TLS. Without it there is none.",
    },
    Key {
        name: "pushjet.create",
        takes: "`credentials` or `anyone`",
        default: "",
        flag: "",
        about: "Who may make a service by Pushjet: `credentials` (when not set, but for the demo building) who has those of level support or admin, `anyone` everybody who reaches the gateway.",
    },
    Key {
        name: "pushjet.messages_per_second",
        takes: COUNT,
        default: "10",
        flag: "",
        about: "Messages that each service may send a second; past it they are refused with 429. 0 means no limit.",
    },
    Key {
        name: "alerts.services",
        takes: "names or public keys of services, apart by commas",
        default: "",
        flag: "",
        about: "Which services tell what is wrong with the gateway itself, by their names or public keys: modules that are not connected, nodes that are gone, a certificate that ends. Without one nothing is told.",
    },
    Key {
        name: "alerts.after",
        takes: DURATION,
        default: "5m",
        flag: "",
        about: "How long a module or a node has to be away before it is told.",
    },
    Key {
        name: "sign_in.token_life",
        takes: DURATION,
        default: "2h",
        flag: "",
        about: "How long riser's bearer tokens are good; whole seconds, from 1m to 24h. Apps renew it by themselves.",
    },
    Key {
        name: "sign_in.redirects",
        takes: "addresses such as https://app.example.org/oauth-resp.html, apart by commas",
        default: "",
        flag: "",
        about: "Where a browser may be sent with a token, to the letter, beside the pages of riser's own origin.",
    },
    Key {
        name: "tls.cert",
        takes: PATH,
        default: "",
        flag: "--tls-cert",
        about: "The certificate for TLS at `listen`, in PEM: the gateway's own first, then its issuers'. With `tls.key` or not at all; read again when either changes.",
    },
    Key {
        name: "tls.key",
        takes: PATH,
        default: "",
        flag: "--tls-key",
        about: "The private key of the certificate, in PEM, not encrypted.",
    },
    Key {
        name: "tls.plain_listen",
        takes: ADDRESS,
        default: "",
        flag: "",
        about: "A plain address beside the encrypted one. Without it nothing is served unencrypted but `health_listen`.",
    },
    Key {
        name: "tls.plain_mode",
        takes: PLAIN_MODE,
        default: "",
        flag: "",
        about: "What `tls.plain_listen` does: `redirect` (when not set) sends everything but health and metrics to the encrypted address by 308, `stay` serves everything.",
    },
    Key {
        name: "exec.deadline",
        takes: DURATION,
        default: "15s",
        flag: "",
        about: "How long a caller waits for a function of a module; the function itself runs on.",
    },
    Key {
        name: "redis.url",
        takes: "redis://, rediss:// or unix:// with a place",
        default: "",
        flag: "--redis",
        about: "The Redis that nodes share, 6.2 or newer, or a Valkey: the building, the statuses and who runs what. `USER:PASSWORD@` goes before the host, `/N` for a database after it.",
    },
    Key {
        name: "redis.ca",
        takes: PATH,
        default: "",
        flag: "",
        about: "The authorities to trust at `rediss://`, in PEM, in place of those that the system trusts.",
    },
    Key {
        name: "redis.cert",
        takes: PATH,
        default: "",
        flag: "",
        about: "The certificate to show at `rediss://`, in PEM. With `redis.key` or not at all.",
    },
    Key {
        name: "redis.key",
        takes: PATH,
        default: "",
        flag: "",
        about: "The private key of that certificate, in PEM.",
    },
    Key {
        name: "cluster.service",
        takes: "a name",
        default: "riser",
        flag: "",
        about: "The name under which the nodes list themselves; nodes of another name share only statuses with these.",
    },
    Key {
        name: "cluster.role",
        takes: ROLE,
        default: "both",
        flag: "",
        about: "What this node does: `gateway` serves clients and runs no module, `core` runs modules and is not meant for clients, `both`.",
    },
    Key {
        name: "cluster.advertise",
        takes: WEB_ADDRESS,
        default: "",
        flag: "--advertise",
        about: "Where the other nodes reach this one. Without it the address that it listens on, which must then be one that they can reach.",
    },
    Key {
        name: "cluster.secret",
        takes: "text, at least 16 characters",
        default: "",
        flag: "",
        about: "The secret by which nodes prove that they belong together, the same on all of them. Without it the first node makes one and keeps it in Redis.",
    },
    Key {
        name: "cluster.lease",
        takes: DURATION,
        default: "10s",
        flag: "",
        about: "How long a silent node keeps its modules, from 1s to 5m, the same on all nodes. A node that cannot reach Redis for nearly as long stops its own.",
    },
    Key {
        name: "cluster.open_core_api",
        takes: SWITCH,
        default: "false",
        flag: "",
        about: "Whether any program that reaches this node may call functions of its modules without the secret, as PlaceOS's own programs do.",
    },
];

/// Keys whose values are secrets, or may hold one.
pub(super) const SECRETS: &[&str] = &["admin_secret", "redis.url", "cluster.secret"];

pub(super) const ADDRESS: &str = "an address and port such as 127.0.0.1:3000 or [::]:3000";
pub(super) const BASE_PATH: &str =
    "a path such as /riser, of letters, digits, - . _ and ~ between slashes";
pub(super) const FOLDERS: &str = "tables with `path`, `folder` and perhaps `fallback`, each path once; or pairs such as /app/=/srv/app, apart by commas";
pub(super) const ORIGINS: &str = "origins such as https://app.example.org, apart by commas";
pub(super) const NETWORKS: &str =
    "addresses or networks such as 10.0.0.7 or fd00::/8, apart by commas";
pub(super) const PROXY_HEADERS: &str = "`x-forwarded` or `forwarded`";
pub(super) const COUNT: &str = "a whole number";
pub(super) const PATH: &str = "a path";
pub(super) const LOG_FORMAT: &str = "`text` or `json`";
pub(super) const PLAIN_MODE: &str = "`redirect` or `stay`";
pub(super) const WEB_ADDRESS: &str = "an address such as http://10.0.0.7:3000, without a path";
pub(super) const EDGES: &str = "pairs such as mod-1-edge=edge-1, apart by commas";
pub(super) const SWITCH: &str = "`true` or `false`";
pub(super) const ROLE: &str = "`gateway`, `core` or `both`";
pub(super) const DURATION: &str = "a duration such as 500ms, 10s or 2m";
pub(super) const SIZE: &str = "a size such as 64KiB or 2MiB";

/// The reference for people, in Markdown.
pub fn reference() -> String {
    let mut text = String::from(
        "# Settings\n\
         \n\
         Defaults, then `riser.toml` in the working directory (or the file named by `--config`), then the environment, then flags; the last one wins.\n\
         A key that is not in this table is an error.\n\
         \n\
         | key | default | takes | what it does | variable | flag |\n\
         |---|---|---|---|---|---|\n",
    );
    let code = |text: &str| match text {
        "" => String::new(),
        _ => format!("`{text}`"),
    };
    for key in KEYS {
        let Key {
            name,
            takes,
            default,
            flag,
            about,
        } = key;
        let (default, flag) = (code(default), code(flag));
        let variable = variable(name);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| `{name}` | {default} | {takes} | {about} | `{variable}` | {flag} |"
        );
    }
    text.push_str(
        "\nA dot in a key is a section of the file: `keep_alive.ping_after` is `ping_after` under `[keep_alive]`.\n\
         Durations have a unit (`ms`, `s`, `m`, `h`) and are longer than zero; sizes may have one (`KiB`, `MiB`, `GiB`).\n\
         `RISER_URL`, `RISER_API_KEY` and `RISER_CONTEXT` belong to the terminal client and set nothing here.\n",
    );
    text
}
