//! The bounds of the protocol and of this driver, each with its reason.

use std::time::Duration;

/// The most registers that one request may read (Modbus Application Protocol 1.1b3, 6.3 and 6.4).
pub(crate) const REGISTERS_MAX: u16 = 125;

/// The most coils or discrete inputs that one request may read (Modbus Application Protocol 1.1b3, 6.1 and 6.2).
pub(crate) const BITS_MAX: u16 = 2000;

/// The longest message: a header of 7 bytes and a body of 253 (Modbus Messaging on TCP/IP 1.0b, 4.1).
pub(crate) const MESSAGE_MAX_BYTES: usize = 260;

/// The most registers of one module. Ten times what large meters have; more would take a poll longer than its period.
pub(crate) const POINTS_MAX: usize = 2000;

/// The most decimals of a scale. What is finer than a billionth is noise in a building.
pub(crate) const DECIMALS_MAX: u32 = 9;

/// The largest scale without its decimal point. Times a 64-bit register it fits 128 bits.
pub(crate) const SCALE_MAX: i64 = 1_000_000_000_000_000_000;

/// How often a read is sent again when its answer does not come: gateways lose frames on their serial side.
pub(crate) const READ_RETRIES: u32 = 1;

/// The longest time that a device may have for one answer. A device that says nothing for 5 s counts as not connected, whatever the settings say.
pub(crate) const TIMEOUT_MAX: Duration = Duration::from_secs(5);
