//! The gateway inside of a program that automates: it runs actions by their names, follows a status, and hears what is announced. Nothing listens.

#![expect(clippy::print_stdout, reason = "a program")]

use riser::Gateway;
use riser::app::GatewayError;

const BUILDING: &str = "
systems: [{id: sys-living, name: Living Room, modules: [mod-lights]}]
modules: [{id: mod-lights, driver: virtual, name: Lights}]
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), GatewayError> {
    let gateway = Gateway::start(BUILDING).await?;
    let mut scene = gateway.bind("sys-living/Lights_1/scene")?;
    let mut home = gateway.subscribe("at_home")?;

    // Who comes home: a client of any dialect may announce it too.
    gateway.announce("at_home", &["Ann"])?;
    let who = home.next().await?;
    println!("{} {}", who.name, who.data);

    // A system goes by its name, the first module of a name needs no index.
    let set = gateway.run("living_room.lights.set", &("scene", "evening"));
    set.await?;
    println!("scene {}", scene.next().await?);

    let mistaken = gateway.run("living_room.light.set", &("scene", "off"));
    if let Err(error) = mistaken.await {
        println!("{error}");
    }
    drop((scene, home));
    gateway.stop().await
}
