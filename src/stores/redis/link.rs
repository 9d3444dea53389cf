//! Opens connections to Redis, and finds out whether it can be used.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{AsyncConnectionConfig, ErrorKind, PushInfo, RedisError, ServerErrorKind};

use crate::stores::StoreError;
use crate::stores::redis::address::RedisAddress;
use crate::stores::redis::limits::{CONNECT_DEADLINE, KEEPALIVE};

/// The oldest Redis that has every command that riser uses.
const OLDEST: (u32, u32) = (6, 2);

/// Takes what Redis sends without a question. Called on the connection's own task, in the order of the wire, before any later reply is seen; must not wait.
pub(super) type OnPush = Arc<dyn Fn(PushInfo) + Send + Sync>;

/// The way to one Redis.
#[derive(Clone)]
pub struct Link {
    address: Arc<RedisAddress>,
    tcp: TcpSettings,
}

/// What the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerInfo {
    /// Another at every start of the server, so a change means that it may have lost what it had.
    pub(super) run_id: String,
    pub(super) version: String,
}

impl Link {
    /// A way to this address. Nothing is connected yet.
    pub fn new(address: RedisAddress) -> Self {
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE)
            .with_interval(KEEPALIVE);
        Self {
            address: Arc::new(address),
            tcp: TcpSettings::default()
                .set_nodelay(true)
                .set_keepalive(keepalive),
        }
    }

    /// The same way, on which bytes that were not received within `life` are given up, and those not yet sent when a connection is closed with it:
    /// a node's writes must not arrive after other nodes take it for gone. Of no effect on a unix socket, where nothing is under way.
    pub(super) fn whose_bytes_live(&self, life: Duration) -> Self {
        let mut link = self.clone();
        link.tcp = link
            .tcp
            .set_user_timeout(life)
            .set_linger_time(Duration::ZERO);
        link
    }

    /// Where it leads, without credentials.
    pub fn place(&self) -> String {
        self.address.to_string()
    }

    /// Opens a connection whose replies may take as long as `patience`, and asks the server what it is.
    pub(super) async fn connect(
        &self,
        patience: Duration,
        on_push: Option<OnPush>,
    ) -> Result<(MultiplexedConnection, ServerInfo), StoreError> {
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_DEADLINE))
            .set_response_timeout(Some(patience));
        if let Some(on_push) = on_push {
            config = config.set_push_sender(move |push| {
                on_push(push);
                Ok::<(), redis::aio::SendError>(())
            });
        }
        let client = self
            .address
            .client(&self.tcp)
            .map_err(|error| self.failed(&error))?;
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| self.failed(&error))?;
        let text: String = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut connection)
            .await
            .map_err(|error| self.failed(&error))?;
        let server = self.judge(&text)?;
        Ok((connection, server))
    }

    /// Whether the server is one that can be used.
    fn judge(&self, info: &str) -> Result<ServerInfo, StoreError> {
        let field = |name: &str| {
            let mut lines = info.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        };
        let version = field("redis_version").unwrap_or_default();
        let mut numbers = version.split('.').map(str::parse::<u32>);
        let known = match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
            _ => false,
        };
        if !known {
            return Err(self.refused(
                format!("its version is {version:?}"),
                "run Redis 6.2 or newer, or Valkey",
            ));
        }
        Ok(ServerInfo {
            run_id: field("run_id").unwrap_or_default().to_owned(),
            version: version.to_owned(),
        })
    }

    /// The store's error for an error of the library.
    pub(super) fn failed(&self, error: &RedisError) -> StoreError {
        let kind = error.kind();
        let hint = if kind == ErrorKind::AuthenticationFailed
            || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
        {
            "check the user and password in the address"
        } else if kind == ErrorKind::Server(ServerErrorKind::NoPerm) {
            "allow the user all commands on the keys and channels of riser and PlaceOS"
        } else if kind == ErrorKind::InvalidClientConfig {
            "check the address"
        } else if kind == ErrorKind::RESP3NotSupported {
            "run Redis 6.2 or newer, or Valkey"
        } else {
            return self.unreachable(error);
        };
        self.refused(error.to_string(), hint)
    }

    /// It cannot be used at the moment.
    pub(super) fn unreachable(&self, detail: impl fmt::Display) -> StoreError {
        StoreError::Unreachable {
            place: self.place(),
            detail: detail.to_string(),
        }
    }

    fn refused(&self, detail: String, hint: &'static str) -> StoreError {
        StoreError::Refused {
            place: self.place(),
            detail,
            hint,
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.place()).finish()
    }
}
