//! Drives riser or a peer with many clients, checks every delivery, and says what it cost.
#![expect(clippy::print_stdout, reason = "a tool's output")]

mod account;
mod engine;
mod protocol;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;

use crate::account::{Cpu, nanos, now, resident};
use crate::engine::Engine;
use crate::protocol::{Ids, Message, PlaceOs, Protocol, Stamp};

#[derive(Parser)]
struct Arguments {
    scenario: String,
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    key: String,
    #[arg(long)]
    pid: u32,
    #[arg(long, default_value_t = 1000)]
    connections: usize,
    #[arg(long, default_value_t = 1)]
    bindings: usize,
    #[arg(long, default_value_t = 1)]
    window: usize,
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    #[arg(long, default_value_t = 100)]
    bytes: usize,
    #[arg(long, value_enum, default_value_t = Ids::Alike)]
    ids: Ids,
}

fn main() -> Result<()> {
    let a = Arguments::parse();
    let protocol = PlaceOs { key: a.key.clone(), ids: a.ids, bindings: a.bindings };
    let mut engine = Engine::new(a.address)?;
    let before = resident(a.pid)?;
    let begun = now();
    let cpu = Cpu::of(a.pid)?;
    engine.open(&protocol, a.connections + 1, Duration::from_secs(60))?;
    let publisher = a.connections;
    let mut done = 0;
    for connection in 0..a.connections {
        let mut out = Vec::new();
        for binding in 0..a.bindings {
            protocol.bind(connection, binding, &mut out);
        }
        engine.send(connection, &out)?;
    }
    while done < a.connections * a.bindings {
        engine.turn(&protocol, &mut |_, message| {
            if matches!(message, Message::Done { .. }) { done += 1; }
            Ok(())
        })?;
    }
    let took = now() - begun;
    let cpu = Cpu::of(a.pid)?.since(cpu);
    let after = resident(a.pid)?;
    println!(
        "{} connections up and bound in {took:?}: {:.0}/s, cpu {:.1} us each; memory {:.0} bytes each ({:.0} anon)",
        a.connections,
        a.connections as f64 / took.as_secs_f64(),
        cpu.total.as_secs_f64() * 1e6 / a.connections as f64,
        (after.0 - before.0) as f64 / a.connections as f64,
        (after.1 - before.1) as f64 / a.connections as f64,
    );
    match a.scenario.as_str() {
        "fanout" => fanout(&a, &protocol, &mut engine, publisher)?,
        "exec" => exec(&a, &protocol, &mut engine)?,
        "idle" => {}
        other => bail!("no scenario {other}"),
    }
    Ok(())
}

fn fanout(a: &Arguments, protocol: &dyn Protocol, engine: &mut Engine, publisher: usize) -> Result<()> {
    let mut last = vec![0_u64; a.connections * a.bindings];
    let mut latencies: Vec<u64> = Vec::new();
    let mut sequence = 0_u64;
    let mut notifies = 0_u64;
    let cpu = Cpu::of(a.pid)?;
    let begun = now();
    let end = begun + Duration::from_secs(a.seconds);
    while now() < end {
        let mut out = Vec::new();
        for _ in 0..a.window {
            sequence += 1;
            let mut value = Vec::new();
            Stamp { sequence, sent_nanos: nanos() }.write(a.bytes, &mut value);
            let status = usize::try_from(sequence)? % a.bindings;
            protocol.publish(sequence, status, &value, &mut out);
        }
        engine.send(publisher, &out)?;
        let expected = a.connections * a.window;
        let mut arrived = 0;
        let mut done = 0;
        while arrived < expected || done < a.window {
            engine.turn(protocol, &mut |connection, message| {
                match message {
                    Message::Change { binding, value } => {
                        let Some(stamp) = Stamp::read(value) else { bail!("no stamp") };
                        let place = connection * a.bindings + binding;
                        if stamp.sequence <= last[place] {
                            bail!("connection {connection} binding {binding}: {} after {}", stamp.sequence, last[place]);
                        }
                        if a.bindings == 1 && stamp.sequence != last[place] + 1 {
                            bail!("a gap");
                        }
                        last[place] = stamp.sequence;
                        arrived += 1;
                        if latencies.len() < 2_000_000 { latencies.push(nanos() - stamp.sent_nanos); }
                    }
                    Message::Done { .. } => done += 1,
                    Message::Other => {}
                }
                Ok(())
            })?;
        }
        notifies += expected as u64;
    }
    let took = now() - begun;
    let cpu = Cpu::of(a.pid)?.since(cpu);
    latencies.sort_unstable();
    println!(
        "fanout window {}: {:.0} notifies/s, cpu {:.3} us each, load {:.0} %, user {:.0} %, p50 {:.2} ms",
        a.window,
        notifies as f64 / took.as_secs_f64(),
        cpu.total.as_secs_f64() * 1e6 / notifies as f64,
        cpu.total.as_secs_f64() / took.as_secs_f64() * 100.0,
        cpu.user_share() * 100.0,
        latencies[latencies.len() / 2] as f64 / 1e6,
    );
    Ok(())
}

fn exec(a: &Arguments, protocol: &dyn Protocol, engine: &mut Engine) -> Result<()> {
    let mut request = 0_u64;
    let mut trips = 0_u64;
    let mut sent = vec![0_u64; a.connections];
    let mut latencies: Vec<u64> = Vec::new();
    let cpu = Cpu::of(a.pid)?;
    let begun = now();
    let end = begun + Duration::from_secs(a.seconds);
    let mut ready: Vec<usize> = (0..a.connections).collect();
    while now() < end {
        for connection in ready.drain(..) {
            request += 1;
            let mut out = Vec::new();
            protocol.echo(request, &mut out);
            sent[connection] = nanos();
            engine.send(connection, &out)?;
        }
        engine.turn(protocol, &mut |connection, message| {
            if matches!(message, Message::Done { .. }) {
                trips += 1;
                latencies.push(nanos() - sent[connection]);
                ready.push(connection);
            }
            Ok(())
        })?;
    }
    let took = now() - begun;
    let cpu = Cpu::of(a.pid)?.since(cpu);
    latencies.sort_unstable();
    println!(
        "exec: {:.0} trips/s, cpu {:.2} us each, load {:.0} %, user {:.0} %, p50 {:.1} us, p99 {:.1} us",
        trips as f64 / took.as_secs_f64(),
        cpu.total.as_secs_f64() * 1e6 / trips as f64,
        cpu.total.as_secs_f64() / took.as_secs_f64() * 100.0,
        cpu.user_share() * 100.0,
        latencies[latencies.len() / 2] as f64 / 1e3,
        latencies[latencies.len() * 99 / 100] as f64 / 1e3,
    );
    Ok(())
}
