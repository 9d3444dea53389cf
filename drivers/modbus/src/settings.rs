//! What the building file may say about a Modbus device, and how a register of it is read there.

use std::collections::BTreeMap;

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::Deserialize;
use driver_sdk::serde_json::Number;
use driver_sdk::{JsonText, Seconds, StatusKey, settings};

use crate::frame::Table;
use crate::limits::{POINTS_MAX, TIMEOUT_MAX};
use crate::register::{Access, Form, Kind, Order, Register, Unavailable};
use crate::scale::Scale;

/// What the building file may say about a Modbus device.
#[settings]
pub(crate) struct Settings {
    /// The device behind the address: a gateway has several.
    #[default(1)]
    pub(crate) unit: u8,
    /// The unit that the answers name, for gateways that name another than they were asked for.
    pub(crate) answer_unit: Option<u8>,
    /// Whether answers repeat the number of their request.
    #[default]
    pub(crate) transactions: Transactions,
    /// How often all registers are read.
    #[default(Seconds::new(10))]
    pub(crate) poll_seconds: Seconds,
    /// How long the device is left alone after each request.
    #[default]
    pub(crate) pause_seconds: Seconds,
    /// How long the device has for an answer; a read is then sent once more. At most 5.
    #[default]
    pub(crate) timeout_seconds: Timeout,
    /// The statuses, and where their values are.
    pub(crate) registers: Registers,
}

/// Whether the answers of a device repeat the number of their request.
#[settings]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Transactions {
    /// They do, as the protocol says. A late answer is known by it and dropped.
    #[default]
    Echoed,
    /// They do not: the next answer is taken for that of the last request, and after a time-out the connection is made anew.
    Ignored,
}

/// How long a device has for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", try_from = "Seconds")]
#[schemars(crate = "driver_sdk::schemars", with = "Seconds")]
pub(crate) struct Timeout(pub(crate) Seconds);

impl Default for Timeout {
    /// Two attempts fit into the 5 s after which a silent device is not connected.
    fn default() -> Self {
        Self(Seconds::new(2))
    }
}

impl TryFrom<Seconds> for Timeout {
    type Error = &'static str;

    fn try_from(seconds: Seconds) -> Result<Self, Self::Error> {
        match seconds.duration() {
            time if time.is_zero() || time > TIMEOUT_MAX => {
                Err("expected a number of seconds, more than 0 and at most 5")
            }
            _ => Ok(Self(seconds)),
        }
    }
}

/// The registers by the names of their statuses; one at least.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    crate = "driver_sdk::serde",
    try_from = "BTreeMap<StatusKey, Register>"
)]
#[schemars(
    crate = "driver_sdk::schemars",
    with = "BTreeMap<StatusKey, RegisterSettings>"
)]
pub(crate) struct Registers(pub(crate) BTreeMap<StatusKey, Register>);

impl TryFrom<BTreeMap<StatusKey, Register>> for Registers {
    type Error = String;

    fn try_from(registers: BTreeMap<StatusKey, Register>) -> Result<Self, Self::Error> {
        match registers.len() {
            0 => Err("expected one register at least".to_owned()),
            1..=POINTS_MAX => Ok(Self(registers)),
            count => Err(format!(
                "expected at most {POINTS_MAX} registers, not {count}"
            )),
        }
    }
}

/// A register as the building file writes it.
#[settings]
pub(crate) struct RegisterSettings {
    /// The address of a coil, from 0.
    coil: Option<u16>,
    /// The address of a discrete input, from 0.
    discrete: Option<u16>,
    /// The address of an input register, from 0.
    input: Option<u16>,
    /// The address of a holding register, from 0.
    holding: Option<u16>,
    /// What the register holds, u16 if left out.
    r#type: Option<Kind>,
    /// What is read is multiplied by it, and what is written divided.
    scale: Option<JsonText>,
    /// The order of the bytes, abcd if left out.
    order: Option<Order>,
    /// The bit of the register that is meant, from 0, the lowest.
    bit: Option<u8>,
    /// Whether `set` writes it.
    #[default]
    write: bool,
    /// What the device says when it has no value, such as 0xFFFF: a number as it is in the register, or several.
    unavailable: Option<UnavailableSettings>,
}

/// One number or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    crate = "driver_sdk::serde",
    untagged,
    expecting = "expected a number or a list of numbers"
)]
#[schemars(crate = "driver_sdk::schemars")]
enum UnavailableSettings {
    One(Number),
    Several(Vec<Number>),
}

impl TryFrom<RegisterSettings> for Register {
    type Error = String;

    fn try_from(said: RegisterSettings) -> Result<Self, Self::Error> {
        let tables = [
            (Table::Coil, said.coil),
            (Table::Discrete, said.discrete),
            (Table::Input, said.input),
            (Table::Holding, said.holding),
        ];
        let mut places = tables
            .into_iter()
            .filter_map(|(table, address)| Some((table, address?)));
        let (Some((table, address)), None) = (places.next(), places.next()) else {
            return Err(
                "expected one of coil, discrete, input and holding, with an address".to_owned(),
            );
        };
        let access = match (said.write, table) {
            (false, _) => Access::Read,
            (true, Table::Coil | Table::Holding) => Access::Write,
            (true, Table::Discrete | Table::Input) => {
                return Err("only coils and holding registers can be written".to_owned());
            }
        };
        let form = form_of(table, &said)?;
        let last = u32::from(address) + u32::from(form.width()) - 1;
        if last > u32::from(u16::MAX) {
            return Err("the value does not end at address 65535 or before".to_owned());
        }
        Ok(Self {
            table,
            address,
            form,
            access,
        })
    }
}

fn form_of(table: Table, said: &RegisterSettings) -> Result<Form, String> {
    let is_plain = said.r#type.is_none()
        && said.scale.is_none()
        && said.order.is_none()
        && said.bit.is_none()
        && said.unavailable.is_none();
    match table {
        Table::Coil | Table::Discrete if is_plain => return Ok(Form::Coil),
        Table::Coil | Table::Discrete => {
            return Err(
                "type, scale, order, bit and unavailable are for input and holding registers"
                    .to_owned(),
            );
        }
        Table::Input | Table::Holding => {}
    }
    let kind = said.r#type.unwrap_or_default();
    let order = said.order.unwrap_or_default();
    let unavailable = match &said.unavailable {
        None => Unavailable::default(),
        Some(UnavailableSettings::One(number)) => {
            Unavailable::new(kind, std::slice::from_ref(number))?
        }
        Some(UnavailableSettings::Several(numbers)) => Unavailable::new(kind, numbers)?,
    };
    let Some(bit) = said.bit else {
        let read = |text: &JsonText| text.as_str().parse::<Scale>();
        let scale = said.scale.as_ref().map(read).transpose();
        return Ok(Form::Number {
            kind,
            order,
            scale: scale.map_err(|expected| format!("scale: {expected}"))?,
            unavailable,
        });
    };
    match bit {
        _ if said.r#type.is_some() || said.scale.is_some() => {
            Err("a bit is true or false: leave type and scale out".to_owned())
        }
        0..=15 => Ok(Form::Bit {
            bit,
            order,
            unavailable,
        }),
        _ => Err("bit: expected a number from 0 to 15".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde_json::{self, Value, json};

    use super::*;
    use crate::scale;

    fn register(value: Value) -> Result<Register, String> {
        serde_json::from_str(&value.to_string()).map_err(|error| {
            let error = error.to_string();
            let (message, _) = error.split_once(" at line").unwrap_or((&error, ""));
            message.to_owned()
        })
    }

    #[test]
    fn a_register_is_what_its_settings_say() {
        let voltage = register(json!({"holding": 100, "scale": 0.1})).unwrap();
        let expect = Register {
            table: Table::Holding,
            address: 100,
            form: Form::Number {
                kind: Kind::U16,
                order: Order::Abcd,
                scale: Some("0.1".parse().unwrap()),
                unavailable: Unavailable::default(),
            },
            access: Access::Read,
        };
        assert_eq!(voltage, expect);
        let pump = register(json!({"coil": 3, "write": true})).unwrap();
        let expect = Register {
            table: Table::Coil,
            address: 3,
            form: Form::Coil,
            access: Access::Write,
        };
        assert_eq!(pump, expect);
    }

    #[test]
    fn a_register_that_cannot_be_is_refused_with_what_belongs_there() {
        let check = |value: Value, expect: &str| {
            assert_eq!(register(value).unwrap_err(), expect);
        };
        let one = "expected one of coil, discrete, input and holding, with an address";
        check(json!({}), one);
        check(json!({"coil": 1, "holding": 2}), one);
        let writes = "only coils and holding registers can be written";
        check(json!({"discrete": 1, "write": true}), writes);
        check(json!({"input": 1, "write": true}), writes);
        let registers =
            "type, scale, order, bit and unavailable are for input and holding registers";
        check(json!({"coil": 1, "scale": 2}), registers);
        check(json!({"discrete": 1, "bit": 2}), registers);
        let bit = "a bit is true or false: leave type and scale out";
        check(json!({"holding": 1, "bit": 2, "scale": 2}), bit);
        let bits = "bit: expected a number from 0 to 15";
        check(json!({"holding": 1, "bit": 16}), bits);
        let end = "the value does not end at address 65535 or before";
        check(json!({"holding": 65535, "type": "u32"}), end);
        let scale = format!("scale: {}", scale::EXPECTED);
        check(json!({"holding": 1, "scale": 0}), &scale);
        check(json!({"holding": 1, "scale": "0.1"}), &scale);
        let fits = "unavailable: 65536 does not fit a register of the type u16";
        check(json!({"holding": 1, "unavailable": 65536}), fits);
    }

    #[test]
    fn a_value_may_end_at_the_last_address() {
        assert!(register(json!({"holding": 65534, "type": "u32"})).is_ok());
        assert!(register(json!({"holding": 65535})).is_ok());
    }
}
