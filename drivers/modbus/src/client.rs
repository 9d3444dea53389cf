//! The device: it is asked one request after the other, and what it answers becomes statuses.
//!
//! Separate from the driver's block because the poll and the calls share it.
//!
//! - A poll reads block after block. A block that the device refuses is halved until it is known which register is meant,
//!   and from then on that one is read by itself, so that it costs its neighbours nothing.
//! - `set` writes, reads back what the device has, and publishes that.
//!   The transport has one command in flight and lets the poll go on before it sends the next, so an older value never covers it.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_sdk::serde_json::Value;
use driver_sdk::transport::{AWAY, Command, Device, Message};
use driver_sdk::{Context, Error, Status, debug, info, warn};

use crate::frame::{Answer, AnswerError, Exception, ExceptionClass, Header, Request};
use crate::limits::READ_RETRIES;
use crate::plan::{self, Block};
use crate::register::{Access, Register, Unwritable};
use crate::settings::{Settings, Transactions};

/// The code of a call whose arguments the module does not take.
const BAD_ARGUMENTS: u16 = 400;

/// The code of a call of a register that is not there.
const NO_REGISTER: u16 = 404;

/// The code of a call that the device refuses.
const REFUSED_BY_DEVICE: u16 = 502;

/// What one module knows of its device.
pub(crate) struct ModbusClient {
    context: Context,
    unit: u8,
    answer_unit: u8,
    transactions: Transactions,
    timeout: Duration,
    names: Vec<Name>,
    registers: Vec<Register>,
    /// The blocks of a poll, as the device lets them be read.
    blocks: Mutex<Vec<Block>>,
    /// The number of the last request.
    transaction: AtomicU16,
    /// Whether the log says that answers name another unit.
    says_other_unit: AtomicBool,
}

/// The status of a register, and what has become of it.
struct Name {
    status: Status<Value>,
    /// Whether the device refuses it, as the log says.
    is_refused: AtomicBool,
}

/// Why a request came to nothing.
enum RequestError {
    /// The device says that it cannot.
    Exception(Exception),
    /// There is no answer, or none that belongs to the request.
    NoAnswer(Error),
}

impl ModbusClient {
    pub(crate) fn new(context: Context, settings: &Settings) -> Self {
        let (mut names, mut registers) = (Vec::new(), Vec::new());
        for (name, register) in &settings.registers.0 {
            names.push(Name {
                status: name.status(),
                is_refused: AtomicBool::new(false),
            });
            registers.push(register.clone());
        }
        Self {
            context,
            unit: settings.unit,
            answer_unit: settings.answer_unit.unwrap_or(settings.unit),
            transactions: settings.transactions,
            timeout: settings.timeout_seconds.0.duration(),
            names,
            blocks: Mutex::new(plan::blocks(&registers)),
            registers,
            transaction: AtomicU16::new(0),
            says_other_unit: AtomicBool::new(false),
        }
    }

    /// Reads and publishes every register.
    pub(crate) async fn read_all(&self, device: &Device) -> Result<(), Error> {
        let mut waiting = self.blocks().clone();
        waiting.reverse();
        let mut readable = Vec::with_capacity(waiting.len());
        while let Some(block) = waiting.pop() {
            let exception = match self.read(device, &block).await {
                Ok(()) => {
                    readable.push(block);
                    continue;
                }
                Err(RequestError::NoAnswer(error)) => return Err(error),
                Err(RequestError::Exception(exception)) => exception,
            };
            match exception.class() {
                ExceptionClass::NoAddress => match block.halves(&self.registers) {
                    Some(halves) => waiting.extend(halves.into_iter().rev()),
                    None => {
                        self.refuse(&block, exception);
                        readable.push(block);
                    }
                },
                ExceptionClass::NoFunction => {
                    self.refuse(&block, exception);
                    readable.push(block);
                }
                ExceptionClass::Busy => {
                    return Err(Error::new(format_args!(
                        "the device could not be read: {exception}"
                    )));
                }
                ExceptionClass::Away => return Err(Error::new(exception).with_code(AWAY)),
            }
        }
        *self.blocks() = readable;
        Ok(())
    }

    /// Writes a register, and answers when its status shows what the device has.
    pub(crate) async fn set(
        &self,
        device: &Device,
        name: &str,
        value: &Value,
    ) -> Result<(), Error> {
        let point = self.writable(name)?;
        let register = &self.registers[point];
        let request = register
            .write(value)
            .map_err(|reason| unwritable(name, reason))?;
        let told = |exception| {
            let message = format_args!("the device did not take '{name}': {exception}");
            Error::new(message).with_code(REFUSED_BY_DEVICE)
        };
        match self.write(device, request).await {
            Ok(()) => {}
            Err(RequestError::Exception(exception)) => return Err(told(exception)),
            Err(RequestError::NoAnswer(error)) => return Err(error),
        }
        let block = Block::single(point, register);
        match self.read(device, &block).await {
            Ok(()) => Ok(()),
            // One that can only be written shows no value.
            Err(RequestError::Exception(exception)) => {
                debug!(
                    self.context,
                    "'{name}' is written and cannot be read: {exception}"
                );
                Ok(())
            }
            Err(RequestError::NoAnswer(error)) => {
                Err(error.prefixed(&format!("'{name}' is written and was not read back")))
            }
        }
    }

    /// Takes what no request waits for: an answer that comes too late, or one that names another unit.
    pub(crate) fn take_stray(&self, message: &Message) {
        let Some((header, _)) = Header::split(message) else {
            return;
        };
        let (unit, expected) = (header.unit, self.answer_unit);
        if unit == expected {
            debug!(self.context, "an answer that came too late was dropped");
        } else if !self.says_other_unit.swap(true, Ordering::Relaxed) {
            warn!(
                self.context,
                "an answer of unit {unit} was dropped, since unit {expected} was asked; if it is the same device, write `answer_unit: {unit}`"
            );
        }
    }

    fn writable(&self, name: &str) -> Result<usize, Error> {
        let point = self.names.iter().position(|it| it.status.name() == name);
        let point = point.ok_or_else(|| {
            Error::new(format_args!("there is no register '{name}'")).with_code(NO_REGISTER)
        })?;
        match self.registers[point].access {
            Access::Write => Ok(point),
            Access::Read => Err(Error::new(format_args!(
                "'{name}' is only read; `write: true` in its settings lets it be written"
            ))
            .with_code(BAD_ARGUMENTS)),
        }
    }

    async fn write(&self, device: &Device, request: Request) -> Result<(), RequestError> {
        let refused = match self.ask(device, &request).await {
            Ok(_) => return Ok(()),
            Err(failure) => failure,
        };
        // Some devices know only the function for several registers. One that does not know a function has not run it.
        match (&refused, request) {
            (RequestError::Exception(exception), Request::WriteRegister { address, value })
                if exception.class() == ExceptionClass::NoFunction =>
            {
                let values = vec![value];
                let request = Request::WriteRegisters { address, values };
                self.ask(device, &request).await.map(drop)
            }
            _ => Err(refused),
        }
    }

    /// Reads and publishes a block.
    async fn read(&self, device: &Device, block: &Block) -> Result<(), RequestError> {
        let answer = self.ask(device, &block.request()).await?;
        for point in block.points() {
            let register = &self.registers[*point];
            let (from, width) = (block.offset(register), usize::from(register.width()));
            let value = match &answer {
                Answer::Bits(bits) => register.value_of_bits(&bits[from..from + width]),
                Answer::Registers(registers) => {
                    register.value_of_registers(&registers[from..from + width])
                }
                Answer::Done => continue,
            };
            let name = &self.names[*point];
            if name.is_refused.swap(false, Ordering::Relaxed) {
                info!(
                    self.context,
                    "the device gives '{}' again",
                    name.status.name()
                );
            }
            self.context.set(&name.status, &value);
        }
        Ok(())
    }

    /// The device does not give the registers of a block: they are `null`, and the log says so once.
    fn refuse(&self, block: &Block, exception: Exception) {
        for point in block.points() {
            let name = &self.names[*point];
            self.context.set(&name.status, &Value::Null);
            if !name.is_refused.swap(true, Ordering::Relaxed) {
                let name = name.status.name();
                warn!(
                    self.context,
                    "the device does not give '{name}': {exception}"
                );
            }
        }
    }

    async fn ask(&self, device: &Device, request: &Request) -> Result<Answer, RequestError> {
        let transaction = self
            .transaction
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(1);
        let unit = self.unit;
        let message = Header { transaction, unit }.message(&request.body());
        let mut command = Command::new(message).timeout(self.timeout);
        if let Request::Read { .. } = request {
            command = command.idempotent(READ_RETRIES);
        }
        if self.transactions == Transactions::Echoed {
            let unit = self.answer_unit;
            let expected = Header { transaction, unit };
            command = command.answered_by(move |message: &Message| {
                Header::split(message).is_some_and(|(header, _)| header == expected)
            });
        }
        let message = device.ask(command).await.map_err(RequestError::NoAnswer)?;
        let body = Header::split(&message).map_or(&[][..], |(_, body)| body);
        request.answer(body).map_err(|trouble| match trouble {
            AnswerError::Exception(exception) => RequestError::Exception(exception),
            AnswerError::Misfit => RequestError::NoAnswer(
                Error::new("the device gave an answer that does not belong to its request")
                    .with_code(REFUSED_BY_DEVICE),
            ),
        })
    }

    fn blocks(&self) -> MutexGuard<'_, Vec<Block>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unwritable(name: &str, reason: Unwritable) -> Error {
    let expected = match reason {
        Unwritable::NoBoolean => "true or false".to_owned(),
        Unwritable::NoNumber => "a number".to_owned(),
        Unwritable::Range(range) => format!("a number from {} to {}", range[0], range[1]),
    };
    Error::new(format_args!("'{name}' takes {expected}")).with_code(BAD_ARGUMENTS)
}
