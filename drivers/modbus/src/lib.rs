//! The driver `modbus`: meters, relays and controllers that speak Modbus TCP.
//!
//! The parts: `settings` is what the building file says, `register` and `scale` what the bits of a register mean, `plan` which registers are read together,
//! `frame` the protocol, and `client` asks the device. The connection, the queue and `connected` are the transport's.
//! It does not speak Modbus RTU; a gateway translates.

mod client;
mod frame;
mod limits;
mod plan;
mod register;
mod scale;
mod settings;

use std::fmt;
use std::sync::Arc;

use driver_sdk::serde_json::Value;
use driver_sdk::transport::{Device, Tcp};
use driver_sdk::{Context, Error, JsonText, driver};

use crate::client::ModbusClient;
use crate::settings::Settings;

/// The port of Modbus TCP (IANA `mbap`).
const PORT: u16 = 502;

/// A device that speaks Modbus TCP.
pub struct Modbus {
    client: Arc<ModbusClient>,
    device: Device,
}

/// A meter, relays or any other device whose registers are read and written by Modbus TCP.
#[driver(id = "modbus", name = "Modbus", uri(needed, "tcp"))]
impl Modbus {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        let link = Tcp::new(context.uri().unwrap_or_default(), PORT, frame::tokens())?;
        let client = Arc::new(ModbusClient::new(context.clone(), &settings));
        let (polled, told) = (Arc::clone(&client), Arc::clone(&client));
        let device = Device::over(&context, link)
            .pause(settings.pause_seconds.duration())
            .on_message(move |message| told.take_stray(&message))
            .poll(settings.poll_seconds.duration(), move |device| {
                let client = Arc::clone(&polled);
                async move { client.read_all(&device).await }
            });
        Ok(Self {
            client,
            device: device.start(),
        })
    }

    /// Writes a register that has `write: true`. It answers when the device has the value and the status shows it.
    pub async fn set(&self, name: String, value: JsonText) -> Result<(), Error> {
        let value: Value = value.to()?;
        self.client.set(&self.device, &name, &value).await
    }
}

impl fmt::Debug for Modbus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modbus").finish_non_exhaustive()
    }
}
