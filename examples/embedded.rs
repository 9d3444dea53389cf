//! The gateway inside of a program of your own: a driver, a command, a binding, a call.

#![expect(unreachable_pub, clippy::print_stdout, reason = "a program")]

use driver_sdk::{Context, Error, Status, driver};
use riser::app::{Command, Gateway, GatewayError};

struct Lamp(Context);

/// A lamp.
#[driver(id = "lamp", name = "Lamp")]
impl Lamp {
    const POWER: Status<bool> = Status::new("power");

    async fn start(context: Context) -> Result<Self, Error> {
        context.set(&Self::POWER, &false);
        Ok(Self(context))
    }

    pub async fn power(&self, state: bool) {
        self.0.set(&Self::POWER, &state);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), GatewayError> {
    let building = "{systems: [{id: sys-desk, name: Desk, modules: [mod-lamp]}], modules: [{id: mod-lamp, driver: lamp}]}";
    let hello = Command::new("desk/hello", |message| async move { Ok(message.user) });
    let gateway = Gateway::builder(building).driver(Lamp::DEFINITION);
    let gateway = gateway.command(hello).start().await?;
    if let Some(address) = gateway.address() {
        println!("http://{address}");
    }
    let mut power = gateway.bind("sys-desk/Lamp_1/power")?;
    println!("power {}", power.next().await?);
    gateway.call("sys-desk/Lamp_1", "power", &[true]).await?;
    println!("power {}", power.next().await?);
    drop(power);
    gateway.stop().await
}
