//! The driver `template`: a thermometer that is its own device.
//!
//! It is not linked in: `cargo xtask new-driver` copies it, and the tutorial shows it.

use driver_sdk::{Context, Error, Status, driver};

/// A thermometer that is its own device.
#[derive(Debug)]
pub struct Template(Context);

/// A thermometer.
#[driver(id = "template", name = "Template")]
impl Template {
    /// The temperature in °C.
    pub const TEMPERATURE: Status<f64> = Status::new("temperature");

    async fn start(context: Context) -> Result<Self, Error> {
        context.set(&Self::TEMPERATURE, &21.5);
        Ok(Self(context))
    }

    /// Shifts what it shows, and gives the new value.
    pub async fn calibrate(&self, degrees: f64) -> f64 {
        let temperature = self.0.get(&Self::TEMPERATURE).unwrap_or_default() + degrees;
        self.0.set(&Self::TEMPERATURE, &temperature);
        temperature
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::testkit::Module;

    use super::*;

    #[tokio::test]
    async fn it_can_be_calibrated() {
        let module = Module::start(&Template::DEFINITION, ()).await.unwrap();
        module.wait(&Template::TEMPERATURE, &21.5).await;
        module.call("calibrate", (0.5,)).await.unwrap();
        module.wait(&Template::TEMPERATURE, &22.0).await;
        module.call("calibrate", ("warmer",)).await.unwrap_err();
    }
}
