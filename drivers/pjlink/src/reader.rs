//! Asks the projector what is due and publishes what it says.
//!
//! Separate from the driver's functions, which switch: what a projector reports is the truth, and only here becomes it a status.
//! Two looks may run side by side, the poll and the one behind a call; the device's queue puts their questions in a row.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use driver_sdk::interfaces::{Muteable, Powerable};
use driver_sdk::transport::Device;
use driver_sdk::{Context, Error, Status, debug, info, warn};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::Projector;
use crate::limits::SETTLE;
use crate::protocol::{Answer, Class, Line, Refusal};
use crate::schedule::{Question, Schedule};
use crate::values::{Errors, Input, Mutes, Power, parse_flag, parse_lamps};

/// What is known of a projector, and what is to be asked.
pub(crate) struct Reader {
    context: Context,
    known: Mutex<Known>,
    /// Somebody has switched something.
    switched: Notify,
}

struct Known {
    class: Class,
    power: Option<Power>,
    inputs: Vec<Input>,
    schedule: Schedule,
    /// What the projector was switched to, and until when it may report its old power.
    settling: Option<(bool, Instant)>,
    /// The commands whose last answer was none that PJLink has.
    odd: BTreeSet<&'static str>,
    /// The input that is to be shown once the projector has warmed up.
    wanted: Option<Input>,
    /// Whether the projector is to be switched on, or off, once it has come to rest.
    wanted_power: Option<bool>,
}

impl Reader {
    pub(crate) fn new(context: Context) -> Self {
        Self {
            context,
            known: Mutex::new(Known {
                class: Class::One,
                power: None,
                inputs: Vec::new(),
                schedule: Schedule::new(),
                settling: None,
                odd: BTreeSet::new(),
                wanted: None,
                wanted_power: None,
            }),
            switched: Notify::new(),
        }
    }

    /// The projector has been away, so everything is to be read afresh.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        known.schedule = Schedule::new();
        known.power = None;
        known.settling = None;
        known.odd.clear();
        known.wanted = None;
        known.wanted_power = None;
    }

    pub(crate) fn class(&self) -> Class {
        self.known().class
    }

    /// The projector has accepted to be switched on or off.
    pub(crate) fn has_switched(&self, state: bool) {
        {
            let mut known = self.known();
            known.settling = Some((state, Instant::now() + SETTLE));
            known.wanted_power = None;
            if !state {
                known.wanted = None;
            }
        }
        self.context.set(&Projector::POWER, &state);
        self.look_again();
    }

    /// Keeps a switch for when the projector has cooled down, or warmed up; `false` if it is not on its way there. The last one counts.
    pub(crate) fn wants_power(&self, state: bool) -> bool {
        let mut known = self.known();
        let is_turning = match (known.power, known.settling) {
            (Some(Power::Cooling), _) => state,
            (Some(Power::Warming), _) => !state,
            (Some(Power::On | Power::Off) | None, Some((switched, until))) => {
                switched != state && Instant::now() < until
            }
            (Some(Power::On | Power::Off) | None, None) => false,
        };
        if is_turning {
            known.wanted_power = Some(state);
            if !state {
                known.wanted = None;
            }
        }
        is_turning
    }

    /// Keeps an input for when the projector has warmed up; `false` if it does not warm up. The last one counts.
    pub(crate) fn wants(&self, input: Input) -> bool {
        let mut known = self.known();
        let is_starting = match (known.power, known.settling) {
            (Some(Power::Warming), _) => true,
            (Some(Power::On), _) => false,
            (Some(Power::Off | Power::Cooling) | None, Some((state, until))) => {
                state && Instant::now() < until
            }
            (Some(Power::Off | Power::Cooling) | None, None) => false,
        };
        if is_starting {
            known.wanted = Some(input);
        }
        is_starting
    }

    /// Has what people look at read soon.
    pub(crate) fn look_again(&self) {
        self.known().schedule.look_again();
        self.switched.notify_one();
    }

    /// Reads behind each switch, until it is dropped.
    pub(crate) async fn follow_switches(&self, device: Device) {
        loop {
            self.switched.notified().await;
            if let Err(error) = self.read(&device).await {
                // The poll meets it too, and says it.
                debug!(self.context, "{error}");
            }
        }
    }

    /// Asks what is due. It fails at once where there is no answer, and at the end if an answer made no sense.
    pub(crate) async fn read(&self, device: &Device) -> Result<(), Error> {
        for question in Question::ALL {
            let class = {
                let known = self.known();
                let is_due = known.schedule.is_due(question);
                question.class(known.class).filter(|_| is_due)
            };
            let Some(class) = class else { continue };
            let answer = if question == Question::InputNames {
                self.ask_input_names(device).await?
            } else {
                let answer = Line::ask(class, question.body()).send(device).await?;
                self.take_in(question, answer)
            };
            self.note(question, answer);
            if question == Question::Power {
                self.switch_wanted(device).await?;
                self.show_wanted(device).await?;
            }
        }
        let odd: Vec<&str> = self.known().odd.iter().copied().collect();
        match odd.is_empty() {
            true => Ok(()),
            false => Err(Error::new(format_args!(
                "the projector's answer to {} is none that PJLink has",
                odd.join(", ")
            ))),
        }
    }

    /// Decides when a question is asked again.
    fn note(&self, question: Question, answer: Taken) {
        let mut known = self.known();
        let body = question.body();
        let is_on = known.power == Some(Power::On);
        if matches!(answer, Taken::Odd) {
            known.odd.insert(body);
        } else {
            known.odd.remove(body);
        }
        match answer {
            Taken::Published => known.schedule.answered(question, is_on),
            Taken::Refused(Refusal::Undefined | Refusal::OutOfRange) => {
                known.schedule.undefined(question);
            }
            Taken::Refused(Refusal::Unavailable | Refusal::Failure) | Taken::Odd => {
                known.schedule.unavailable(question);
            }
        }
    }

    /// Publishes the answer to a question.
    fn take_in(&self, question: Question, answer: Answer) -> Taken {
        let context = &self.context;
        let value = match answer {
            Answer::Value(value) => value,
            Answer::Refused(refusal) => {
                if refusal == Refusal::Undefined {
                    self.take_in_lack(question);
                }
                return Taken::Refused(refusal);
            }
        };
        let publish = |status: &Status<String>| {
            context.set(status, &value);
            Some(())
        };
        let published = match question {
            Question::Class => Class::parse(&value).map(|class| self.take_in_class(class)),
            Question::Power => Power::parse(&value).map(|power| self.take_in_power(power)),
            Question::Inputs => {
                let inputs = Input::parse_list(&value);
                context.set(&Projector::INPUTS, &inputs);
                self.known().inputs = inputs;
                Some(())
            }
            Question::Input => {
                Input::parse(&value).map(|input| context.set(&Projector::INPUT, &input))
            }
            Question::Mutes => Mutes::parse(&value).map(|mutes| {
                context.set(&Projector::AUDIO_MUTE, &mutes.audio);
                context.set(&Projector::VIDEO_MUTE, &mutes.video);
            }),
            Question::Freeze => {
                parse_flag(&value).map(|frozen| context.set(&Projector::FREEZE, &frozen))
            }
            Question::Errors => {
                Errors::parse(&value).map(|errors| context.set(&Projector::ERRORS, &errors))
            }
            Question::Lamps => {
                parse_lamps(&value).map(|hours| context.set(&Projector::LAMP_HOURS, &hours))
            }
            Question::FilterHours => {
                let hours = value.parse().ok();
                hours.map(|hours: u32| context.set(&Projector::FILTER_HOURS, &hours))
            }
            Question::Name => publish(&Projector::DEVICE_NAME),
            Question::Manufacturer => publish(&Projector::MANUFACTURER),
            Question::Model => publish(&Projector::MODEL),
            Question::SerialNumber => publish(&Projector::SERIAL_NUMBER),
            Question::InputNames => None,
        };
        published.map_or(Taken::Odd, |()| Taken::Published)
    }

    /// Publishes what it means that a projector does not have something.
    fn take_in_lack(&self, question: Question) {
        if question == Question::Lamps {
            self.context.set(&Projector::LAMP_HOURS, &Vec::new());
        }
        // The first projectors had no classes.
        if question == Question::Class {
            self.take_in_class(Class::One);
        }
    }

    fn take_in_class(&self, class: Class) {
        self.known().class = class;
        self.context.set(&Projector::CLASS, &class.number());
    }

    fn take_in_power(&self, power: Power) {
        let is_on = {
            let mut known = self.known();
            let before = known.power.replace(power);
            if power == Power::On && before != Some(Power::On) {
                known.schedule.look_again();
            }
            let settling = known.settling.filter(|(_, until)| Instant::now() < *until);
            known.settling = settling.filter(|(state, _)| *state != power.is_on());
            let is_on = known.settling.map_or(power.is_on(), |(state, _)| state);
            if !is_on {
                known.wanted = None;
            }
            is_on
        };
        self.context.set(&Projector::POWER, &is_on);
        self.context
            .set(&Projector::WARMING, &(power == Power::Warming));
        self.context
            .set(&Projector::COOLING, &(power == Power::Cooling));
    }

    /// Switches as it was asked for while the projector cooled down or warmed up.
    async fn switch_wanted(&self, device: &Device) -> Result<(), Error> {
        let wanted = {
            let mut known = self.known();
            match (known.power, known.settling) {
                (Some(Power::On | Power::Off), None) => known.wanted_power.take(),
                (Some(Power::Cooling | Power::Warming) | None, _) | (_, Some(_)) => None,
            }
        };
        let Some(state) = wanted else { return Ok(()) };
        let line = Line::set(Class::One, "POWR", u8::from(state).to_string());
        let word = if state { "on" } else { "off" };
        match line.send(device).await? {
            Answer::Value(_) => {
                info!(self.context, "it has come to rest, and is switched {word}");
                self.has_switched(state);
            }
            Answer::Refused(refusal) => {
                let error = refusal.to_error();
                warn!(self.context, "it is not switched {word}: {error}");
            }
        }
        Ok(())
    }

    /// Shows the input that was asked for while the projector warmed up.
    async fn show_wanted(&self, device: &Device) -> Result<(), Error> {
        let (input, class) = {
            let mut known = self.known();
            let wanted = match known.power {
                Some(Power::On) => known.wanted.take(),
                Some(Power::Off | Power::Cooling | Power::Warming) | None => None,
            };
            (wanted, known.class)
        };
        let Some(input) = input else { return Ok(()) };
        match Line::set(class, "INPT", input.code()).send(device).await? {
            Answer::Value(_) => info!(self.context, "it has warmed up, and shows {input}"),
            Answer::Refused(refusal) => {
                let error = refusal.to_error();
                warn!(self.context, "{input} is not shown: {error}");
            }
        }
        Ok(())
    }

    /// Asks for the name of each input. Those that have none are left out.
    async fn ask_input_names(&self, device: &Device) -> Result<Taken, Error> {
        let inputs = self.known().inputs.clone();
        let mut names = BTreeMap::new();
        for input in inputs {
            let question = Line::set(Class::Two, "INNM", format!("?{}", input.code()));
            match question.send(device).await? {
                Answer::Value(name) => {
                    names.insert(input, name);
                }
                Answer::Refused(Refusal::OutOfRange) => {}
                Answer::Refused(refusal) => return Ok(Taken::Refused(refusal)),
            }
        }
        self.context.set(&Projector::INPUT_NAMES, &names);
        Ok(Taken::Published)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has become of an answer.
enum Taken {
    Published,
    Refused(Refusal),
    /// It is none that PJLink has.
    Odd,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
