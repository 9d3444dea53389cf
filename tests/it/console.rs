//! The console in a browser, as people use it.

mod automation;
mod coming_in;
mod edits;
mod many;
mod pages;
mod person;
mod rooms;

use crate::harness::{DEADLINE, Gateway, LABORATORY, Plan};

/// The room of the laboratory, and its soft module there.
const LAB: &str = "#/room/sys-lab";
const SOFT: &str = "[data-module=Soft_1]";

/// The cell of a status of the soft module.
fn value(status: &str) -> String {
    format!("{SOFT} [data-status={status}] .value")
}

async fn laboratory() -> Gateway {
    Gateway::start(LABORATORY).await
}

/// The demo, and the address that signs in once at it.
async fn demo() -> (Gateway, String) {
    let plan = Plan::bare().arguments(["--listen", "127.0.0.1:0"]);
    let mut gateway = plan.start().await;
    loop {
        let line = gateway.next_line(DEADLINE).await;
        let line = line.expect("the demo prints it");
        if let Some(url) = line.strip_prefix("console ") {
            return (gateway, url.to_owned());
        }
    }
}
