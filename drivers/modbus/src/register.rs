//! A register: where its value is, and how the bits there and the value of its status become each other.
//!
//! Separate because it is arithmetic alone: it neither asks the device nor publishes anything.

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::Deserialize;
use driver_sdk::serde_json::{Number, Value};
use driver_sdk::settings;

use crate::frame::{Request, Table};
use crate::scale::Scale;
use crate::settings::RegisterSettings;

/// Where a value is in the device, and what it means.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", try_from = "RegisterSettings")]
#[schemars(crate = "driver_sdk::schemars", with = "RegisterSettings")]
pub(crate) struct Register {
    pub(crate) table: Table,
    pub(crate) address: u16,
    pub(crate) form: Form,
    pub(crate) access: Access,
}

/// Whether `set` writes a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// What the bits of a value mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Form {
    /// True or false, a coil or an input by itself.
    Coil,
    /// True or false, one bit of a register.
    Bit {
        /// Which, from 0, the lowest.
        bit: u8,
        order: Order,
        unavailable: Unavailable,
    },
    /// A number in one register or several.
    Number {
        kind: Kind,
        order: Order,
        scale: Option<Scale>,
        unavailable: Unavailable,
    },
}

/// The type of a number in registers.
#[settings]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number from 0 to 65535.
    #[default]
    U16,
    /// A whole number of 16 bits with a sign.
    I16,
    /// A whole number of 32 bits.
    U32,
    /// A whole number of 32 bits with a sign.
    I32,
    /// A whole number of 64 bits.
    U64,
    /// A whole number of 64 bits with a sign.
    I64,
    /// A number with a point, IEEE 754 single.
    F32,
    /// A number with a point, IEEE 754 double.
    F64,
}

/// The order of the bytes of a value. Of 64 bits `cdab` and `dcba` turn all four registers round.
#[settings]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// The highest byte first, as the protocol has it.
    #[default]
    Abcd,
    /// The lowest register first.
    Cdab,
    /// The lower byte of each register first.
    Badc,
    /// The lowest byte first.
    Dcba,
}

/// The bits that a register has when the device has no value for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Unavailable(Vec<Vec<u8>>);

/// Why a value cannot be written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Unwritable {
    /// `true` or `false` belongs there.
    NoBoolean,
    /// A number belongs there.
    NoNumber,
    /// The register holds numbers from the first to the second.
    Range(Box<[Value; 2]>),
}

impl Register {
    /// How many addresses the value takes.
    pub(crate) fn width(&self) -> u16 {
        self.form.width()
    }

    /// The value of these coils; `null` where there is none.
    pub(crate) fn value_of_bits(&self, bits: &[bool]) -> Value {
        bits.first().map_or(Value::Null, |bit| Value::Bool(*bit))
    }

    /// The value of these registers; `null` where the device says that it has none.
    pub(crate) fn value_of_registers(&self, registers: &[u16]) -> Value {
        match &self.form {
            Form::Coil => Value::Null,
            Form::Bit {
                bit,
                order,
                unavailable,
            } => {
                let bytes = order.bytes(registers);
                match unavailable.has(&bytes) {
                    true => Value::Null,
                    false => Value::Bool(u16::from_be_bytes(last(&bytes)) >> bit & 1 == 1),
                }
            }
            Form::Number {
                kind,
                order,
                scale,
                unavailable,
            } => {
                let bytes = order.bytes(registers);
                match unavailable.has(&bytes) {
                    true => Value::Null,
                    false => kind.value(&bytes, *scale),
                }
            }
        }
    }

    /// The request that makes the register have this value.
    pub(crate) fn write(&self, value: &Value) -> Result<Request, Unwritable> {
        let address = self.address;
        match &self.form {
            Form::Coil => {
                let state = value.as_bool().ok_or(Unwritable::NoBoolean)?;
                Ok(Request::WriteCoil { address, state })
            }
            Form::Bit { bit, order, .. } => {
                let state = value.as_bool().ok_or(Unwritable::NoBoolean)?;
                let word = |number: u16| order.registers(&number.to_be_bytes())[0];
                let mask = 1 << bit;
                let (and, or) = (word(!mask), word(if state { mask } else { 0 }));
                Ok(Request::MaskRegister { address, and, or })
            }
            Form::Number {
                kind, order, scale, ..
            } => {
                let Value::Number(number) = value else {
                    return Err(Unwritable::NoNumber);
                };
                let bytes = kind.bytes(number, *scale)?;
                let values = order.registers(&bytes);
                Ok(match values[..] {
                    [value] => Request::WriteRegister { address, value },
                    _ => Request::WriteRegisters { address, values },
                })
            }
        }
    }
}

impl Form {
    pub(crate) fn width(&self) -> u16 {
        match self {
            Self::Coil | Self::Bit { .. } => 1,
            Self::Number { kind, .. } => kind.width(),
        }
    }
}

impl Kind {
    fn width(self) -> u16 {
        match self {
            Self::U16 | Self::I16 => 1,
            Self::U32 | Self::I32 | Self::F32 => 2,
            Self::U64 | Self::I64 | Self::F64 => 4,
        }
    }

    /// What these bytes mean, the highest first. What JSON has no number for is `null`.
    fn value(self, bytes: &[u8], scale: Option<Scale>) -> Value {
        let whole = |raw: i128| scale.unwrap_or(Scale::ONE).apply(raw);
        let float = |raw: f64| match scale {
            Some(scale) => scale.apply_to_float(raw),
            None => Number::from_f64(raw).map_or(Value::Null, Value::Number),
        };
        match self {
            Self::U16 => whole(u16::from_be_bytes(last(bytes)).into()),
            Self::I16 => whole(i16::from_be_bytes(last(bytes)).into()),
            Self::U32 => whole(u32::from_be_bytes(last(bytes)).into()),
            Self::I32 => whole(i32::from_be_bytes(last(bytes)).into()),
            Self::U64 => whole(u64::from_be_bytes(last(bytes)).into()),
            Self::I64 => whole(i64::from_be_bytes(last(bytes)).into()),
            Self::F32 => float(with_its_own_digits(f32::from_be_bytes(last(bytes)))),
            Self::F64 => float(f64::from_be_bytes(last(bytes))),
        }
    }

    /// The bytes of a number that is written, the highest first.
    fn bytes(self, number: &Number, scale: Option<Scale>) -> Result<Vec<u8>, Unwritable> {
        let out_of_range = || self.out_of_range(scale);
        let float = || {
            let value = number.as_f64().ok_or(Unwritable::NoNumber)?;
            let raw = scale.unwrap_or(Scale::ONE).divide(value);
            match raw.is_finite() {
                true => Ok(raw),
                false => Err(out_of_range()),
            }
        };
        let whole = || match (scale, number.as_i128()) {
            (None, Some(whole)) => Ok(whole),
            _ => Ok(nearest(float()?)),
        };
        let fits = |bytes: Option<Vec<u8>>| bytes.ok_or_else(out_of_range);
        match self {
            Self::U16 => fits(
                u16::try_from(whole()?)
                    .ok()
                    .map(|it| it.to_be_bytes().into()),
            ),
            Self::I16 => fits(
                i16::try_from(whole()?)
                    .ok()
                    .map(|it| it.to_be_bytes().into()),
            ),
            Self::U32 => fits(
                u32::try_from(whole()?)
                    .ok()
                    .map(|it| it.to_be_bytes().into()),
            ),
            Self::I32 => fits(
                i32::try_from(whole()?)
                    .ok()
                    .map(|it| it.to_be_bytes().into()),
            ),
            Self::U64 => fits(
                u64::try_from(whole()?)
                    .ok()
                    .map(|it| it.to_be_bytes().into()),
            ),
            Self::I64 => fits(
                i64::try_from(whole()?)
                    .ok()
                    .map(|it| it.to_be_bytes().into()),
            ),
            Self::F32 => {
                let single = single(float()?);
                fits(single.is_finite().then(|| single.to_be_bytes().into()))
            }
            Self::F64 => Ok(float()?.to_be_bytes().into()),
        }
    }

    fn out_of_range(self, scale: Option<Scale>) -> Unwritable {
        let whole = |raw: i128| scale.unwrap_or(Scale::ONE).apply(raw);
        let between = |min: i128, max: i128| (whole(min), whole(max));
        let around = |max: f64| {
            let scale = scale.unwrap_or(Scale::ONE);
            (scale.apply_to_float(-max), scale.apply_to_float(max))
        };
        let (low, high) = match self {
            Self::U16 => between(0, u16::MAX.into()),
            Self::I16 => between(i16::MIN.into(), i16::MAX.into()),
            Self::U32 => between(0, u32::MAX.into()),
            Self::I32 => between(i32::MIN.into(), i32::MAX.into()),
            Self::U64 => between(0, u64::MAX.into()),
            Self::I64 => between(i64::MIN.into(), i64::MAX.into()),
            Self::F32 => around(f32::MAX.into()),
            Self::F64 => around(f64::MAX),
        };
        match low.as_f64() > high.as_f64() {
            true => Unwritable::Range(Box::new([high, low])),
            false => Unwritable::Range(Box::new([low, high])),
        }
    }
}

/// The number of double precision that a person sees in a single one: 230.1, and not 230.10000610351562.
fn with_its_own_digits(single: f32) -> f64 {
    single.to_string().parse().unwrap_or_else(|_| single.into())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what does not fit becomes infinite, which the caller refuses"
)]
fn single(double: f64) -> f32 {
    double as f32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what does not fit becomes the last number of 128 bits, which fits no register"
)]
fn nearest(number: f64) -> i128 {
    number.round() as i128
}

impl Order {
    /// The bytes of these registers, the highest first.
    fn bytes(self, registers: &[u16]) -> Vec<u8> {
        let mut bytes: Vec<[u8; 2]> = registers.iter().map(|it| self.pair(*it)).collect();
        if self.turns_registers() {
            bytes.reverse();
        }
        bytes.concat()
    }

    /// The registers of these bytes, of which the highest is first.
    fn registers(self, bytes: &[u8]) -> Vec<u16> {
        let pairs = bytes.chunks_exact(2);
        let registers = pairs.map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        let turned = registers.map(|register| u16::from_be_bytes(self.pair(register)));
        let mut registers: Vec<u16> = turned.collect();
        if self.turns_registers() {
            registers.reverse();
        }
        registers
    }

    fn pair(self, register: u16) -> [u8; 2] {
        match self {
            Self::Abcd | Self::Cdab => register.to_be_bytes(),
            Self::Badc | Self::Dcba => register.to_le_bytes(),
        }
    }

    fn turns_registers(self) -> bool {
        match self {
            Self::Abcd | Self::Badc => false,
            Self::Cdab | Self::Dcba => true,
        }
    }
}

impl Unavailable {
    /// These numbers, of a type with a sign also written without it: -1 is 0xFFFF.
    pub(crate) fn new(kind: Kind, numbers: &[Number]) -> Result<Self, String> {
        let bits = |number: &Number| {
            let unsigned = match kind {
                Kind::I16 => Kind::U16,
                Kind::I32 => Kind::U32,
                Kind::I64 => Kind::U64,
                Kind::U16 | Kind::U32 | Kind::U64 | Kind::F32 | Kind::F64 => kind,
            };
            let bytes = kind.bytes(number, None);
            let bytes = bytes.or_else(|_| unsigned.bytes(number, None));
            bytes.map_err(|_| {
                let kind = format!("{kind:?}").to_lowercase();
                format!("unavailable: {number} does not fit a register of the type {kind}")
            })
        };
        numbers.iter().map(bits).collect::<Result<_, _>>().map(Self)
    }

    fn has(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|it| it == bytes)
    }
}

/// The last bytes. A register that is too short, which no answer has, counts as 0.
fn last<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.last_chunk().copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde_json::{self, json};
    use proptest::prelude::*;

    use super::*;

    fn register(value: Value) -> Register {
        serde_json::from_str(&value.to_string()).unwrap()
    }

    fn read(value: Value, registers: &[u16]) -> Value {
        register(value).value_of_registers(registers)
    }

    #[test]
    fn each_type_is_read() {
        let check = |kind: &str, registers: &[u16], expect: Value| {
            let value = read(json!({"holding": 0, "type": kind}), registers);
            assert_eq!(value.to_string(), expect.to_string(), "{kind}");
        };
        check("u16", &[0xFFFE], json!(65534));
        check("i16", &[0xFFFE], json!(-2));
        check("u32", &[0xFFFF, 0xFFFE], json!(4_294_967_294_u32));
        check("i32", &[0xFFFF, 0xFFFE], json!(-2));
        check("u64", &[0xFFFF; 4], json!(u64::MAX));
        check("i64", &[0x8000, 0, 0, 0], json!(i64::MIN));
        check("f32", &[0x4366, 0x199A], json!(230.1));
        check("f64", &[0x406C, 0xC333, 0x3333, 0x3333], json!(230.1));
    }

    #[test]
    fn the_order_is_that_of_the_bytes() {
        // 230.1 is 43 66 19 9A.
        let check = |order: &str, registers: &[u16]| {
            let said = json!({"holding": 0, "type": "f32", "order": order, "write": true});
            assert_eq!(read(said.clone(), registers), json!(230.1), "{order}");
            let expect = Request::WriteRegisters {
                address: 0,
                values: registers.to_vec(),
            };
            assert_eq!(register(said).write(&json!(230.1)), Ok(expect), "{order}");
        };
        check("abcd", &[0x4366, 0x199A]);
        check("cdab", &[0x199A, 0x4366]);
        check("badc", &[0x6643, 0x9A19]);
        check("dcba", &[0x9A19, 0x6643]);
    }

    #[test]
    fn a_bit_is_true_or_false_and_is_written_alone() {
        let said = json!({"holding": 7, "bit": 3, "write": true});
        assert_eq!(read(said.clone(), &[0b1000]), json!(true));
        assert_eq!(read(said.clone(), &[0xFFF7]), json!(false));
        let mask = |and, or| {
            let address = 7;
            Ok(Request::MaskRegister { address, and, or })
        };
        assert_eq!(register(said.clone()).write(&json!(true)), mask(0xFFF7, 8));
        assert_eq!(register(said.clone()).write(&json!(false)), mask(0xFFF7, 0));
        let number = register(said).write(&json!(1));
        assert_eq!(number, Err(Unwritable::NoBoolean));
        let turned = json!({"holding": 7, "bit": 3, "order": "badc", "write": true});
        assert_eq!(read(turned.clone(), &[0x0800]), json!(true));
        assert_eq!(register(turned).write(&json!(true)), mask(0xF7FF, 0x0800));
    }

    #[test]
    fn what_the_device_does_not_have_is_null() {
        let check = |kind: &str, unavailable: Value, registers: &[u16]| {
            let said = json!({"input": 0, "type": kind, "unavailable": unavailable, "scale": 0.1});
            assert_eq!(read(said, registers), Value::Null, "{kind} {registers:?}");
        };
        check("u16", json!(0xFFFF), &[0xFFFF]);
        check("i16", json!(0x8000), &[0x8000]);
        check("i16", json!(-32768), &[0x8000]);
        check("i32", json!([0x8000_0000_u32, -1]), &[0xFFFF, 0xFFFF]);
        check("u64", json!(u64::MAX), &[0xFFFF; 4]);
        check("f32", json!(-9999), &[0xC61C, 0x3C00]);
        let said = json!({"input": 0, "unavailable": 0xFFFF});
        assert_eq!(read(said, &[0xFFFE]), json!(0xFFFE));
        assert_eq!(read(json!({"input": 0}), &[0xFFFF]), json!(0xFFFF));
        let said = json!({"input": 0, "bit": 1, "unavailable": 0xFFFF});
        assert_eq!(read(said, &[0xFFFF]), Value::Null);
    }

    #[test]
    fn what_json_has_no_number_for_is_null() {
        for registers in [[0x7FC0, 0], [0x7F80, 0], [0xFF80, 0]] {
            let said = json!({"input": 0, "type": "f32"});
            assert_eq!(read(said, &registers), Value::Null);
            let said = json!({"input": 0, "type": "f32", "scale": 0.1});
            assert_eq!(read(said, &registers), Value::Null);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_does() {
        let check = |said: Value, value: Value, low: Value, high: Value| {
            let written = register(said).write(&value);
            assert_eq!(
                written,
                Err(Unwritable::Range(Box::new([low, high]))),
                "{value}"
            );
        };
        let plain = json!({"holding": 0, "write": true});
        check(plain.clone(), json!(65536), json!(0), json!(65535));
        check(plain.clone(), json!(-1), json!(0), json!(65535));
        check(plain.clone(), json!(1e300), json!(0), json!(65535));
        let tenths = json!({"holding": 0, "type": "i16", "scale": 0.1, "write": true});
        check(tenths, json!(3276.8), json!(-3276.8), json!(3276.7));
        let turned = json!({"holding": 0, "scale": -1, "write": true});
        check(turned, json!(1), json!(-65535), json!(0));
        let single = json!({"holding": 0, "type": "f32", "write": true});
        let max = f64::from(f32::MAX);
        check(single, json!(1e39), json!(-max), json!(max));
        let text = register(plain).write(&json!("5"));
        assert_eq!(text, Err(Unwritable::NoNumber));
    }

    #[test]
    fn a_number_between_two_steps_is_written_as_the_nearest() {
        let written = |said: Value, value: Value| match register(said).write(&value) {
            Ok(Request::WriteRegister { value, .. }) => value,
            other => panic!("{other:?}"),
        };
        let tenths = json!({"holding": 0, "scale": 0.1, "write": true});
        assert_eq!(written(tenths.clone(), json!(21.57)), 216);
        assert_eq!(written(tenths, json!(0.3)), 3);
        let plain = json!({"holding": 0, "write": true});
        assert_eq!(written(plain.clone(), json!(5.0)), 5);
        assert_eq!(written(plain, json!(5.4)), 5);
    }

    #[test]
    fn large_whole_numbers_are_written_to_the_last_digit() {
        let said = json!({"holding": 0, "type": "u64", "write": true});
        let values = vec![0xFFFF; 4];
        let address = 0;
        let expect = Request::WriteRegisters { address, values };
        assert_eq!(register(said).write(&json!(u64::MAX)), Ok(expect));
    }

    proptest! {
        #[test]
        fn what_was_written_is_what_is_read(raw in any::<i16>(), decimals in 0_usize..4, order in 0_usize..4) {
            let scale: Value = serde_json::from_str(["1", "0.1", "0.01", "0.001"][decimals]).unwrap();
            let order = ["abcd", "cdab", "badc", "dcba"][order];
            let said = json!({"holding": 0, "type": "i16", "scale": scale, "order": order, "write": true});
            let register = register(said);
            let value = register.value_of_registers(&[raw.cast_unsigned()]);
            let written = register.write(&value).unwrap();
            prop_assert_eq!(written, Request::WriteRegister { address: 0, value: raw.cast_unsigned() });
        }
    }
}
