//! Serial ports.

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use serial2_tokio::{CharSize, FlowControl, Parity, SerialPort, Settings, StopBits};

use super::errors;
use super::link::{Connection, Link};
use super::tokens::Tokens;
use crate::Error;

/// A device at a serial port: `serial:///dev/ttyUSB0?baud=9600&bits=8&parity=none&stop=1`, where these are what holds if they are left out.
#[derive(Debug, Clone)]
pub struct Serial {
    path: PathBuf,
    line: Line,
    tokens: Tokens,
}

/// How the bits stand on the wire.
#[derive(Debug, Clone, Copy)]
struct Line {
    baud: u32,
    bits: CharSize,
    parity: Parity,
    stop: StopBits,
}

impl Serial {
    /// A device at this URI.
    pub fn new(uri: &str, tokens: Tokens) -> Result<Self, Error> {
        let form = "the uri is not of the form serial:///dev/PORT or serial:///dev/PORT?baud=9600&bits=8&parity=none&stop=1";
        let rest = uri
            .strip_prefix("serial://")
            .ok_or(form)
            .map_err(Error::new)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !Path::new(path).is_absolute() {
            return Err(Error::new(form));
        }
        let mut line = Line {
            baud: 9600,
            bits: CharSize::Bits8,
            parity: Parity::None,
            stop: StopBits::One,
        };
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            line.set(setting)?;
        }
        Ok(Self {
            path: path.into(),
            line,
            tokens,
        })
    }
}

impl Line {
    fn set(&mut self, setting: &str) -> Result<(), Error> {
        let expected = |what: &str| {
            Err(Error::new(format_args!(
                "the uri has `{setting}`; expected {what}"
            )))
        };
        match setting.split_once('=').unwrap_or((setting, "")) {
            ("baud", baud) => match baud.parse() {
                Ok(baud) if baud > 0 => self.baud = baud,
                _ => return expected("baud with a whole number, such as baud=9600"),
            },
            ("bits", "5") => self.bits = CharSize::Bits5,
            ("bits", "6") => self.bits = CharSize::Bits6,
            ("bits", "7") => self.bits = CharSize::Bits7,
            ("bits", "8") => self.bits = CharSize::Bits8,
            ("bits", _) => return expected("bits from 5 to 8"),
            ("parity", "none") => self.parity = Parity::None,
            ("parity", "even") => self.parity = Parity::Even,
            ("parity", "odd") => self.parity = Parity::Odd,
            ("parity", _) => return expected("parity none, even or odd"),
            ("stop", "1") => self.stop = StopBits::One,
            ("stop", "2") => self.stop = StopBits::Two,
            ("stop", _) => return expected("stop 1 or 2"),
            _ => return expected("baud, bits, parity or stop"),
        }
        Ok(())
    }
}

impl Link for Serial {
    fn open(&self) -> BoxFuture<'_, Result<Connection, Error>> {
        let line = self.line;
        let open = move || {
            let port = SerialPort::open(&self.path, |mut settings: Settings| {
                settings.set_raw();
                settings.set_baud_rate(line.baud)?;
                settings.set_char_size(line.bits);
                settings.set_parity(line.parity);
                settings.set_stop_bits(line.stop);
                settings.set_flow_control(FlowControl::None);
                Ok(settings)
            })?;
            // What came before belongs to a conversation that is over.
            port.discard_buffers()?;
            Ok(Connection::bytes(port, &self.tokens))
        };
        let opened: std::io::Result<Connection> = open();
        let opened = opened.map_err(|error| errors::unreachable(&error));
        Box::pin(std::future::ready(opened))
    }
}
