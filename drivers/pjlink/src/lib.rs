//! The driver `pjlink`: a projector or display that speaks PJLink, class 1 or 2.
//!
//! The functions here switch; `reader` asks and publishes, `schedule` says when what is asked for, `protocol` has the lines and `values` what they mean.
//! There is one connection with one line in flight, as the transport keeps it: projectors lock up when they are asked for more.

mod limits;
mod protocol;
mod reader;
mod schedule;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use driver_sdk::interfaces::{InputSelection, MuteLayer, Muteable, Part, Powerable};
use driver_sdk::transport::{Device, Link, Tcp, Tokens};
use driver_sdk::{Context, Error, Seconds, Secret, Status, debug, driver, info, settings};

use crate::limits::{LINE_MAX_BYTES, LINE_SILENCE};
use crate::protocol::{Answer, Class, Line, PORT, Refusal};
use crate::reader::Reader;
pub use crate::values::{Errors, Input, Level};

/// The status that the transport keeps.
const CONNECTED: Status<bool> = Status::new("connected");

/// The response code of a call that the projector's class does not have.
const NOT_IMPLEMENTED: u16 = 501;

/// A projector or display.
#[derive(Debug)]
pub struct Projector {
    context: Context,
    device: Device,
    reader: Arc<Reader>,
}

/// What the building file may say about a projector.
#[settings]
struct Settings {
    /// The password of its PJLink; left out for one that has none.
    password: Option<Secret>,
    /// How often its power, input and mutes are read.
    #[default(Seconds::new(10))]
    poll_seconds: Seconds,
}

/// A projector or display that speaks PJLink.
#[driver(
    id = "pjlink",
    name = "Display",
    uri(needed, "tcp"),
    implements(Powerable, Muteable, InputSelection)
)]
impl Projector {
    /// Whether it is on its way to a picture.
    pub const WARMING: Status<bool> = Status::new("warming");
    /// Whether it is off and cools down; many cannot be switched on then.
    pub const COOLING: Status<bool> = Status::new("cooling");
    /// The input that is shown.
    pub const INPUT: Status<Input> = Status::new("input");
    /// The inputs that it has.
    pub const INPUTS: Status<Vec<Input>> = Status::new("inputs");
    /// How long each lamp has been lit in hours; empty without lamps.
    pub const LAMP_HOURS: Status<Vec<u32>> = Status::new("lamp_hours");
    /// What is wrong with it, by part.
    pub const ERRORS: Status<Errors> = Status::new("errors");
    /// Its class of PJLink, 1 or 2.
    pub const CLASS: Status<u8> = Status::new("class");
    /// What it was called by those who set it up.
    pub const DEVICE_NAME: Status<String> = Status::new("device_name");
    /// Who made it.
    pub const MANUFACTURER: Status<String> = Status::new("manufacturer");
    /// Which model it is.
    pub const MODEL: Status<String> = Status::new("model");
    /// What its inputs are called, with class 2.
    pub const INPUT_NAMES: Status<BTreeMap<Input, String>> = Status::new("input_names");
    /// How long its filter has been used in hours, with class 2.
    pub const FILTER_HOURS: Status<u32> = Status::new("filter_hours");
    /// Whether the picture is frozen, with class 2.
    pub const FREEZE: Status<bool> = Status::new("freeze");
    /// Its serial number, with class 2.
    pub const SERIAL_NUMBER: Status<String> = Status::new("serial_number");

    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        let uri = context.uri().unwrap_or_default();
        let lines = Tokens::lines()
            .max_bytes(LINE_MAX_BYTES)
            .or_silence(LINE_SILENCE);
        let link = Arc::new(Tcp::new(uri, PORT, lines)?);
        let link = move || {
            let link = Arc::clone(&link);
            async move { Ok(link.open().await?.filter(protocol::filter())) }
        };
        // A projector in standby may have its network off, so off is what one is that cannot be reached.
        for status in [&Self::POWER, &Self::WARMING, &Self::COOLING] {
            context.set(status, &false);
        }
        let reader = Arc::new(Reader::new(context.clone()));
        let password = settings.password;
        let password = password.filter(|password| !password.reveal().is_empty());
        let (greeted, polled) = (Arc::clone(&reader), Arc::clone(&reader));
        let own = context.clone();
        let device =
            Device::over(&context, link)
                .on_connected(move |device| {
                    // A connection that the projector closed because it was idle is no loss.
                    if own.get(&CONNECTED) != Some(true) {
                        greeted.forget();
                    }
                    let password = password.clone();
                    async move {
                        protocol::sign_in(&device, password.as_ref().map(Secret::reveal)).await
                    }
                })
                .poll(settings.poll_seconds.duration(), move |device| {
                    let reader = Arc::clone(&polled);
                    async move { reader.read(&device).await }
                })
                .start();
        let (following, asked) = (Arc::clone(&reader), device.clone());
        context.spawn(async move { following.follow_switches(asked).await });
        Ok(Self {
            context,
            device,
            reader,
        })
    }

    /// Freezes the picture or lets it go on; class 2 alone.
    pub async fn freeze(&self, state: bool) -> Result<(), Error> {
        if self.reader.class() == Class::One {
            let message = "the projector speaks PJLink class 1, which cannot freeze the picture";
            return Err(Error::new(message).with_code(NOT_IMPLEMENTED));
        }
        let line = Line::set(Class::Two, "FREZ", u8::from(state).to_string());
        self.order(&line).await?;
        self.context.set(&Self::FREEZE, &state);
        self.reader.look_again();
        Ok(())
    }

    /// Has the projector do something.
    async fn order(&self, line: &Line) -> Result<(), Error> {
        self.try_order(line).await?.map_err(Refusal::to_error)
    }

    /// The same for who knows more of a refusal than the projector says.
    async fn try_order(&self, line: &Line) -> Result<Result<(), Refusal>, Error> {
        debug!(self.context, "-> {line}");
        match line.send(&self.device).await? {
            Answer::Value(value) if value.eq_ignore_ascii_case("OK") => Ok(Ok(())),
            Answer::Value(_) => Err(Error::new(
                "the projector did not answer OK, so whether it has done it is not known",
            )),
            Answer::Refused(refusal) => Ok(Err(refusal)),
        }
    }
}

impl Powerable for Projector {
    async fn power(&self, state: bool) -> Result<(), Error> {
        let line = Line::set(Class::One, "POWR", u8::from(state).to_string());
        match self.try_order(&line).await? {
            Ok(()) => {
                self.reader.has_switched(state);
                Ok(())
            }
            Err(Refusal::Unavailable) if self.reader.wants_power(state) => {
                let way = if state {
                    "cools down; it is switched on"
                } else {
                    "warms up; it is switched off"
                };
                info!(self.context, "it {way} when it has done so");
                Ok(())
            }
            Err(refusal) => Err(refusal.to_error()),
        }
    }
}

impl InputSelection for Projector {
    type Input = Input;

    async fn switch_to(&self, input: Input) -> Result<(), Error> {
        let line = Line::set(self.reader.class(), "INPT", input.code());
        match self.try_order(&line).await? {
            Ok(()) => {
                self.context.set(&Self::INPUT, &input);
                self.reader.look_again();
                Ok(())
            }
            Err(Refusal::Unavailable) if self.reader.wants(input) => {
                info!(
                    self.context,
                    "it warms up; {input} is shown when it has done so"
                );
                Ok(())
            }
            Err(refusal) => Err(refusal.to_error()),
        }
    }
}

impl Muteable for Projector {
    async fn mute(&self, state: bool, _one_output: Part, layer: MuteLayer) -> Result<(), Error> {
        let parameter = values::Mutes::parameter(layer, state);
        self.order(&Line::set(Class::One, "AVMT", parameter))
            .await?;
        if layer != MuteLayer::Video {
            self.context.set(&Self::AUDIO_MUTE, &state);
        }
        if layer != MuteLayer::Audio {
            self.context.set(&Self::VIDEO_MUTE, &state);
        }
        self.reader.look_again();
        Ok(())
    }
}
