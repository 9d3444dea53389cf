//! Who comes in by a key that PlaceOS knows, and for how long, with a PlaceOS that says what a test tells it to.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::time::advance;

use super::*;
use crate::core::outlet::{Delivery, Outlet};
use crate::core::tests::doubles::{EchoStore, FORMS, Inbox, clock};
use crate::model::{Clearance, JsonText};
use crate::peers::PeerError;

#[tokio::test(start_paused = true)]
async fn a_key_that_placeos_knows_opens_with_its_owners_rights() {
    let bench = Bench::new();
    bench.placeos.say(Says::Level(1));
    let caller = bench.enter("a.b").await.unwrap();
    assert_eq!(caller.clearance(), Clearance::Support);
    assert_eq!(caller.user().unwrap().id.as_str(), "user-1");
    assert_eq!(caller.credential().to_string(), "a");
    assert!(bench.introspection.still_admits(&caller));
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_clients_with_one_key_is_one_question() {
    let bench = Bench::new();
    join_all((0..100).map(|_| bench.enter("a.b"))).await;
    assert_eq!(bench.placeos.asked(), 1);
    bench.enter("a.c").await.unwrap();
    assert_eq!(bench.placeos.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_placeos_refuses_opens_nothing() {
    let bench = Bench::new();
    bench.placeos.say(Says::No);
    let failure = bench.enter("a.b").await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::UnknownKey);
    bench.placeos.say(Says::Level(0));
    assert!(bench.enter("a.b").await.is_err(), "believed for a while");
    advance(INTROSPECTED_FRESH).await;
    assert!(bench.enter("a.b").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn nobody_new_comes_in_while_placeos_is_away_and_who_is_in_stays() {
    let bench = Bench::new();
    let caller = bench.enter("a.b").await.unwrap();
    bench.placeos.say(Says::Nothing);
    let failure = bench.enter("x.y").await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Unavailable);
    bench.look_again().await;
    assert!(bench.introspection.still_admits(&caller));
    assert!(bench.closed().is_empty());
    let failure = bench.enter("a.b").await.unwrap_err();
    assert_eq!(
        failure.kind(),
        FailureKind::Unavailable,
        "it was good before, which PlaceOS may have changed"
    );
    bench.placeos.say(Says::Level(0));
    bench.look_again().await;
    bench.enter("a.b").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_revoked_or_lowered_closes_its_connections() {
    for then in [Says::No, Says::Level(0)] {
        let bench = Bench::new();
        bench.placeos.say(Says::Level(2));
        let caller = bench.enter("a.b").await.unwrap();
        bench.look_again().await;
        assert!(bench.closed().is_empty());
        bench.placeos.say(then);
        bench.look_again().await;
        assert_eq!(bench.closed(), ["a"]);
        assert!(!bench.introspection.still_admits(&caller));
    }
}

#[tokio::test(start_paused = true)]
async fn other_groups_and_a_higher_level_hold_without_closing_a_connection() {
    let bench = Bench::new();
    let mut caller = bench.enter("a.b").await.unwrap();
    for (says, groups, level) in [
        (
            Says::Groups(r#"["staff"]"#),
            &["staff"][..],
            Clearance::User,
        ),
        (Says::Groups("[]"), &[], Clearance::User),
        (Says::Level(1), &[], Clearance::Support),
    ] {
        bench.placeos.say(says);
        bench.look_again().await;
        assert!(bench.closed().is_empty());
        assert!(bench.introspection.still_admits(&caller));
        caller = bench.introspection.renewed(&caller).unwrap();
        assert_eq!(caller.user().unwrap().groups, groups);
        assert_eq!(caller.clearance(), level);
        assert!(bench.introspection.renewed(&caller).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_looked_at_while_only_who_came_in_before_a_change_is_connected() {
    let bench = Bench::new();
    let _caller = bench.enter("a.b").await.unwrap();
    for groups in [r#"["staff"]"#, r#"["others"]"#] {
        bench.placeos.say(Says::Groups(groups));
        bench.look_again().await;
    }
    bench.placeos.say(Says::No);
    bench.look_again().await;
    assert_eq!(bench.closed(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_nobody_is_connected_with_is_not_asked_about_again() {
    let bench = Bench::new();
    drop(bench.enter("a.b").await.unwrap());
    bench.look_again().await;
    assert_eq!(bench.placeos.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_is_bounded() {
    let bench = Bench::new();
    let kept = bench.enter("kept.x").await.unwrap();
    drop(bench.enter("back-soon.x").await.unwrap());
    bench.placeos.say(Says::No);
    for guess in 0..2 * INTROSPECTED_KNOWN_MAX {
        let _ = bench.enter(&format!("{guess}.x")).await;
    }
    assert!(bench.introspection.state().known.len() <= INTROSPECTED_KNOWN_MAX);
    assert!(bench.introspection.still_admits(&kept));
    let idle = Fingerprint::of(&Secret::new("back-soon.x"));
    let state = bench.introspection.state();
    assert!(state.known.get(&idle).is_some_and(Known::is_good));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_guesses_does_not_delay_the_look_at_keys_in_use() {
    let bench = Bench::new();
    bench.placeos.say(Says::Level(2));
    let caller = bench.enter("a.b").await.unwrap();
    // PlaceOS takes its time for each of them.
    bench.placeos.take(Duration::from_secs(4));
    let guesses: Vec<Secret> = (0..20_000)
        .map(|guess| Secret::new(format!("{guess}.x")))
        .collect();
    let flood = join_all(guesses.iter().map(|key| bench.introspection.recognise(key)));
    let began = Instant::now();
    let found = async {
        loop {
            bench.placeos.say(Says::No);
            tokio::time::sleep(Duration::from_millis(100)).await;
            bench.placeos.take(Duration::ZERO);
            if !bench.introspection.still_admits(&caller) {
                return;
            }
        }
    };
    tokio::select! {
        () = found => {}
        () = bench.introspection.keep() => {}
        never = async { flood.await; std::future::pending::<()>().await } => never,
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(bench.closed(), ["a"]);
    assert!(bench.introspection.state().asking.len() <= STRANGERS_ASKED_MAX + 1);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_beyond_the_queue_is_told_so_at_once_and_none_waits_for_long() {
    let bench = Bench::new();
    bench.placeos.take(Duration::from_secs(60));
    let entering = |guess: usize| {
        let bench = &bench;
        async move {
            let began = Instant::now();
            let failure = bench.enter(&format!("{guess}.x")).await.err();
            (failure.map(|failure| failure.kind()), began.elapsed())
        }
    };
    let all = 2 * STRANGERS_ASKED_MAX;
    let entered = join_all((0..all).map(entering)).await;
    let refused = entered
        .iter()
        .filter(|(kind, _)| *kind == Some(FailureKind::Unavailable));
    assert_eq!(refused.count(), all - STRANGERS_ASKED_AT_ONCE);
    let at_once = entered.iter().filter(|(_, took)| took.is_zero());
    assert_eq!(at_once.count(), all - STRANGERS_ASKED_MAX);
    let waited = entered.iter().map(|(_, took)| *took).max();
    assert!(waited <= Some(Duration::from_secs(61)), "{waited:?}");
    assert!(bench.introspection.state().asking.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_slow_answer_does_not_delay_the_look_at_other_keys() {
    let bench = Bench::new();
    let _slow = bench.enter("slow.b").await.unwrap();
    let caller = bench.enter("a.b").await.unwrap();
    let look = INTROSPECTED_FRESH + 2 * INTROSPECTED_CHECK;
    let later = async {
        tokio::time::sleep(look).await;
        bench.placeos.say(Says::No);
        tokio::time::sleep(look).await;
    };
    // The first look goes on, and has no answer about one of the keys.
    tokio::select! {
        () = bench.introspection.keep() => {}
        () = later => {}
    }
    assert!(!bench.introspection.still_admits(&caller));
    assert_eq!(bench.closed(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_key_is_not_asked_about() {
    let bench = Bench::new();
    bench
        .introspection
        .recognise(&Secret::new("nonsense"))
        .await;
    assert_eq!(bench.placeos.asked(), 0);
}

#[derive(Clone, Copy)]
enum Says {
    /// The key is that of a user with this `p`.
    Level(u8),
    /// The key is that of a user in these groups.
    Groups(&'static str),
    No,
    Nothing,
}

/// A double for the API of a PlaceOS.
struct PlaceOs {
    says: Mutex<Says>,
    /// How long an answer takes.
    takes: Mutex<Duration>,
    asked: AtomicUsize,
}

impl PlaceOs {
    fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn take(&self, time: Duration) {
        *self.takes.lock().unwrap() = time;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl KeyInspector for PlaceOs {
    fn inspect(&self, key: &Secret) -> BoxFuture<'static, Result<Option<JsonText>, PeerError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let says = *self.says.lock().unwrap();
        let takes = *self.takes.lock().unwrap();
        let is_again = self.asked() > 2;
        let takes = match key.expose() {
            "slow.b" if is_again => Duration::from_secs(3_600),
            _ => takes,
        };
        Box::pin(async move {
            // Not at once, so that others ask meanwhile.
            tokio::task::yield_now().await;
            if !takes.is_zero() {
                tokio::time::sleep(takes).await;
            }
            match says {
                Says::No => Ok(None),
                Says::Nothing => Err(PeerError::TimedOut),
                Says::Level(level) => Ok(Some(payload(level, "[]"))),
                Says::Groups(groups) => Ok(Some(payload(0, groups))),
            }
        })
    }
}

fn payload(level: u8, groups: &str) -> JsonText {
    let payload = format!(
        r#"{{"iss":"POS","exp":1,"aud":"rooms.test","sub":"user-1","scope":["public"],"u":{{"n":"Ann","e":"a@rooms.test","p":{level},"r":{groups}}}}}"#
    );
    JsonText::parse(&payload).unwrap()
}

struct Bench {
    introspection: KeyIntrospection,
    placeos: Arc<PlaceOs>,
    inbox: Arc<Inbox>,
}

impl Bench {
    fn new() -> Self {
        let subscriptions = Subscriptions::new(clock(), |feed| Arc::new(EchoStore::new(feed)));
        let inbox = Inbox::new();
        subscriptions.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
        let placeos = Arc::new(PlaceOs {
            says: Mutex::new(Says::Level(0)),
            takes: Mutex::new(Duration::ZERO),
            asked: AtomicUsize::new(0),
        });
        let inspector = Arc::clone(&placeos) as Arc<dyn KeyInspector>;
        Self {
            introspection: KeyIntrospection::new(Some(inspector), FORMS, subscriptions),
            placeos,
            inbox,
        }
    }

    /// What a door does.
    async fn enter(&self, key: &str) -> Result<Arc<Principal>, Failure> {
        let key = Secret::new(key);
        self.introspection.recognise(&key).await;
        self.introspection.find(&key).expect("a PlaceOS is named")
    }

    /// Lets the keeper look when the answers are no longer fresh.
    async fn look_again(&self) {
        let long = INTROSPECTED_FRESH + 2 * INTROSPECTED_CHECK;
        // The keeper never ends by itself.
        let _ = tokio::time::timeout(long, self.introspection.keep()).await;
    }

    /// The credentials whose connections were ordered to close since the last look.
    fn closed(&self) -> Vec<String> {
        let audience = |delivery| match delivery {
            Delivery::Close {
                audience: Audience::Credential(id),
                why: CloseReason::CredentialsRevoked,
            } => id.to_string(),
            other @ (Delivery::Event { .. } | Delivery::Reply { .. } | Delivery::Close { .. }) => {
                panic!("not such an order: {other:?}")
            }
        };
        self.inbox.take().into_iter().map(audience).collect()
    }
}
