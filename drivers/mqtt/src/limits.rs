//! The bounds and periods of this driver, each with its reason.

use std::time::Duration;

/// The longest packet that is taken in, and the longest payload that is sent. Sensors send some hundred bytes and devices' descriptions some thousand; a longer one, such as a picture, is passed over without being kept.
pub(crate) const PACKET_MAX_BYTES: usize = 256 * 1024;

/// The longest topic of a message, as the protocol has it (MQTT 3.1.1, 1.5.3).
pub(crate) const TOPIC_MAX_BYTES: usize = 65_535;

/// The most things that discovery finds, and the most components of one device: a building's broker has some hundred, and a broker that describes things without end fills no memory.
pub(crate) const THINGS_MAX: usize = 1000;

/// The longest text that is kept of a thing's description, a topic or a payload: with the number of things it bounds what a broker can make a module keep.
pub(crate) const DISCOVERED_TEXT_MAX_BYTES: usize = 1024;

/// How many topics one packet subscribes to: brokers have bounds on packets, the lowest known of some kilobytes.
pub(crate) const SUBSCRIBE_TOPICS_MAX: usize = 50;

/// How often the broker is asked for a sign of life. With the 5 s that it has for the answer, one that has died without a word is seen within a quarter of a minute.
pub(crate) const PING_PERIOD: Duration = Duration::from_secs(10);

/// After how many seconds without a packet from here the broker may take the module for dead, by its own rule one and a half times this. Three pings fit.
pub(crate) const KEEP_ALIVE_SECONDS: u16 = 30;

/// How much is read at once: at ten thousand messages a second some hundred of them.
pub(crate) const READ_BYTES: usize = 16 * 1024;

/// How many different warnings are said on one connection; a broker that sends nonsense at many topics fills no log.
pub(crate) const WARNINGS_MAX: usize = 100;

/// The longest user name, password and client id, as the protocol has it (MQTT 3.1.1, 1.5.3).
pub(crate) const TEXT_MAX_BYTES: usize = 65_535;
