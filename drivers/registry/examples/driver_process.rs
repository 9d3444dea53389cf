//! Any driver that is linked into riser, as a process of its own: `driver_process virtual`.
//!
//! A driver's own program needs no choice: its `main` is `driver_sdk::process::run(&Lamp::DEFINITION)` alone.

use std::process::ExitCode;

fn main() -> ExitCode {
    let id = std::env::args().nth(1);
    let mut drivers = driver_registry::drivers().into_iter();
    match drivers.find(|driver| Some(driver.id) == id.as_deref()) {
        Some(driver) => driver_sdk::process::run(&driver),
        None => ExitCode::FAILURE,
    }
}
