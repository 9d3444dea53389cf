//! How far what is followed has come, step by step.

use super::*;

fn key(module: &str, status: &str) -> BindingKey {
    BindingKey {
        module: ModuleId::new(module).unwrap(),
        status: StatusName::new(status).unwrap(),
    }
}

fn online() -> State {
    let mut state = State::default();
    state.begin();
    state
}

/// What is read, subscribed to and ended by the next batch.
fn batch(state: &mut State, max: usize, now: Instant) -> [Vec<String>; 3] {
    let batch = state.next_batch(max, max, now);
    let names = |key: &BindingKey| format!("{}/{}", key.module, key.status);
    let reads = batch.statuses.iter().flat_map(|(module, names)| {
        let names = names.iter();
        names.map(move |name| format!("{module}/{name}"))
    });
    [
        reads.collect(),
        batch.subscribe.iter().map(names).collect(),
        batch.unsubscribe.iter().map(names).collect(),
    ]
}

const NOTHING: [Vec<String>; 3] = [vec![], vec![], vec![]];

fn texts<const N: usize>(keys: [&str; N]) -> Vec<String> {
    keys.map(str::to_owned).to_vec()
}

#[test]
fn what_is_followed_is_subscribed_to_and_read_once() {
    let (mut state, now) = (online(), Instant::now());
    for name in ["a", "b", "a"] {
        state.follow(&key("mod-1", name));
    }
    assert_eq!(
        batch(&mut state, 1, now),
        [texts(["mod-1/a"]), texts(["mod-1/a"]), vec![]]
    );
    assert_eq!(
        batch(&mut state, 9, now),
        [texts(["mod-1/b"]), texts(["mod-1/b"]), vec![]]
    );
    assert_eq!(batch(&mut state, 9, now), NOTHING);
}

#[test]
fn a_subscription_lingers_and_whoever_comes_back_reads_again() {
    let (mut state, now) = (online(), Instant::now());
    let a = key("mod-1", "a");
    state.follow(&a);
    state.next_batch(9, 9, now);
    state.unfollow(&a, now + LINGER);
    assert_eq!(batch(&mut state, 9, now), NOTHING);
    state.follow(&a);
    assert_eq!(
        batch(&mut state, 9, now + LINGER),
        [texts(["mod-1/a"]), vec![], vec![]]
    );
    state.unfollow(&a, now + LINGER);
    assert_eq!(
        batch(&mut state, 9, now + LINGER),
        [vec![], vec![], texts(["mod-1/a"])]
    );
    assert!(state.statuses.is_empty() && state.subscribed == 0);
}

#[test]
fn who_leaves_before_the_turn_takes_no_room() {
    let (mut state, now) = (online(), Instant::now());
    for _ in 0..1_000 {
        state.follow(&key("mod-1", "a"));
        state.unfollow(&key("mod-1", "a"), now);
    }
    assert!(state.unread.is_empty() && state.lingering.is_empty());
    assert!(state.statuses.is_empty());
}

#[test]
fn what_is_published_while_it_is_read_wins_over_what_was_read() {
    let interest = Interest::default();
    let [a, b] = ["a", "b"].map(|name| key("mod-1", name));
    interest.begin();
    interest.follow(&a);
    interest.follow(&b);
    interest.next_batch(9, 9);
    assert_eq!(
        interest.published("status/mod-1/a", HeardBy::Channel),
        vec![a.clone()]
    );
    assert!(!interest.was_read(&a));
    assert!(interest.was_read(&b));
    assert_eq!(
        interest.published("status/mod-1/a", HeardBy::Channel),
        vec![a.clone()]
    );
    interest.unfollow(&a);
    assert_eq!(interest.published("status/mod-1/a", HeardBy::Channel), []);
    assert_eq!(interest.published("status/mod-1/c", HeardBy::Channel), []);
    assert_eq!(interest.published("lookup-change", HeardBy::Channel), []);
}

#[test]
fn a_read_for_who_has_left_and_come_back_is_not_told() {
    let interest = Interest::default();
    let a = key("mod-1", "a");
    interest.begin();
    interest.follow(&a);
    interest.next_batch(9, 9);
    interest.unfollow(&a);
    assert!(!interest.was_read(&a));
    interest.follow(&a);
    assert!(!interest.was_read(&a));
    assert_eq!(interest.next_batch(9, 9).reads(), 1);
    assert!(interest.was_read(&a));
}

#[test]
fn a_new_connection_reads_everything_that_is_still_wanted() {
    let (mut state, now) = (online(), Instant::now());
    let keys = ["a", "b", "c"].map(|name| key("mod-1", name));
    keys.iter().for_each(|key| state.follow(key));
    state.next_batch(2, 2, now);
    state.unfollow(&keys[0], now + LINGER);
    state.end();
    state.follow(&key("mod-1", "d"));
    state.unfollow(&keys[2], now);
    assert_eq!(batch(&mut state, 9, now + LINGER), NOTHING);
    assert_eq!(state.begin(), (0, 0, 2));
    let [mut reads, mut subscribed, ended] = batch(&mut state, 9, now);
    reads.sort();
    subscribed.sort();
    assert_eq!(reads, ["mod-1/b", "mod-1/d"]);
    assert_eq!((subscribed, ended), (reads, vec![]));
}

#[test]
fn systems_come_first_and_each_waits_once() {
    let interest = Interest::default();
    let system = SystemId::new("sys-1").unwrap();
    interest.begin();
    interest.follow(&key("mod-1", "a"));
    interest.follow_system(&system);
    interest.system_changed(&system);
    assert_eq!(interest.next_batch(1, 1).systems, vec![system.clone()]);
    interest.system_changed(&system);
    interest.unfollow_system(&system);
    interest.system_changed(&system);
    let batch = interest.next_batch(9, 9);
    assert_eq!((batch.systems.len(), batch.reads()), (0, 1));
}

#[test]
fn a_status_of_a_module_that_is_followed_whole_is_read_with_it_and_not_subscribed_to() {
    let interest = Interest::default();
    let (a, b) = (key("mod-1", "a"), key("mod-1", "b"));
    interest.begin();
    interest.follow_module(&a.module);
    interest.follow(&a);
    let batch = interest.next_batch(9, 9);
    assert_eq!(batch.listening, Some(Listening::Begin));
    assert_eq!(
        (&batch.modules, batch.reads()),
        (&vec![a.module.clone()], 1)
    );
    assert_eq!(
        interest.published("status/mod-1/c", HeardBy::Pattern).len(),
        1
    );
    let read = interest
        .module_was_read(&a.module, &HashSet::new())
        .unwrap();
    assert_eq!(read.missing, [a.status.clone()].into());
    assert_eq!(read.newer.len(), 1);
    // Followed while it is told: nobody else would tell it.
    interest.follow(&b);
    interest.module_was_told(&a.module, |name| *name != b.status);
    let batch = interest.next_batch(9, 9);
    assert_eq!(batch.statuses, [(b.module, vec![b.status])]);
    assert_eq!(batch.subscribe, []);
}

#[test]
fn a_message_that_comes_by_channel_and_by_pattern_is_passed_on_once() {
    let interest = Interest::default();
    let (a, channel) = (key("mod-1", "a"), "status/mod-1/a");
    let passes = |by| interest.published(channel, by).len();
    interest.begin();
    interest.follow(&a);
    interest.next_batch(9, 9);
    interest.was_read(&a);
    interest.follow_module(&a.module);
    assert_eq!([HeardBy::Channel, HeardBy::Pattern].map(passes), [1, 0]);
    // Who follows the module is told as long as the subscription lingers.
    interest.unfollow(&a);
    assert_eq!([HeardBy::Channel, HeardBy::Pattern].map(passes), [1, 0]);
    interest
        .state()
        .next_batch(9, 9, Instant::now() + 2 * LINGER);
    assert_eq!([HeardBy::Channel, HeardBy::Pattern].map(passes), [0, 1]);
    interest.unfollow_module(&a.module);
    assert_eq!([HeardBy::Channel, HeardBy::Pattern].map(passes), [0, 0]);
}

#[test]
fn what_is_followed_by_name_is_subscribed_to_when_its_module_is_followed_no_longer() {
    let interest = Interest::default();
    let a = key("mod-1", "a");
    interest.begin();
    interest.follow_module(&a.module);
    interest.follow(&a);
    interest.next_batch(9, 9);
    interest.module_was_read(&a.module, &HashSet::new());
    interest.module_was_told(&a.module, |_| true);
    assert!(interest.next_batch(9, 9).is_empty());
    interest.unfollow_module(&a.module);
    assert_eq!(
        interest.published("status/mod-1/a", HeardBy::Pattern).len(),
        1
    );
    let batch = interest.next_batch(9, 9);
    assert_eq!((batch.subscribe, batch.listening), (vec![a], None));
    let later = Instant::now() + 2 * LINGER;
    let batch = interest.state().next_batch(9, 9, later);
    assert_eq!(batch.listening, Some(Listening::End));
}

#[test]
fn names_with_slashes_are_told_apart_by_what_is_followed() {
    let interest = Interest::default();
    interest.begin();
    let keys = [key("a", "b/c"), key("a/b", "c"), key("a/b", "d")];
    keys.iter().for_each(|key| interest.follow(key));
    interest.next_batch(9, 9);
    assert_eq!(
        interest.published("status/a/b/c", HeardBy::Channel),
        keys[..2]
    );
}
