//! PlaceOS's real-time websocket: what riser speaks, and the minimal servers as far as it is measured.

use anyhow::{Result, bail};

use crate::protocol::websocket::{self, PONG, TEXT, frame};
use crate::protocol::{Layout, Message, Numbering, Protocol, Redis, Role, keyspace, number};

/// Requests that are no binds are numbered from here.
pub(crate) const FIRST_REQUEST: u64 = 1_000_000_000;

/// The modules `Load` of the system `sys-1`, unless a scenario asks for others; the statuses are spread over them.
pub(crate) const MODULES: usize = 50;

pub(crate) struct PlaceOs {
    pub(crate) key: String,
    pub(crate) numbering: Numbering,
    /// How many modules the statuses are spread over.
    pub(crate) modules: usize,
    /// What the names of statuses begin with.
    pub(crate) prefix: String,
    /// Which modules' statuses are followed, and who writes them.
    pub(crate) statuses: Statuses,
}

/// The statuses that are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statuses {
    /// Those of riser's own modules, which a function sets.
    Modules,
    /// Those of modules that only Redis knows. The publisher writes them there, as a PlaceOS core does.
    Redis,
}

impl Statuses {
    fn system(self) -> &'static str {
        match self {
            Self::Modules => "sys-1",
            Self::Redis => keyspace::SYSTEM,
        }
    }
}

impl PlaceOs {
    /// Follows the statuses of riser's own modules with this key.
    pub(crate) fn new(key: &str, layout: Layout) -> Self {
        Self {
            key: key.to_owned(),
            numbering: layout.numbering(),
            modules: layout.modules,
            prefix: "s".to_owned(),
            statuses: Statuses::Modules,
        }
    }

    /// Which of the modules a status belongs to.
    pub(crate) fn index(&self, status: usize) -> usize {
        1 + status % self.modules
    }

    fn follow(&self, id: u64, command: &str, status: usize, out: &mut Vec<u8>) {
        let (index, prefix, system) = (self.index(status), &self.prefix, self.statuses.system());
        let text = format!(
            r#"{{"id":{id},"cmd":"{command}","sys":"{system}","mod":"Load","index":{index},"name":"{prefix}{status}"}}"#
        );
        frame(TEXT, text.as_bytes(), out);
    }
}

impl Protocol for PlaceOs {
    fn greet(&self, out: &mut Vec<u8>) {
        websocket::upgrade(
            "/api/engine/v2/systems/control",
            &format!("X-API-Key: {}\r\n", self.key),
            out,
        );
    }

    fn greeted(&self, _: usize, _: Role, bytes: &[u8], _: &mut Vec<u8>) -> Result<Option<usize>> {
        websocket::upgraded(bytes)
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Message<'a>)>> {
        let Some((used, text)) = websocket::text(bytes)? else {
            return Ok(None);
        };
        let message = match websocket::ping(&bytes[..used]) {
            Some(payload) => Message::Ping { payload },
            None => read_text(text, self)?,
        };
        Ok(Some((used, message)))
    }

    fn bind(&self, connection: usize, binding: usize, out: &mut Vec<u8>) {
        let id = self.numbering.number(connection, binding);
        self.follow(id as u64, "bind", binding, out);
    }

    fn bind_as(&self, number: usize, status: usize, out: &mut Vec<u8>) -> Result<()> {
        self.follow(number as u64 + 1, "bind", status, out);
        Ok(())
    }

    fn unbind(&self, request: u64, status: usize, out: &mut Vec<u8>) -> Result<()> {
        self.follow(FIRST_REQUEST + request, "unbind", status, out);
        Ok(())
    }

    fn publish(&self, request: u64, status: usize, value: &[u8], out: &mut Vec<u8>) {
        if let Some(publishers) = self.publishers() {
            return publishers.publish(request, status, value, out);
        }
        let mut text = format!(
            r#"{{"id":{},"cmd":"exec","sys":"sys-1","mod":"Load","index":{},"name":"set","args":["{}{status}","#,
            FIRST_REQUEST + request,
            self.index(status),
            self.prefix
        )
        .into_bytes();
        text.extend_from_slice(value);
        text.extend_from_slice(b"]}");
        frame(TEXT, &text, out);
    }

    fn around(&self, status: usize) -> usize {
        let (id, index, prefix) = (status + 1, self.index(status), &self.prefix);
        let system = self.statuses.system();
        format!(
            r#"{{"id":{id},"type":"notify","value":,"meta":{{"sys":"{system}","mod":"Load","index":{index},"name":"{prefix}{status}"}}}}"#
        )
        .len()
    }

    fn echo(&self, request: u64, out: &mut Vec<u8>) -> Result<()> {
        let text = format!(
            r#"{{"id":{},"cmd":"exec","sys":"sys-1","mod":"Load","index":1,"name":"echo","args":[{request}]}}"#,
            FIRST_REQUEST + request
        );
        frame(TEXT, text.as_bytes(), out);
        Ok(())
    }

    fn pong(&self, payload: &[u8], out: &mut Vec<u8>) {
        frame(PONG, payload, out);
    }

    fn publishers(&self) -> Option<&dyn Protocol> {
        match self.statuses {
            Statuses::Modules => None,
            Statuses::Redis => Some(&Redis),
        }
    }
}

fn read_text<'a>(text: &'a [u8], protocol: &PlaceOs) -> Result<Message<'a>> {
    let Some((id, rest)) = text.strip_prefix(br#"{"id":"#).and_then(number) else {
        return Ok(Message::Other);
    };
    if let Some(value) = rest.strip_prefix(br#","type":"notify","value":"#) {
        return Ok(Message::Change {
            binding: protocol.numbering.binding(id)?,
            value,
        });
    }
    if rest.starts_with(br#","type":"success""#) {
        let request = id.checked_sub(FIRST_REQUEST).unwrap_or(id);
        return Ok(Message::Done { request });
    }
    bail!("an unexpected answer: {}", String::from_utf8_lossy(text));
}
