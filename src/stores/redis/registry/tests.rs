//! The scripts on a real server: held to the rules that a plain state machine says, and in what only a server does.

use proptest::prelude::*;
use redis::AsyncTypedCommands;
use tokio::time::sleep;

use super::*;
use crate::stores::RegistryRules;
use crate::stores::redis::testkit::{PATIENCE, TestRedis};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3_600);

const OWNERS: &str = "riser/{service_riser}/owners";

/// A run of the server that is over, and the memory that it left.
const FOREIGN_RUN: &str = "another ";
const FOREIGN_MEMORY: &str = "another 0";

fn registry(redis: &TestRedis, lease: Duration) -> RedisRegistry {
    let service = ServiceName::new("riser").unwrap();
    RedisRegistry::new(redis.link(), service, lease)
}

fn node(number: usize) -> Node {
    Node {
        id: NodeId::new(&format!("01HX{number}")).unwrap(),
        uri: NodeUri::new(&format!("http://10.0.0.{number}:3000")).unwrap(),
    }
}

fn modules(numbers: &[usize]) -> Vec<ModuleId> {
    let names = numbers.iter().map(|number| format!("mod-{number}"));
    names.map(|name| ModuleId::new(&name).unwrap()).collect()
}

fn claims(ground: ClaimGround, numbers: &[usize]) -> Vec<Claim> {
    let modules = modules(numbers).into_iter();
    modules.map(|module| Claim { module, ground }).collect()
}

fn wanted(numbers: &[usize]) -> Vec<Claim> {
    claims(ClaimGround::Wanted, numbers)
}

/// Lets the registry have remembered for long enough.
async fn ripen(redis: &TestRedis) {
    let memory: String = redis.run(&["HGET", OWNERS, ""]).await;
    let run = memory.split_once(' ').unwrap().0;
    let _: i64 = redis.run(&["HSET", OWNERS, "", &format!("{run} 0")]).await;
}

/// What happens to a registry and what it is asked.
#[derive(Debug, Clone)]
enum Step {
    Renew(usize),
    Lapse(usize),
    Leave(usize),
    Claim(usize, ClaimGround, Vec<usize>),
    Release(usize, Vec<usize>),
    Ripen,
    /// Its memory is written down, as a snapshot on disk is.
    Save,
    /// It is started again, with what was saved or with nothing.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = 0..3_usize;
    let modules = || prop::collection::vec(0..4_usize, 1..4);
    let ground = prop_oneof![Just(ClaimGround::Wanted), Just(ClaimGround::Running)];
    let step = prop_oneof![
        4 => node.clone().prop_map(Step::Renew),
        1 => node.clone().prop_map(Step::Lapse),
        1 => node.clone().prop_map(Step::Leave),
        6 => (node.clone(), ground, modules()).prop_map(|(node, ground, modules)| Step::Claim(node, ground, modules)),
        2 => (node, modules()).prop_map(|(node, modules)| Step::Release(node, modules)),
        2 => Just(Step::Ripen),
        1 => Just(Step::Save),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..40)
}

/// A real registry beside the rules.
struct Bench {
    redis: TestRedis,
    registries: Vec<RedisRegistry>,
    rules: RegistryRules,
    saved: RegistryRules,
    saved_owners: Vec<(String, String)>,
    saved_leases: Vec<String>,
}

impl Bench {
    async fn start() -> Self {
        let redis = TestRedis::start().await;
        let registries = (0..3).map(|_| registry(&redis, LONG)).collect();
        let empty = RegistryRules::new(LONG, LONG);
        Self {
            redis,
            registries,
            rules: empty.clone(),
            saved: empty,
            saved_owners: Vec::new(),
            saved_leases: Vec::new(),
        }
    }

    async fn begin(&mut self) {
        let _: String = self.redis.run(&["FLUSHALL"]).await;
        self.rules = RegistryRules::new(LONG, LONG);
        self.saved = self.rules.clone();
        self.saved_owners.clear();
        self.saved_leases.clear();
    }

    async fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Renew(at) => {
                self.registries[*at].renew(&node(*at)).await.unwrap();
                self.rules.renew(&node(*at));
            }
            Step::Lapse(at) => {
                let lease = format!("{{service_riser}}.{}", node(*at).id);
                let _: i64 = self.redis.run(&["DEL", &lease]).await;
                self.rules.lapse(&node(*at).id);
            }
            Step::Leave(at) => {
                self.registries[*at].leave(&node(*at).id).await.unwrap();
                self.rules.leave(&node(*at).id);
            }
            Step::Claim(at, ground, numbers) => {
                let (id, claims) = (node(*at).id, claims(*ground, numbers));
                let verdicts = self.registries[*at].claim(&id, claims.clone()).await;
                prop_assert_eq!(verdicts.ok(), self.rules.claim(&id, &claims).ok());
            }
            Step::Release(at, numbers) => {
                let (id, modules) = (node(*at).id, modules(numbers));
                self.rules.release(&id, &modules);
                self.registries[*at].release(&id, modules).await.unwrap();
            }
            Step::Ripen => {
                let memory: Option<String> = self.redis.run(&["HGET", OWNERS, ""]).await;
                // A registry that no node has asked since it was started remembers nothing of this run.
                if memory.is_some_and(|memory| !memory.starts_with(FOREIGN_RUN)) {
                    ripen(&self.redis).await;
                    self.rules.ripen();
                }
            }
            Step::Save => {
                self.saved = self.rules.clone();
                self.saved_owners = self.redis.run(&["HGETALL", OWNERS]).await;
                self.saved_leases = self.redis.run(&["KEYS", "{service_riser}.*"]).await;
            }
            Step::Restart => self.restart().await,
        }
        let mut listed = Vec::new();
        for registry in &self.registries {
            let nodes = registry.nodes().await.unwrap();
            // A gateway's registry, which has listed no node, sweeps none either.
            if registry.0.lists.load(Ordering::Relaxed) {
                listed.push(nodes);
            }
        }
        for nodes in listed {
            prop_assert_eq!(nodes, self.rules.nodes());
        }
        let (read, expect) = (self.registries[0].owners(None).await, self.rules.owners());
        let read = read.unwrap();
        prop_assert_eq!(read.owners, expect.owners);
        let mut living = read.living;
        living.sort_unstable();
        prop_assert_eq!(living, expect.living);
        prop_assert_eq!(read.grants_in.is_zero(), expect.grants_in.is_zero());
        Ok(())
    }

    /// The keys are as they were saved, and the server's run id is none that they know.
    async fn restart(&mut self) {
        let _: String = self.redis.run(&["FLUSHALL"]).await;
        for (module, owner) in &self.saved_owners {
            let owner = if module.is_empty() {
                FOREIGN_MEMORY
            } else {
                owner
            };
            let _: i64 = self.redis.run(&["HSET", OWNERS, module, owner]).await;
        }
        for lease in &self.saved_leases {
            let id = lease.strip_prefix("{service_riser}.").unwrap();
            let uri = (0..3)
                .map(node)
                .find(|node| node.id.as_str() == id)
                .unwrap()
                .uri;
            let _: String = self.redis.run(&["SET", lease, "{}"]).await;
            let lookup = "{service_riser}_lookup";
            let _: i64 = self.redis.run(&["HSET", lookup, lease, uri.as_str()]).await;
        }
        self.rules.restart_with(&self.saved);
    }
}

#[test]
fn the_scripts_keep_the_rules() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = std::cell::RefCell::new(runtime.block_on(Bench::start()));
    // A case asks a real Redis many times, so there are a sixth of the usual cases, however many are asked for.
    let cases = ProptestConfig::default().cases.div_ceil(6);
    proptest!(ProptestConfig::with_cases(cases), |(steps in steps())| {
        let mut bench = bench.borrow_mut();
        runtime.block_on(async {
            bench.begin().await;
            for step in &steps {
                bench.take(step).await?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    });
}

#[tokio::test]
async fn owners_are_read_again_only_when_they_have_changed() {
    let redis = TestRedis::start().await;
    let registry = registry(&redis, LONG);
    let empty = registry.owners(None).await.unwrap();
    assert_eq!(empty.owners, Some(HashMap::new()));
    assert_eq!(empty.grants_in, LONG, "no node has asked it before");

    registry.renew(&node(1)).await.unwrap();
    ripen(&redis).await;
    let id = node(1).id;
    registry.claim(&id, wanted(&[1, 2])).await.unwrap();
    let first = registry.owners(Some(empty.version)).await.unwrap();
    let both = modules(&[1, 2])
        .into_iter()
        .map(|module| (module, id.clone()));
    assert_eq!(first.owners, Some(both.collect()));
    assert_eq!(first.grants_in, Duration::ZERO);

    // A core of PlaceOS's is listed and claims nothing.
    assert!(first.strangers.is_empty());
    let lease = "{service_riser}.01HZCORE";
    let core = ["HSET", "{service_riser}_lookup", lease, "http://core:3000"];
    let _: i64 = redis.run(&core).await;
    let beside = registry.owners(Some(first.version.clone())).await.unwrap();
    assert_eq!(beside.strangers, [NodeId::new("01HZCORE").unwrap()]);

    // What a node says again of what it runs is no change.
    registry
        .claim(&id, claims(ClaimGround::Running, &[1, 2]))
        .await
        .unwrap();
    let again = registry.owners(Some(first.version.clone())).await.unwrap();
    assert_eq!((again.owners, &again.version), (None, &first.version));

    registry.release(&id, modules(&[1])).await.unwrap();
    let left = registry.owners(Some(first.version)).await.unwrap();
    let left = left.owners.unwrap();
    assert_eq!(left.into_keys().collect::<Vec<_>>(), modules(&[2]));
}

#[tokio::test]
async fn a_placeos_finds_the_node_as_a_core() {
    let redis = TestRedis::start().await;
    let service = ServiceName::new("core").unwrap();
    let registry = RedisRegistry::new(redis.link(), service, Duration::from_secs(20));
    let id = fresh_node_id();
    assert_eq!(id.as_str().len(), 26);
    let uri = NodeUri::new("http://core:3000").unwrap();
    registry
        .renew(&Node {
            id: id.clone(),
            uri,
        })
        .await
        .unwrap();
    let lease = format!("{{service_core}}.{id}");
    let lookup: Vec<(String, String)> = redis.run(&["HGETALL", "{service_core}_lookup"]).await;
    assert_eq!(lookup, [(lease.clone(), "http://core:3000".to_owned())]);
    let version: String = redis.run(&["GET", "{service_core}_version"]).await;
    let (size, ulid) = version.split_once('-').unwrap();
    assert_eq!((size, ulid.len()), ("1", 26));
    let value: String = redis.run(&["GET", &lease]).await;
    assert_eq!(
        value,
        format!(r#"{{"u":"http://core:3000","r":true,"v":"{version}"}}"#)
    );
    let left: i64 = redis.run(&["PTTL", &lease]).await;
    assert!((15_000..=20_000).contains(&left), "{left}");

    // A second renewal by the same node is no news to the others.
    registry.renew(&node(1)).await.unwrap();
    let after_join: String = redis.run(&["GET", "{service_core}_version"]).await;
    assert!(after_join.starts_with("2-"), "{after_join}");
    registry.renew(&node(1)).await.unwrap();
    let unchanged: String = redis.run(&["GET", "{service_core}_version"]).await;
    assert_eq!(unchanged, after_join);
}

#[tokio::test]
async fn a_gateway_sees_cores_that_have_no_lease() {
    let redis = TestRedis::start().await;
    let lookup = "{service_riser}_lookup";
    let _: i64 = redis
        .run(&["HSET", lookup, "{service_riser}.01", "http://b"])
        .await;
    let _: i64 = redis.run(&["HSET", lookup, "garbage", "http://a"]).await;
    let nodes = registry(&redis, LONG).nodes().await.unwrap();
    let uris: Vec<&str> = nodes.iter().map(|node| node.uri.as_str()).collect();
    assert_eq!(uris, ["http://b"]);
}

#[tokio::test]
async fn a_lease_that_is_not_renewed_lapses_and_its_modules_go_to_another() {
    let redis = TestRedis::start().await;
    let lease = Duration::from_millis(300);
    let (gone, here) = (registry(&redis, lease), registry(&redis, lease));
    gone.renew(&node(1)).await.unwrap();
    ripen(&redis).await;
    let verdicts = gone.claim(&node(1).id, wanted(&[1])).await.unwrap();
    assert_eq!(verdicts, [Verdict::Granted]);
    let began = tokio::time::Instant::now();
    let verdicts = loop {
        here.renew(&node(2)).await.unwrap();
        let verdicts = here.claim(&node(2).id, wanted(&[1])).await.unwrap();
        if verdicts != [Verdict::Taken(node(1).id)] {
            break verdicts;
        }
        assert!(began.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(verdicts, [Verdict::Granted]);
    assert_eq!(here.nodes().await.unwrap(), [node(2)]);
    let refused = gone.claim(&node(1).id, wanted(&[2])).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::NotWritten { .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_that_was_started_again_believes_only_who_runs_a_module() {
    let mut redis = TestRedis::start().await;
    let lease = Duration::from_secs(1);
    let (ours, theirs) = (registry(&redis, lease), registry(&redis, lease));
    ours.renew(&node(1)).await.unwrap();
    ripen(&redis).await;
    ours.claim(&node(1).id, wanted(&[1])).await.unwrap();
    redis.kill().await;
    redis.start_again().await;
    // The connection is gone, which is found out once.
    assert!(theirs.renew(&node(2)).await.is_ok());
    assert!(ours.renew(&node(1)).await.is_err());
    let early = theirs.claim(&node(2).id, wanted(&[1])).await.unwrap();
    assert_eq!(early, [Verdict::TooEarly]);
    ours.renew(&node(1)).await.unwrap();
    let still = claims(ClaimGround::Running, &[1]);
    let still = ours.claim(&node(1).id, still).await.unwrap();
    assert_eq!(still, [Verdict::Granted]);
    let began = tokio::time::Instant::now();
    loop {
        ours.renew(&node(1)).await.unwrap();
        theirs.renew(&node(2)).await.unwrap();
        let verdicts = theirs.claim(&node(2).id, wanted(&[1, 2])).await.unwrap();
        if verdicts[1] == Verdict::Granted {
            assert_eq!(verdicts[0], Verdict::Taken(node(1).id));
            assert!(began.elapsed() > lease / 2);
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{verdicts:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_arrives_behind_something_later_does_nothing() {
    let redis = TestRedis::start().await;
    let (late, other) = (registry(&redis, LONG), registry(&redis, LONG));
    late.renew(&node(1)).await.unwrap();
    ripen(&redis).await;
    late.claim(&node(1).id, wanted(&[1])).await.unwrap();
    // The same node by another registry, whose turns are behind: as if these had been under way for long.
    let refused = other.release(&node(1).id, modules(&[1])).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::NotWritten { .. }),
        "{refused}"
    );
    let owner: String = redis.run(&["HGET", OWNERS, "mod-1"]).await;
    assert_eq!(owner, node(1).id.as_str());
}

#[tokio::test]
async fn many_modules_are_claimed_in_order() {
    let redis = TestRedis::start().await;
    let registry = registry(&redis, LONG);
    registry.renew(&node(1)).await.unwrap();
    ripen(&redis).await;
    let mut connection = redis.connection().await;
    let other = node(2);
    redis_other(&mut connection, &other).await;
    let numbers: Vec<usize> = (0..MODULES_AT_ONCE * 2 + 1).collect();
    let verdicts = registry.claim(&node(1).id, wanted(&numbers)).await.unwrap();
    for (number, verdict) in verdicts.iter().enumerate() {
        let expect = if number == 600 {
            Verdict::Taken(other.id.clone())
        } else {
            Verdict::Granted
        };
        assert_eq!(*verdict, expect, "{number}");
    }
    registry
        .release(&node(1).id, modules(&numbers))
        .await
        .unwrap();
    let left = connection.hlen(OWNERS).await.unwrap();
    assert_eq!(
        left, 3,
        "what another owns, since when it is remembered, and how often that has changed"
    );
}

/// Another node, which runs one of many modules.
async fn redis_other(connection: &mut MultiplexedConnection, other: &Node) {
    let lease = format!("{{service_riser}}.{}", other.id);
    connection.set(lease, "{}").await.unwrap();
    connection
        .hset(OWNERS, "mod-600", other.id.as_str())
        .await
        .unwrap();
}

#[tokio::test]
async fn the_secret_is_made_once_and_put_back_when_it_is_lost() {
    let redis = TestRedis::start().await;
    let (first, second) = (registry(&redis, LONG), registry(&redis, LONG));
    let (a, b) = tokio::join!(first.secret(None), second.secret(None));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.expose(), b.expose());
    assert!(a.expose().len() > 40);
    let _: String = redis.run(&["FLUSHALL"]).await;
    let back = first.secret(Some(a.clone())).await.unwrap();
    assert_eq!(back.expose(), a.expose());
    let newcomers = second.secret(None).await.unwrap();
    assert_eq!(newcomers.expose(), a.expose());
    let _: String = redis.run(&["FLUSHALL"]).await;
    let new = second.secret(None).await.unwrap();
    assert_ne!(new.expose(), a.expose());
    let followed = first.secret(Some(a)).await.unwrap();
    assert_eq!(followed.expose(), new.expose(), "the faster one wins");
}
