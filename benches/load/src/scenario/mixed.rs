//! A campus at work, for seconds or for hours: panels that follow their room, consoles that call, rooms that change.
//!
//! Memory is sampled all along; at the end all clients go, and nothing of them may be left in the server.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::{nanos, now, resident};
use crate::engine::Engine;
use crate::machine;
use crate::protocol::{MODULES, Message, Protocol};
use crate::scenario::ledger::Ledger;
use crate::scenario::leftovers::Holdings;
use crate::scenario::{Figures, Loads, PATIENCE, Random, Samples, Size};
use crate::target::Running;

const PANELS: usize = 2000;

/// One console for so many panels.
const PANELS_PER_CONSOLE: usize = 10;

/// How often a console calls.
const CALL_INTERVAL: Duration = Duration::from_secs(2);

/// Statuses of a room, which is a module.
const ROOM_STATUSES: usize = 20;

/// The last two of the first room are the campus's: every panel follows them. Of its own room it follows the others.
const OWN: usize = ROOM_STATUSES - 2;
const CLOCK: usize = OWN * MODULES;
const ALARM: usize = (OWN + 1) * MODULES;

/// Changes a second, of a status of a room at random.
const ROOM_RATE: u32 = 100;
const CLOCK_INTERVAL: Duration = Duration::from_secs(1);
const ALARM_INTERVAL: Duration = Duration::from_secs(10);

/// Memory is sampled so often, or in short runs so many times.
const SAMPLE_INTERVAL_MAX: Duration = Duration::from_secs(5);
const SAMPLES_MIN: u32 = 20;

/// What is warm is sampled: this time, or a fifth of a shorter run, is left out of the slope.
const WARM_UP_MAX: Duration = Duration::from_secs(120);

struct Campus<'a> {
    protocol: &'a dyn Protocol,
    ledger: Ledger,
    panels: usize,
    consoles: usize,
    /// The newest value of each status of each panel.
    seen: Vec<[u64; ROOM_STATUSES]>,
    /// The call that each console has under way, and since when.
    calls: Vec<Option<(u64, u64)>>,
    bound: usize,
    requests: u64,
    notifies: u64,
    latency: Samples,
    trips: Samples,
}

/// Something that is due at its times.
struct Every {
    interval: Duration,
    next: Duration,
}

impl Every {
    fn new(interval: Duration) -> Self {
        Self {
            interval,
            next: now() + interval,
        }
    }

    fn is_due(&mut self) -> bool {
        let due = now() >= self.next;
        if due {
            self.next += self.interval;
        }
        due
    }
}

/// A campus for some time.
pub(super) fn campus(server: &Running, size: Size) -> Result<Figures> {
    let panels = size.connections.unwrap_or(PANELS);
    let consoles = panels.div_ceil(PANELS_PER_CONSOLE);
    machine::allow(panels + consoles + 1, server.pid())?;
    warm_up(server)?;
    let start = Holdings::of(server)?;
    let mut campus = Campus {
        protocol: server.protocol(),
        ledger: Ledger::new(ROOM_STATUSES * MODULES, size.bytes.unwrap_or(100)),
        panels,
        consoles,
        seen: vec![[0; ROOM_STATUSES]; panels],
        calls: vec![None; consoles],
        bound: 0,
        requests: 0,
        notifies: 0,
        latency: Samples::new(),
        trips: Samples::new(),
    };
    let mut engine = Engine::of(server)?;
    engine.open_clients(campus.protocol, panels + consoles, PATIENCE)?;
    campus.bind(&mut engine)?;
    let mut figures = Figures::new();
    let loads = Loads::begin(server)?;
    let memory = campus.work(&mut engine, server, Duration::from_secs(size.seconds))?;
    let (cpu, _) = loads.end(&mut figures)?;
    campus.settle(&mut engine)?;
    drop(engine);
    start.wait_for_return(server)?;

    if let Some(slope) = slope(&memory) {
        figures.insert("memory slope B/s", slope);
    }
    if let Some((_, bytes)) = memory.last() {
        figures.insert("memory MB", bytes / 1e6);
    }
    let after = resident(server.pid())?.0;
    figures.insert("memory after MB", after as f64 / 1e6);
    let notifies = campus.notifies as f64;
    figures.insert("CPU µs/notify", cpu.total.as_secs_f64() * 1e6 / notifies);
    figures.insert("notify p50 ms", campus.latency.quantile(0.5) / 1e6);
    figures.insert("notify p99 ms", campus.latency.quantile(0.99) / 1e6);
    figures.insert("call p50 µs", campus.trips.quantile(0.5) / 1e3);
    figures.insert("call p99 µs", campus.trips.quantile(0.99) / 1e3);
    Ok(figures)
}

/// One client comes and goes, so that what a server opens once and for all is open.
fn warm_up(server: &Running) -> Result<()> {
    Holdings::of(server)?;
    drop(crate::scenario::Clients::bound(server, 1, 1, 100)?);
    let end = now() + Duration::from_millis(200);
    while now() < end {
        Holdings::of(server)?;
    }
    Ok(())
}

impl Campus<'_> {
    fn publisher(&self) -> usize {
        self.panels + self.consoles
    }

    fn bind(&mut self, engine: &mut Engine) -> Result<()> {
        let mut out = Vec::new();
        for panel in 0..self.panels {
            out.clear();
            let room = panel % MODULES;
            let own = (0..OWN).map(|status| room + status * MODULES);
            for status in own.chain([CLOCK, ALARM]) {
                self.protocol.bind(panel, status, &mut out);
            }
            engine.send(panel, &out)?;
        }
        let give_up = now() + PATIENCE;
        let wanted = self.panels * ROOM_STATUSES;
        while self.bound < wanted {
            self.turn(engine)?;
            if now() > give_up {
                bail!(
                    "only {} of {wanted} binds succeeded in {PATIENCE:?}",
                    self.bound
                );
            }
        }
        Ok(())
    }

    /// Works for some time, and gives what memory the server had when, in seconds.
    fn work(
        &mut self,
        engine: &mut Engine,
        server: &Running,
        time: Duration,
    ) -> Result<Vec<(f64, f64)>> {
        let begin = now();
        let end = begin + time;
        let warm = begin + WARM_UP_MAX.min(time / 5);
        let mut memory = Vec::new();
        let mut random = Random::new();
        let mut console = 0;
        let mut out = Vec::new();
        let mut room = Every::new(Duration::from_secs(1) / ROOM_RATE);
        let mut clock = Every::new(CLOCK_INTERVAL);
        let mut alarm = Every::new(ALARM_INTERVAL);
        let consoles = u32::try_from(self.consoles)?;
        let mut call = Every::new(CALL_INTERVAL / consoles.max(1));
        let mut sample = Every::new(SAMPLE_INTERVAL_MAX.min(time / SAMPLES_MIN));
        while now() < end {
            out.clear();
            if room.is_due() {
                let status = random.below(MODULES) + random.below(OWN) * MODULES;
                self.ledger.publish(self.protocol, status, &mut out);
            }
            if clock.is_due() {
                self.ledger.publish(self.protocol, CLOCK, &mut out);
            }
            if alarm.is_due() {
                self.ledger.publish(self.protocol, ALARM, &mut out);
            }
            if !out.is_empty() {
                engine.send(self.publisher(), &out)?;
            }
            if call.is_due() {
                self.call(engine, console)?;
                console = (console + 1) % self.consoles;
            }
            if sample.is_due() && now() >= warm {
                let bytes = resident(server.pid())?.0;
                memory.push(((now() - begin).as_secs_f64(), bytes as f64));
            }
            self.turn(engine)?;
        }
        Ok(memory)
    }

    fn call(&mut self, engine: &mut Engine, console: usize) -> Result<()> {
        if let Some((request, _)) = self.calls[console] {
            bail!("console {console} was not answered call {request} in {CALL_INTERVAL:?}");
        }
        self.requests += 1;
        let mut out = Vec::new();
        self.protocol.echo(self.requests, &mut out)?;
        self.calls[console] = Some((self.requests, nanos()));
        engine.send(self.panels + console, &out)
    }

    fn turn(&mut self, engine: &mut Engine) -> Result<()> {
        let here = nanos();
        let protocol = self.protocol;
        let publisher = self.publisher();
        engine.turn(protocol, &mut |connection, message| {
            match message {
                Message::Change { binding, value } => {
                    let Some(last) = slot(connection, binding)
                        .and_then(|slot| Some(&mut self.seen.get_mut(connection)?[slot]))
                    else {
                        bail!("connection {connection} got a value of status {binding}, which it never bound");
                    };
                    let stamp = self.ledger.check(binding, value, last)?;
                    self.latency.offer(here.saturating_sub(stamp.sent_nanos));
                    self.notifies += 1;
                }
                Message::Done { request } if connection == publisher => self.ledger.done(request)?,
                Message::Done { .. } if connection < self.panels => self.bound += 1,
                Message::Done { request } => {
                    let call = self.calls[connection - self.panels].take();
                    match call {
                        Some((asked, since)) if asked == request => {
                            self.trips.offer(here.saturating_sub(since));
                        }
                        _ => bail!("connection {connection} was answered call {request}, which was not under way"),
                    }
                }
                Message::Ping { .. }
 | Message::Members(_)
| Message::Several { .. }
 | Message::Other => {}
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Waits until every panel has the last value of each of its statuses, and every call its answer.
    fn settle(&mut self, engine: &mut Engine) -> Result<()> {
        let give_up = now() + PATIENCE;
        loop {
            self.turn(engine)?;
            let mut behind = 0;
            for (panel, seen) in self.seen.iter().enumerate() {
                for (at, seen) in seen.iter().enumerate() {
                    let status = if at < OWN {
                        panel % MODULES + at * MODULES
                    } else {
                        at * MODULES
                    };
                    behind += usize::from(*seen != self.ledger.newest(status));
                }
            }
            let calls = self.calls.iter().flatten().count();
            if behind == 0 && calls == 0 && self.ledger.is_settled() {
                return Ok(());
            }
            if now() > give_up {
                bail!(
                    "after {PATIENCE:?} {behind} bindings lack the last value and {calls} calls their answer"
                );
            }
        }
    }
}

/// Which of its statuses a panel follows this one as.
fn slot(panel: usize, status: usize) -> Option<usize> {
    let (room, at) = (status % MODULES, status / MODULES);
    let home = if at < OWN { panel % MODULES } else { 0 };
    (room == home && at < ROOM_STATUSES).then_some(at)
}

/// The slope of a straight line through the samples, by least squares.
fn slope(samples: &[(f64, f64)]) -> Option<f64> {
    let count = samples.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let across = samples.iter().map(|sample| (sample.0 - x) * (sample.1 - y));
    let along: f64 = samples.iter().map(|sample| (sample.0 - x).powi(2)).sum();
    (along > 0.0).then(|| across.sum::<f64>() / along)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_per_second() {
        let samples = [(5.0, 100.0), (10.0, 161.0), (15.0, 199.0), (20.0, 260.0)];
        assert!((slope(&samples).unwrap() - 10.36).abs() < 0.01);
        assert_eq!(slope(&samples[..1]), None);
    }

    #[test]
    fn a_panel_follows_its_room_and_the_campus() {
        assert_eq!(slot(53, 3 + 17 * MODULES), Some(17));
        assert_eq!(slot(53, 4), None);
        assert_eq!(slot(53, CLOCK), Some(18));
        assert_eq!(slot(53, ALARM), Some(19));
        assert_eq!(slot(53, ALARM + MODULES), None);
    }
}
