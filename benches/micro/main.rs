//! What single steps of the hot paths cost: reading and writing frames, fan-out, the watch table, a call, a key, an edit, a condition and an expression.
//!
//! `cargo xtask bench` runs them all. No socket and no Redis is involved; what those cost is for `benches/load` to say.
//! Each bench goes through the gateway's own interface, or through `server::bench` where that has no door.

mod automation;
mod campus;
mod house;

use std::time::Duration;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, Divan};

/// How long each is measured at least, so that a median does not hang on a few hundred runs. `--min-time` says otherwise.
const MIN_TIME: Duration = Duration::from_millis(200);

fn main() {
    Divan::default()
        .min_time(MIN_TIME)
        .config_with_args()
        .main();
}

/// From a client's bytes to what it asks.
mod decode {
    use riser::server::bench::Frames;

    use super::*;
    use crate::house::{BIND, PING, exec};

    #[divan::bench]
    fn ping(bencher: Bencher<'_, '_>) {
        text(bencher, PING);
    }

    #[divan::bench]
    fn bind(bencher: Bencher<'_, '_>) {
        text(bencher, BIND);
    }

    #[divan::bench]
    fn exec_with_small_arguments(bencher: Bencher<'_, '_>) {
        text(bencher, &exec("[true]"));
    }

    #[divan::bench]
    fn exec_with_4_kib_of_arguments(bencher: Bencher<'_, '_>) {
        text(bencher, &exec(&format!("[{}]", house::json(4096))));
    }

    fn text(bencher: Bencher<'_, '_>, text: &str) {
        let mut messages = Vec::with_capacity(4096);
        bencher
            .counter(BytesCount::new(text.len()))
            .with_inputs(|| (house::session(), Vec::with_capacity(1)))
            .bench_local_refs(|(session, steps)| {
                messages.clear();
                house::receive(session, text, &mut messages, steps);
            });
    }

    /// Finding a frame's ends, unmasking it, and checking that it is text.
    #[divan::bench(args = [100, 4096])]
    fn frame_of_bytes(bencher: Bencher<'_, '_>, bytes: usize) {
        let frame = house::masked_frame(bytes);
        let mut frames = Frames::new(1 << 20);
        bencher
            .counter(BytesCount::new(bytes))
            .with_inputs(|| frame.clone())
            .bench_local_refs(|frame| {
                let read = frames.read(frame).expect("it is a good frame");
                assert_eq!(read, bytes);
            });
    }
}

/// From what the core says to the text of a frame.
mod encode {
    use std::sync::Arc;

    use riser::dialects::placeos::ValueForm;
    use riser::dialects::{Encoded, Form, Session, Step, encode};
    use riser::model::{
        Cause, Event, Failure, FailureKind, JsonText, LogLevel, LogLine, ModuleId, Newest, Reply,
        Revision, Ticket, Timestamp,
    };

    use super::*;
    use crate::house::{BIND, exec};

    #[divan::bench(args = [100, 4096])]
    fn notify_raw_of_bytes(bencher: Bencher<'_, '_>, bytes: usize) {
        event(bencher, ValueForm::Raw, &notify(bytes));
    }

    #[divan::bench(args = [100, 4096])]
    fn notify_text_of_bytes(bencher: Bencher<'_, '_>, bytes: usize) {
        event(bencher, ValueForm::Text, &notify(bytes));
    }

    #[divan::bench]
    fn debug_line(bencher: Bencher<'_, '_>) {
        let line = LogLine {
            module: ModuleId::new("mod-1").expect("it is an id"),
            driver: Arc::from("virtual"),
            level: LogLevel::Info,
            message: "the lamp of \"Display 1\" has 1200 hours left".to_owned(),
        };
        event(bencher, ValueForm::Raw, &Event::Line(Arc::new(line)));
    }

    #[divan::bench]
    fn success_of_bind(bencher: Bencher<'_, '_>) {
        reply(
            bencher,
            BIND,
            &Ok(Reply::Following {
                snapshot: Vec::new(),
            }),
        );
    }

    #[divan::bench]
    fn success_of_exec(bencher: Bencher<'_, '_>) {
        let value = JsonText::boolean(true);
        reply(
            bencher,
            &exec("[true]"),
            &Ok(Reply::Result { value, code: 200 }),
        );
    }

    #[divan::bench]
    fn error(bencher: Bencher<'_, '_>) {
        let kind = FailureKind::ModuleNotFound;
        let failure = || Failure::new(kind, "could not find module");
        answer(bencher, BIND, || Err(failure()));
    }

    fn notify(bytes: usize) -> Event {
        Event::Value {
            path: Arc::new(house::path(1)),
            value: Some(house::value(bytes)),
            old: None,
            at: Timestamp(0),
            cause: Cause::Module,
            revision: Revision(1),
        }
    }

    /// Once for all who follow it; what is spliced in for each of them is part of fan-out.
    fn event(bencher: Bencher<'_, '_>, form: ValueForm, event: &Event) {
        let mut out = Encoded::default();
        bencher.bench_local(|| {
            encode(
                Form::PlaceOs(form),
                event,
                &Newest::None,
                &house::SURROUNDINGS,
                &mut out,
            );
            out.len()
        });
    }

    fn reply(bencher: Bencher<'_, '_>, request: &str, reply: &Result<Reply, ()>) {
        let reply = reply.as_ref().expect("errors are made afresh").clone();
        answer(bencher, request, || Ok(reply.clone()));
    }

    /// One answer to one open request.
    fn answer(
        bencher: Bencher<'_, '_>,
        request: &str,
        answer: impl Fn() -> Result<Reply, Failure>,
    ) {
        let mut out = Vec::with_capacity(4096);
        bencher
            .with_inputs(|| {
                let (session, ticket) = asked(request);
                (session, ticket, answer())
            })
            .bench_local_values(|(mut session, ticket, answer)| {
                out.clear();
                house::speak(&mut out, &mut Vec::new(), |out| {
                    session.reply(ticket, answer, &house::ambient(), out);
                });
                assert!(!out.is_empty());
                session
            });
    }

    fn asked(request: &str) -> (Session, Ticket) {
        let (mut session, mut steps) = (house::session(), Vec::new());
        house::receive(&mut session, request, &mut Vec::new(), &mut steps);
        match steps.pop() {
            Some(Step::Request { ticket, .. }) => (session, ticket),
            step => panic!("not a request: {step:?}"),
        }
    }
}

/// From a module's change to the bytes of every client that follows it, on one worker.
mod fan_out {
    use riser::server::bench::Clients;

    use super::*;
    use crate::house::{House, bind};

    /// One change, every client with the same id.
    #[divan::bench(args = [1, 1_000, 100_000])]
    fn to_clients(bencher: Bencher<'_, '_>, clients: usize) {
        rounds(bencher, clients, 1, |_| bind(1, 1));
    }

    /// One change, every client with an id of its own.
    #[divan::bench(args = [1_000, 100_000])]
    fn to_clients_with_own_ids(bencher: Bencher<'_, '_>, clients: usize) {
        rounds(bencher, clients, 1, |client| bind(client, 1));
    }

    /// 32 changes in one round.
    #[divan::bench(args = [1_000])]
    fn of_32_changes_to_clients(bencher: Bencher<'_, '_>, clients: usize) {
        rounds(bencher, clients, 32, |_| bind(1, 1));
    }

    fn rounds(
        bencher: Bencher<'_, '_>,
        count: usize,
        changes: usize,
        request: impl Fn(usize) -> String,
    ) {
        let house = House::with_modules(1);
        house.publish(&[house::change(1, 100)]);
        let clients = Clients::new(house.core(), &house.caller(), house::HELLO, count);
        clients.say(request);
        clients.round();
        let changes = vec![house::change(1, 100); changes];
        let round = || {
            house.publish(&changes);
            let written = clients.round();
            assert!(written > 100 * count * changes.len(), "somebody got less");
        };
        bencher
            .counter(ItemsCount::new(count * changes.len()))
            .bench_local(round);
    }
}

/// The table that knows who follows what.
mod watch_table {
    use std::collections::VecDeque;
    use std::sync::Arc;

    use riser::model::Subject;
    use riser::server::bench::Clients;

    use super::*;
    use crate::house::{House, Nowhere, bind, unbind};

    const WATCHES: u32 = 10_000;

    /// The oldest of many watches goes and comes back, with its value.
    #[divan::bench]
    fn unwatch_and_watch_among_10_000(bencher: Bencher<'_, '_>) {
        let house = House::with_modules(WATCHES);
        house.publish_everywhere();
        let core = house.core();
        let outlet = core.follows.attach(Arc::new(Nowhere));
        let mut watches: VecDeque<_> = (1..=WATCHES)
            .map(|module| {
                let subject = Subject::Status(Arc::new(house::path(module)));
                (core.follows.watch(outlet, subject.clone()), subject)
            })
            .collect();
        bencher.bench_local(|| {
            let (watch, subject) = watches.pop_front().expect("there are many");
            core.follows.unwatch(outlet, watch);
            watches.push_back((core.follows.watch(outlet, subject.clone()), subject));
        });
    }

    /// The same as a client does it: two requests, two answers and a value, in one round.
    #[divan::bench]
    fn unbind_and_bind_of_a_client_among_10_000(bencher: Bencher<'_, '_>) {
        let house = House::with_modules(WATCHES);
        house.publish_everywhere();
        let clients = Clients::new(house.core(), &house.caller(), house::HELLO, 1);
        for module in 1..=WATCHES {
            clients.say(|_| bind(1, module));
        }
        clients.round();
        let mut module = 0;
        bencher
            .with_inputs(|| {
                module = module % WATCHES + 1;
                (unbind(1, module), bind(1, module))
            })
            .bench_local_values(|(unbind, bind)| {
                clients.say(|_| unbind.clone());
                clients.say(|_| bind.clone());
                assert!(clients.round() > 0);
            });
    }

    /// All slots of a system get other modules, each of which says something else to somebody.
    #[divan::bench]
    fn remap_of_1_000_modules(bencher: Bencher<'_, '_>) {
        const MODULES: u32 = 1_000;
        let house = House::with_modules(MODULES);
        house.publish_everywhere();
        let core = house.core();
        let outlet = core.follows.attach(Arc::new(Nowhere));
        for module in 1..=MODULES {
            core.follows
                .watch(outlet, Subject::Status(Arc::new(house::path(module))));
        }
        let mut turned = false;
        bencher
            .counter(ItemsCount::new(MODULES))
            .with_inputs(|| {
                turned = !turned;
                house::slots(MODULES, turned)
            })
            .bench_local_values(|slots| house.map(slots));
    }
}

/// A call and its answer, with the two hops between threads.
mod mailbox {
    use super::*;
    use crate::house::House;

    #[divan::bench]
    fn echo(bencher: Bencher<'_, '_>) {
        calls(bencher, 1);
    }

    /// As many calls as a round of a busy worker brings, and one wake.
    #[divan::bench]
    fn echo_64_at_once(bencher: Bencher<'_, '_>) {
        calls(bencher, 64);
    }

    fn calls(bencher: Bencher<'_, '_>, count: usize) {
        let house = House::with_modules(1);
        let mut line = house.line();
        bencher
            .counter(ItemsCount::new(count))
            .with_inputs(|| vec![house::echo(); count])
            .bench_local_values(|calls| line.call(calls));
    }
}

/// Who is at the door.
mod authentication {
    use std::net::{IpAddr, Ipv4Addr};
    use std::slice;

    use riser::model::{Credentials, Secret};

    use super::*;
    use crate::house::{House, KEY};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[divan::bench]
    fn of_a_key(bencher: Bencher<'_, '_>) {
        let house = House::with_modules(1);
        let key = Credentials::ApiKey(Secret::new(KEY));
        bencher.bench_local(|| {
            house
                .core()
                .access
                .authenticate(slice::from_ref(&key), HERE)
                .expect("it is good")
        });
    }

    #[divan::bench]
    fn of_an_unknown_key(bencher: Bencher<'_, '_>) {
        let house = House::with_modules(1);
        let key = Credentials::ApiKey(Secret::new("nobody.secret"));
        bencher.bench_local(|| {
            house
                .core()
                .access
                .authenticate(slice::from_ref(&key), HERE)
                .expect_err("it is not")
        });
    }
}

/// One edit of a building of a thousand rooms with eight modules each, until everything that follows from it has begun.
mod edit {
    use super::*;
    use crate::campus::Campus;

    #[divan::bench]
    fn of_a_zone(bencher: Bencher<'_, '_>) {
        edits(bencher, |campus| campus.edit_zone());
    }

    #[divan::bench]
    fn of_a_room(bencher: Bencher<'_, '_>) {
        edits(bencher, |campus| campus.edit_room());
    }

    #[divan::bench]
    fn of_a_user(bencher: Bencher<'_, '_>) {
        edits(bencher, |campus| campus.edit_user());
    }

    fn edits(bencher: Bencher<'_, '_>, edit: impl Fn(&mut Campus)) {
        let mut campus = Campus::new();
        bencher.bench_local(|| edit(&mut campus));
    }
}
