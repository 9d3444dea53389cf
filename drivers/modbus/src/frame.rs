//! What goes over the wire: requests and answers of Modbus, and the header that Modbus TCP puts in front of them.
//!
//! Separate because it is the protocol and nothing else: it knows neither settings nor statuses, and never waits.
//! Sources: *Modbus Application Protocol 1.1b3* for the bodies, *Modbus Messaging on TCP/IP Implementation Guide 1.0b* for the header.

use std::fmt;

use driver_sdk::transport::Tokens;

use crate::limits::MESSAGE_MAX_BYTES;

/// The bytes of a header: transaction, protocol, length and unit.
const HEADER_BYTES: usize = 7;

/// The bytes of a header that its length field does not count.
const UNCOUNTED_BYTES: usize = 6;

/// The bit that makes a function code that of an exception.
const EXCEPTION: u8 = 0x80;

/// How a coil that is on is written; off is 0.
const ON: u16 = 0xFF00;

/// One of the four tables of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    /// Bits that can be written, such as relays.
    Coil,
    /// Bits that can only be read.
    Discrete,
    /// Registers of 16 bits that can only be read.
    Input,
    /// Registers of 16 bits that can be written.
    Holding,
}

/// What a device is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// Give so many coils, inputs or registers from an address on.
    Read {
        table: Table,
        address: u16,
        count: u16,
    },
    /// Switch one coil.
    WriteCoil { address: u16, state: bool },
    /// Take the value of one holding register.
    WriteRegister { address: u16, value: u16 },
    /// Take the values of several holding registers in a row, all at once.
    WriteRegisters { address: u16, values: Vec<u16> },
    /// Keep the bits of a holding register that are set in `and`, and take the others from `or`.
    MaskRegister { address: u16, and: u16, or: u16 },
}

/// What a device answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The coils or inputs that were asked for.
    Bits(Vec<bool>),
    /// The registers that were asked for.
    Registers(Vec<u16>),
    /// The device has done what it was asked to do.
    Done,
}

/// Why an answer is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerError {
    /// The device says that it cannot.
    Exception(Exception),
    /// What the device says does not belong to the request.
    Misfit,
}

/// The code with which a device says that it cannot (Modbus Application Protocol 1.1b3, 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exception(pub(crate) u8);

/// What an exception means for what goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExceptionClass {
    /// The device does not know the function at all.
    NoFunction,
    /// The device has no such address, or does not give it.
    NoAddress,
    /// The device is there and cannot answer at the moment.
    Busy,
    /// A gateway answers, and the device behind it does not.
    Away,
}

impl Exception {
    pub(crate) fn class(self) -> ExceptionClass {
        match self.0 {
            1 => ExceptionClass::NoFunction,
            5 | 6 => ExceptionClass::Busy,
            10 | 11 => ExceptionClass::Away,
            _ => ExceptionClass::NoAddress,
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.0 {
            1 => "it does not know this function",
            2 => "it has no such address",
            3 => "it does not take such a value",
            4 => "it failed",
            5 => "it needs longer for this",
            6 => "it is busy",
            8 => "its memory is broken",
            10 => "the gateway has no way to it",
            11 => "it does not answer the gateway",
            _ => "it gives no reason",
        };
        write!(f, "{words} (exception {})", self.0)
    }
}

impl Request {
    /// The request as the body of a message.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = vec![self.function()];
        let mut put = |number: u16| body.extend(number.to_be_bytes());
        match self {
            Self::Read { address, count, .. } => {
                put(*address);
                put(*count);
            }
            Self::WriteCoil { address, state } => {
                put(*address);
                put(if *state { ON } else { 0 });
            }
            Self::WriteRegister { address, value } => {
                put(*address);
                put(*value);
            }
            Self::WriteRegisters { address, values } => {
                let (count, bytes) = counts(values);
                put(*address);
                put(count);
                body.push(bytes);
                body.extend(values.iter().flat_map(|value| value.to_be_bytes()));
            }
            Self::MaskRegister { address, and, or } => {
                put(*address);
                put(*and);
                put(*or);
            }
        }
        body
    }

    /// Reads the body of the message that answers this request.
    pub(crate) fn answer(&self, body: &[u8]) -> Result<Answer, AnswerError> {
        match body {
            [code, exception] if *code == self.function() | EXCEPTION => {
                Err(AnswerError::Exception(Exception(*exception)))
            }
            [code, rest @ ..] if *code == self.function() => {
                self.data(rest).ok_or(AnswerError::Misfit)
            }
            _ => Err(AnswerError::Misfit),
        }
    }

    fn data(&self, rest: &[u8]) -> Option<Answer> {
        let (table, count) = match self {
            Self::Read { table, count, .. } => (*table, usize::from(*count)),
            // The device repeats the request, of several registers without the values.
            Self::WriteRegisters { .. } => {
                return (rest == self.body().get(1..5)?).then_some(Answer::Done);
            }
            Self::WriteCoil { .. } | Self::WriteRegister { .. } | Self::MaskRegister { .. } => {
                return (rest == self.body().get(1..)?).then_some(Answer::Done);
            }
        };
        let (bytes, data) = rest.split_first()?;
        if usize::from(*bytes) != data.len() {
            return None;
        }
        match table {
            Table::Coil | Table::Discrete if data.len() == count.div_ceil(8) => {
                // The first bit is the lowest of the first byte.
                let bit = |at: usize| data[at / 8] >> (at % 8) & 1 == 1;
                Some(Answer::Bits((0..count).map(bit).collect()))
            }
            Table::Input | Table::Holding if data.len() == 2 * count => {
                let registers = data.chunks_exact(2);
                let registers = registers.map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
                Some(Answer::Registers(registers.collect()))
            }
            Table::Coil | Table::Discrete | Table::Input | Table::Holding => None,
        }
    }

    fn function(&self) -> u8 {
        match self {
            Self::Read { table, .. } => match table {
                Table::Coil => 1,
                Table::Discrete => 2,
                Table::Holding => 3,
                Table::Input => 4,
            },
            Self::WriteCoil { .. } => 5,
            Self::WriteRegister { .. } => 6,
            Self::WriteRegisters { .. } => 16,
            Self::MaskRegister { .. } => 22,
        }
    }
}

/// How many registers are written, and how many bytes they are. A value has at most four.
fn counts(values: &[u16]) -> (u16, u8) {
    let count = u8::try_from(values.len()).expect("a value has at most four registers");
    (u16::from(count), 2 * count)
}

/// Which request a message belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// The number that the request was sent with.
    pub(crate) transaction: u16,
    /// The device behind the address.
    pub(crate) unit: u8,
}

impl Header {
    /// A whole message.
    pub(crate) fn message(self, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len() + 1).expect("a request has some bytes");
        let mut message = Vec::with_capacity(HEADER_BYTES + body.len());
        message.extend(self.transaction.to_be_bytes());
        message.extend([0, 0]);
        message.extend(length.to_be_bytes());
        message.push(self.unit);
        message.extend(body);
        message
    }

    /// Takes a message apart.
    pub(crate) fn split(message: &[u8]) -> Option<(Self, &[u8])> {
        let (header, body) = message.split_at_checked(HEADER_BYTES)?;
        let header = Self {
            transaction: u16::from_be_bytes([header[0], header[1]]),
            unit: header[6],
        };
        Some((header, body))
    }
}

/// Where a message ends. After bytes that are no header nobody knows where the next message begins, so the connection is given up.
pub(crate) fn tokens() -> Tokens {
    Tokens::found_by(length_of_first).max_bytes(MESSAGE_MAX_BYTES)
}

fn length_of_first(bytes: &[u8]) -> Option<usize> {
    let header = bytes.get(..UNCOUNTED_BYTES)?;
    let protocol = u16::from_be_bytes([header[2], header[3]]);
    let counted = usize::from(u16::from_be_bytes([header[4], header[5]]));
    // A unit and a function code at least.
    match protocol == 0 && counted >= 2 {
        true => Some(UNCOUNTED_BYTES + counted),
        // Longer than any message, and so the end of the connection.
        false => Some(usize::MAX),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const READ: Request = Request::Read {
        table: Table::Holding,
        address: 0x006B,
        count: 3,
    };

    #[test]
    fn requests_and_answers_are_those_of_the_examples_in_the_specification() {
        let check = |request: Request, body: &[u8], answer: &[u8], expect: Answer| {
            assert_eq!(request.body(), body);
            assert_eq!(request.answer(answer), Ok(expect));
        };
        let read = |table, address, count| Request::Read {
            table,
            address,
            count,
        };
        check(
            read(Table::Coil, 0x0013, 19),
            &[1, 0x00, 0x13, 0x00, 0x13],
            &[1, 3, 0xCD, 0x6B, 0x05],
            Answer::Bits(
                [0xCD, 0x6B, 0x05]
                    .iter()
                    .flat_map(|byte: &u8| (0..8).map(move |at| byte >> at & 1 == 1))
                    .take(19)
                    .collect(),
            ),
        );
        check(
            read(Table::Discrete, 0x00C4, 1),
            &[2, 0x00, 0xC4, 0x00, 0x01],
            &[2, 1, 0x01],
            Answer::Bits(vec![true]),
        );
        check(
            READ,
            &[3, 0x00, 0x6B, 0x00, 0x03],
            &[3, 6, 0x02, 0x2B, 0x00, 0x00, 0x00, 0x64],
            Answer::Registers(vec![0x022B, 0, 0x64]),
        );
        check(
            read(Table::Input, 8, 1),
            &[4, 0x00, 0x08, 0x00, 0x01],
            &[4, 2, 0x00, 0x0A],
            Answer::Registers(vec![0x0A]),
        );
        let coil = Request::WriteCoil {
            address: 0xAC,
            state: true,
        };
        let echo = &[5, 0x00, 0xAC, 0xFF, 0x00];
        check(coil, echo, echo, Answer::Done);
        let register = Request::WriteRegister {
            address: 1,
            value: 3,
        };
        let echo = &[6, 0x00, 0x01, 0x00, 0x03];
        check(register, echo, echo, Answer::Done);
        check(
            Request::WriteRegisters {
                address: 1,
                values: vec![0x000A, 0x0102],
            },
            &[16, 0x00, 0x01, 0x00, 0x02, 4, 0x00, 0x0A, 0x01, 0x02],
            &[16, 0x00, 0x01, 0x00, 0x02],
            Answer::Done,
        );
        let mask = Request::MaskRegister {
            address: 4,
            and: 0xF2,
            or: 0x25,
        };
        let echo = &[22, 0x00, 0x04, 0x00, 0xF2, 0x00, 0x25];
        check(mask, echo, echo, Answer::Done);
    }

    #[test]
    fn an_answer_that_does_not_belong_to_its_request_is_none() {
        for body in [
            &[][..],
            &[3],
            &[3, 6],
            &[3, 4, 0, 1, 0, 2],
            &[3, 6, 0, 1, 0, 2],
            &[3, 6, 0, 1, 0, 2, 0, 3, 0],
            &[4, 6, 0, 1, 0, 2, 0, 3],
            &[0x83],
            &[0x84, 2],
        ] {
            assert_eq!(READ.answer(body), Err(AnswerError::Misfit), "{body:?}");
        }
        let exception = AnswerError::Exception(Exception(2));
        assert_eq!(READ.answer(&[0x83, 2]), Err(exception));
    }

    #[test]
    fn a_message_is_as_long_as_its_header_says_and_other_bytes_are_none() {
        let header = Header {
            transaction: 0x1501,
            unit: 1,
        };
        let message = header.message(&READ.body());
        assert_eq!(message, [0x15, 1, 0, 0, 0, 6, 1, 3, 0, 0x6B, 0, 3]);
        assert_eq!(Header::split(&message), Some((header, &READ.body()[..])));
        assert_eq!(length_of_first(&message[..5]), None);
        assert_eq!(length_of_first(&message[..6]), Some(12));
        for garbage in [&b"HTTP/1.1"[..], &[0, 1, 0, 0, 0, 1], &[0, 1, 0, 7, 0, 6]] {
            let length = length_of_first(garbage).unwrap();
            assert!(length > MESSAGE_MAX_BYTES, "{garbage:?}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_a_panic(body in proptest::collection::vec(any::<u8>(), 0..260), count in 1_u16..2000) {
            for table in [Table::Coil, Table::Discrete, Table::Input, Table::Holding] {
                let _ = Request::Read { table, address: 0, count }.answer(&body);
            }
            let _ = Header::split(&body);
            let _ = length_of_first(&body);
        }
    }
}
