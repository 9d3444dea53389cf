//! The driver `mqtt`: sensors and switches on an MQTT broker (3.1.1), with Home Assistant's discovery.
//!
//! The parts: `settings` is what the building file says, `topic_table` which status is at which topic, `discovery` how things describe themselves and `things` which have,
//! `payload` and `topic` what is sent and where, `packet` the protocol, `broker` a connection, and `broker_session` the conversation over it.
//! The queue, `connected` and the attempts to connect are the transport's.
//! It carries out no templates, and it is no broker.

mod broker;
mod broker_session;
mod discovery;
mod limits;
mod packet;
mod payload;
mod settings;
mod things;
mod topic;
mod topic_table;

use std::fmt;
use std::sync::Arc;

use driver_sdk::transport::{self, Tcp, Trust};
use driver_sdk::{Context, Error, JsonText, driver};

use crate::broker::Broker;
use crate::broker_session::{BrokerSession, Device};
use crate::limits::PING_PERIOD;
use crate::packet::Retain;
use crate::settings::Settings;

/// The scheme of a broker and its port (IANA `mqtt`).
const PLAIN: (&str, u16) = ("mqtt", 1883);

/// The scheme of a broker with TLS and its port (IANA `secure-mqtt`).
const ENCRYPTED: (&str, u16) = ("mqtts", 8883);

/// What is on a broker.
pub struct Mqtt {
    session: Arc<BrokerSession>,
    device: Device,
}

/// Sensors and switches on an MQTT broker.
#[driver(id = "mqtt", name = "Mqtt", uri(needed, "mqtt", "mqtts"))]
impl Mqtt {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        let link = Tcp::of_schemes(context.uri().unwrap_or_default(), PLAIN, ENCRYPTED)?;
        let trust = Trust::of_settings(settings.ca.as_deref(), settings.verify)?;
        let link = Broker(link.trust(trust));
        let session = Arc::new(BrokerSession::new(context.clone(), &settings)?);
        let [begun, polled, told] = [(); 3].map(|()| Arc::clone(&session));
        let device = transport::Device::over(&context, link)
            .on_connected(move |device| {
                let session = Arc::clone(&begun);
                async move { session.begin(&device).await }
            })
            .poll(PING_PERIOD, move |device| {
                let session = Arc::clone(&polled);
                async move { session.poll(&device).await }
            })
            .on_message(move |packet| told.take(packet))
            .start();
        context.spawn(Arc::clone(&session).follow_discovery(device.clone()));
        Ok(Self { session, device })
    }

    /// Sends a value by a command of the settings, or to a thing that discovery has found. It answers when the broker has the message.
    pub async fn set(&self, name: String, value: JsonText) -> Result<(), Error> {
        self.session.set(&self.device, &name, value).await
    }

    /// Publishes a message: a text as it is, all else as JSON. It answers when the broker has it.
    pub async fn publish(
        &self,
        topic: String,
        payload: JsonText,
        #[default(false)] retain: bool,
    ) -> Result<(), Error> {
        let retain = Retain::of(retain);
        let sending = self.session.publish(&self.device, &topic, &payload, retain);
        sending.await
    }
}

impl fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mqtt").finish_non_exhaustive()
    }
}
