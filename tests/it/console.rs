//! The console in a browser, as people use it.

mod coming_in;
mod edits;
mod pages;
mod person;
mod rooms;

use crate::harness::{Gateway, LABORATORY};

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
