//! Random dips, looks and waits against the plainest model of a trigger.

use proptest::prelude::*;

use super::*;

/// Something that happens so many milliseconds after what was before.
#[derive(Debug, Clone)]
struct Op {
    after: u32,
    place: usize,
    holds: bool,
    look: Look,
}

fn op() -> impl Strategy<Value = Op> {
    let look = prop_oneof![1 => Just(Look::First), 6 => Just(Look::Change)];
    (0..6u32, 0..2usize, any::<bool>(), look).prop_map(|(after, place, holds, look)| Op {
        after,
        place,
        holds,
        look,
    })
}

/// The plainest model of two conditions: since when each holds, looked at each millisecond.
#[derive(Default)]
struct Model {
    /// Not seen, or since when it holds; nothing is since before the beginning.
    since: [Option<Option<Option<u32>>>; 2],
    level: Option<bool>,
}

const FOR_MS: [u32; 2] = [0, 7];

impl Model {
    fn all(&self, now: u32) -> Option<bool> {
        let mut all = true;
        for (since, lasts) in self.since.iter().zip(FOR_MS) {
            all &= match (*since)? {
                None => false,
                Some(None) => true,
                Some(Some(since)) => now >= since + lasts,
            };
        }
        Some(all)
    }

    fn rise(&mut self, now: u32, look: Look) -> bool {
        let all = self.all(now);
        let before = std::mem::replace(&mut self.level, all);
        look == Look::Change && before == Some(false) && self.level == Some(true)
    }

    fn value(&mut self, op: &Op, now: u32) -> bool {
        let known = self.since[op.place];
        let look = if known.is_none() {
            Look::First
        } else {
            op.look
        };
        self.since[op.place] = Some(match (op.holds, known, look) {
            (false, _, _) => None,
            (true, Some(Some(since)), _) => Some(since),
            (true, _, Look::First) => Some(None),
            (true, _, Look::Change) => Some(Some(now)),
        });
        self.rise(now, look)
    }
}

const TWO: &str = r#"[{"status":"a/B_1/c","is":"==","than":true},
    {"status":"a/B_1/d","is":"==","than":true,"for":"7ms"}]"#;

/// When it fires, where it is woken only when it wants to be.
fn driven(ops: &[Op]) -> Vec<u32> {
    let mut edges = edges(TWO, Duration::ZERO);
    let (mut now, mut firings) = (0, Vec::new());
    let wakes = |edges: &mut Edges, before: u32, firings: &mut Vec<u32>| {
        while let Some(at) = edges.wake_at().filter(|at| *at <= before * MS) {
            if edges.woken(at) == Turn::Fires {
                firings.push(u32::try_from(at.as_millis()).unwrap());
            }
        }
    };
    for op in ops {
        now += op.after;
        wakes(&mut edges, now, &mut firings);
        let value = JsonText::boolean(op.holds);
        if edges.value(op.place, Some(&value), op.look, now * MS) == Turn::Fires {
            firings.push(now);
        }
    }
    wakes(&mut edges, now + 100, &mut firings);
    firings
}

proptest! {
    #[test]
    fn it_fires_once_for_each_rising_edge_and_never_else(ops in proptest::collection::vec(op(), 0..40)) {
        let (mut model, mut now, mut expect) = (Model::default(), 0, Vec::new());
        for op in ops.iter().chain([&Op { after: 100, place: 0, holds: false, look: Look::Change }]) {
            for _ in 0..op.after {
                now += 1;
                if model.rise(now, Look::Change) {
                    expect.push(now);
                }
            }
            if model.value(op, now) {
                expect.push(now);
            }
        }
        prop_assert_eq!(driven(&ops), expect);
    }

    #[test]
    fn between_two_firings_a_condition_did_not_hold(ops in proptest::collection::vec(op(), 0..40)) {
        let mut edges = edges(TWO, Duration::ZERO);
        let (mut now, mut has_dipped) = (0, true);
        for op in &ops {
            now += op.after;
            let value = JsonText::boolean(op.holds);
            let turn = edges.value(op.place, Some(&value), op.look, now * MS);
            if turn == Turn::Fires {
                prop_assert!(has_dipped, "{now}");
                has_dipped = false;
            }
            has_dipped |= !op.holds;
        }
    }
}
