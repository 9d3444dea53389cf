//! Calls of other nodes begin in the order in which they were made there, although each comes by a connection of its own.
//!
//! A call says its stream, its number in it, and the lowest number that was under way when it was sent.
//! It waits for those between the two that have not begun yet, but not for long: one may have been lost on the way.
//! A call that has begun delays no other, however long it takes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::model::lock;
use crate::server::limits::{
    ORDER_GAP_PATIENCE, ORDER_KEPT, ORDER_PATIENCE, ORDER_STREAMS_MAX, ORDER_WIDTH_MAX,
};

/// A call's position in its stream, as its header says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) struct StreamPosition {
    stream: Uuid,
    number: u64,
    lowest: u64,
}

impl StreamPosition {
    /// Reads `<stream>/<number>/<lowest>`. What says something else says nothing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let place = Self {
            stream: Uuid::try_parse(parts.next()?).ok()?,
            number: parts.next()?.parse().ok()?,
            lowest: parts.next()?.parse().ok()?,
        };
        let width = place.number.checked_sub(place.lowest)?;
        (parts.next().is_none() && width <= ORDER_WIDTH_MAX).then_some(place)
    }
}

/// The streams of all other nodes.
#[derive(Debug, Default)]
pub(in crate::server) struct Orders(Mutex<Streams>);

#[derive(Debug, Default)]
struct Streams {
    all: HashMap<Uuid, Stream>,
    /// How many there may be before unused ones are looked for.
    roomy: usize,
}

#[derive(Debug)]
struct Stream {
    /// All numbers below have begun, or are no longer waited for.
    next: u64,
    /// Those that have begun out of their turn.
    begun: BTreeSet<u64>,
    waiting: BTreeMap<u64, oneshot::Sender<()>>,
    touched: Instant,
}

/// A call's turn to begin; the next one's comes when it is dropped.
#[derive(Debug)]
#[must_use = "the call has to begin before its turn is over"]
pub(super) struct Turn<'o> {
    orders: &'o Orders,
    place: StreamPosition,
}

impl Orders {
    /// Waits for a call's turn.
    pub(super) async fn turn(&self, place: StreamPosition) -> Turn<'_> {
        let mut patience = ORDER_PATIENCE;
        let waiting = self.enter(place);
        // From here on, so that a caller who leaves while it waits lets the next one pass.
        let turn = Turn {
            orders: self,
            place,
        };
        if let Some(mut told) = waiting {
            while timeout(patience, &mut told).await.is_err() {
                self.with(place.stream, Stream::give_up);
                patience = ORDER_GAP_PATIENCE;
            }
        }
        turn
    }

    /// What to wait for; `None` when it is the call's turn already.
    fn enter(&self, place: StreamPosition) -> Option<oneshot::Receiver<()>> {
        let mut streams = self.streams();
        streams.make_room();
        if streams.all.len() >= ORDER_STREAMS_MAX && !streams.all.contains_key(&place.stream) {
            return None;
        }
        let stream = streams.all.entry(place.stream).or_insert_with(|| Stream {
            next: place.lowest,
            begun: BTreeSet::new(),
            waiting: BTreeMap::new(),
            touched: Instant::now(),
        });
        stream.touched = Instant::now();
        stream.pass_to(place.lowest);
        if stream.next >= place.number {
            return None;
        }
        let (tell, told) = oneshot::channel();
        stream.waiting.insert(place.number, tell);
        Some(told)
    }

    fn with(&self, stream: Uuid, act: impl FnOnce(&mut Stream)) {
        if let Some(stream) = self.streams().all.get_mut(&stream) {
            act(stream);
        }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        lock(&self.0)
    }
}

impl Streams {
    /// Forgets streams that have been silent, each time that there are twice as many as were left.
    fn make_room(&mut self) {
        const FEW: usize = 64;
        if self.all.len() < self.roomy.max(FEW) {
            return;
        }
        let is_silent =
            |stream: &Stream| stream.waiting.is_empty() && stream.touched.elapsed() > ORDER_KEPT;
        self.all.retain(|_, stream| !is_silent(stream));
        self.roomy = 2 * self.all.len();
    }
}

impl Stream {
    /// Numbers below this one are no longer waited for.
    fn pass_to(&mut self, number: u64) {
        self.next = self.next.max(number);
        while self.begun.remove(&self.next) {
            self.next += 1;
        }
        self.begun = self.begun.split_off(&self.next);
        if let Some(first) = self.waiting.first_entry()
            && *first.key() <= self.next
        {
            // Who has left meanwhile passes its turn on by itself.
            let _ = first.remove().send(());
        }
    }

    /// A call has begun, or never will.
    fn begin(&mut self, number: u64) {
        self.waiting.remove(&number);
        if number >= self.next {
            self.begun.insert(number);
        }
        self.pass_to(self.next);
    }

    /// What is missing before the first that waits is waited for no longer.
    fn give_up(&mut self) {
        if let Some(&first) = self.waiting.keys().next() {
            self.pass_to(first);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.orders
            .with(self.place.stream, |stream| stream.begin(self.place.number));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::task::JoinSet;
    use tokio::time::sleep;

    use super::*;

    fn place(number: u64, lowest: u64) -> StreamPosition {
        StreamPosition {
            stream: Uuid::from_u128(7),
            number,
            lowest,
        }
    }

    /// Calls that come in this order, a millisecond apart, and the order in which they begin, with how long each waited.
    async fn begun(calls: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let orders = Arc::new(Orders::default());
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for &(number, lowest) in calls {
            let (orders, log) = (Arc::clone(&orders), Arc::clone(&log));
            let came = Instant::now();
            tasks.spawn(async move {
                let turn = orders.turn(place(number, lowest)).await;
                let waited = u64::try_from(came.elapsed().as_millis()).unwrap();
                log.lock().unwrap().push((number, waited));
                drop(turn);
            });
            sleep(Duration::from_millis(1)).await;
        }
        tasks.join_all().await;
        Arc::into_inner(log).unwrap().into_inner().unwrap()
    }

    async fn order(calls: &[(u64, u64)]) -> Vec<u64> {
        let begun = begun(calls).await;
        begun.into_iter().map(|(number, _)| number).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_begin_in_the_order_of_their_numbers_however_they_come() {
        assert_eq!(order(&[(0, 0), (1, 0), (2, 0)]).await, [0, 1, 2]);
        assert_eq!(order(&[(2, 0), (3, 0), (1, 0), (0, 0)]).await, [0, 1, 2, 3]);
        let waits = begun(&[(1, 0), (0, 0)]).await;
        assert!(waits.iter().all(|(_, waited)| *waited < 10), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_alone_waits_for_nobody_whatever_its_number() {
        assert_eq!(begun(&[(700, 700)]).await, [(700, 0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_never_comes_is_waited_for_once_and_not_for_long() {
        let begun = begun(&[(0, 0), (3, 0), (2, 0), (5, 0)]).await;
        let numbers: Vec<u64> = begun.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [0, 2, 3, 5]);
        let longest = begun.iter().map(|(_, waited)| *waited).max().unwrap();
        assert!((900..1_300).contains(&longest), "{begun:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_predecessors_are_over_says_so_and_lets_those_that_wait_pass() {
        let begun = begun(&[(2, 0), (3, 2)]).await;
        assert_eq!(begun.len(), 2);
        assert!(begun.iter().all(|(_, waited)| *waited < 10), "{begun:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_leaves_while_it_waits_is_waited_for_by_nobody() {
        let orders = Orders::default();
        let left = orders.turn(place(1, 0));
        assert!(timeout(Duration::from_millis(5), left).await.is_err());
        let began = Instant::now();
        drop(orders.turn(place(0, 0)).await);
        drop(orders.turn(place(2, 0)).await);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn streams_that_are_silent_are_forgotten() {
        let orders = Orders::default();
        for stream in 0..1_000 {
            let place = StreamPosition {
                stream: Uuid::from_u128(stream),
                ..place(0, 0)
            };
            drop(orders.turn(place).await);
            sleep(ORDER_KEPT / 50).await;
        }
        assert!(orders.streams().all.len() < 200);
    }

    #[test]
    fn what_is_no_place_says_nothing() {
        let stream = Uuid::from_u128(7);
        assert_eq!(
            StreamPosition::parse(&format!("{}/5/3", stream.simple())),
            Some(place(5, 3))
        );
        for text in [
            "",
            "x/1/1",
            "7",
            &format!("{stream}/3/5"),
            &format!("{stream}/5"),
            &format!("{stream}/5/5/5"),
            &format!("{stream}/99999999/0"),
        ] {
            assert_eq!(StreamPosition::parse(text), None, "{text}");
        }
    }
}
