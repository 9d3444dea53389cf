//! What many triggers cost a building: memory, and what a change or an event costs beside them. The same without triggers is what it is compared with.
//!
//! No trigger fires: what is measured is that they are there and look.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::{Cpu, now, resident};
use crate::scenario::firing::Building;
use crate::scenario::{Figures, Loads, PATIENCE, Size, named};
use crate::target::{Running, TARGETS};

/// More than any building has.
const TRIGGERS: usize = 10_000;

/// The status that no trigger waits for, and the one that the first trigger does.
const UNWATCHED: usize = 0;
const WATCHED: usize = TARGETS;

/// How long a server is looked at to see that it has nothing to do, and the most that it uses meanwhile.
const LOOK: Duration = Duration::from_millis(300);
const IDLE: Duration = Duration::from_millis(3);

/// How many triggers a building has for this.
pub(crate) fn triggers(size: Size) -> usize {
    size.triggers.unwrap_or(TRIGGERS).max(2)
}

/// Memory, and the cost of what happens.
pub(super) fn cost(server: &Running, size: Size) -> Result<Figures> {
    let mut building = Building::of(server)?;
    building.bind(UNWATCHED)?;
    building.bind(WATCHED)?;
    await_quiet(server)?;
    let mut figures = Figures::new();
    let (_, anonymous) = resident(server.pid())?;
    figures.insert("MB", anonymous as f64 / 1e6);

    // A third of the time each, so that this takes as long as the other scenarios.
    let time = Duration::from_secs(size.seconds) / 3;
    let nobodys = triggers(size);
    let mut value = 0;
    let mut phase = |name: &str, act: &mut dyn FnMut(&mut Building<'_>, i64) -> Result<()>| {
        let loads = Loads::begin(server)?;
        let (mut count, end) = (0_u32, now() + time);
        while now() < end {
            value += 1;
            count += 1;
            act(&mut building, value)?;
        }
        // What is left to be looked at belongs to it.
        await_quiet(server)?;
        let (cpu, _) = loads.end(&mut figures)?;
        let micros = cpu.total.as_secs_f64() * 1e6 / f64::from(count);
        figures.insert(named(&format!("CPU µs/{name}")), micros);
        anyhow::Ok(())
    };
    phase("event", &mut |building, _| {
        building.announce_and_wait(nobodys)
    })?;
    phase("change", &mut |building, value| {
        building.set_and_wait(UNWATCHED, value, true)
    })?;
    // Never positive, which is what the trigger waits for.
    phase("watched change", &mut |building, value| {
        building.set_and_wait(WATCHED, -value, true)
    })?;
    Ok(figures)
}

/// Waits until a server has nothing to do.
fn await_quiet(server: &Running) -> Result<()> {
    let give_up = now() + PATIENCE;
    loop {
        let before = Cpu::with_descendants(server.pid())?;
        let end = now() + LOOK;
        while now() < end {
            std::hint::spin_loop();
        }
        if Cpu::with_descendants(server.pid())?.since(before).total <= IDLE {
            return Ok(());
        }
        if now() > give_up {
            bail!("the server has work to do for {PATIENCE:?}, where nothing happens");
        }
    }
}
