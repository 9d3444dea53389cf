//! Everything at once: two nodes whose connections are cut again and again, while services send and devices read.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::*;

/// How many messages each service sends.
const MESSAGES: usize = 150;

/// After how many sent messages connections are cut.
const CUT_EACH: usize = 10;

const SERVICES: [&str; 3] = ["lift", "door", "alarm"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_acknowledged_message_comes_to_each_device_whatever_connections_are_cut() {
    let redis = TestRedis::start().await;
    let patient = node(&redis.link()).await;
    // An answer may be lost without a word, so these have the deadline that they have at work.
    let nodes = [
        node_with_deadline(&redis.link(), COMMAND_DEADLINE).await,
        node_with_deadline(&redis.link(), COMMAND_DEADLINE).await,
    ];
    for service in SERVICES {
        for device in ["careful", "hasty"] {
            patient.subscribe(device, service).await;
        }
    }
    let progress = Progress(watch::Sender::new(0));
    let send = async {
        let each = SERVICES.iter().enumerate();
        let sent = each.map(|(at, service)| send_all(&nodes[at % 2], service, &progress));
        let sent = join_all(sent).await;
        sent.into_iter().flatten().collect::<BTreeSet<String>>()
    };
    let (sent, careful, (mut hasty, lost), ()) = tokio::join!(
        send,
        read_carefully(&nodes[1], &progress),
        take_hastily(&nodes, &progress),
        cut(&redis, &progress),
    );
    let mut all = careful;
    all.extend(taken(&patient.take("careful").await));
    let missing: Vec<_> = sent.difference(&all).collect();
    assert!(
        missing.is_empty(),
        "acknowledged and never seen: {missing:?}"
    );
    hasty.extend(taken(&patient.take("hasty").await));
    let count = hasty.len();
    let hasty: BTreeSet<String> = hasty.into_iter().collect();
    assert_eq!(count, hasty.len(), "some were taken twice");
    // An answer that was lost may have had some.
    if lost == 0 {
        assert!(sent.is_subset(&hasty));
    }
}

/// How many messages were sent, acknowledged or not.
struct Progress(watch::Sender<usize>);

impl Progress {
    fn is_over(&self) -> bool {
        *self.0.borrow() == SERVICES.len() * MESSAGES
    }
}

/// Cuts all connections again and again.
async fn cut(redis: &TestRedis, progress: &Progress) {
    let mut sent = progress.0.subscribe();
    let mut next = CUT_EACH;
    while sent.wait_for(|sent| *sent >= next).await.is_ok() && !progress.is_over() {
        for kind in ["normal", "pubsub"] {
            let _: i64 = redis.run(&["CLIENT", "KILL", "TYPE", kind]).await;
        }
        next += CUT_EACH;
    }
}

/// Sends, and gives what was acknowledged.
async fn send_all(node: &Node, service: &str, progress: &Progress) -> Vec<String> {
    let mut sent = Vec::new();
    for number in 0..MESSAGES {
        let text = format!("{service} {number}");
        match node.store.send(key(service), notice(&text), at(0)).await {
            Ok(_) => sent.push(text),
            Err(StoreError::Uncertain { .. } | StoreError::Unreachable { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        progress.0.send_modify(|sent| *sent += 1);
    }
    sent
}

/// Looks, and marks what it has seen. What was sent before it is seen before.
async fn read_carefully(node: &Node, progress: &Progress) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    while !progress.is_over() {
        let Ok(unread) = node.store.unread(device_id("careful")).await else {
            continue;
        };
        seen.extend(taken(&unread));
        let marks = unread.messages.iter().map(|message| Mark {
            service: message.service.clone(),
            number: message.number,
        });
        // Where this is lost, the same messages come again.
        let _ = node
            .store
            .read(device_id("careful"), marks.collect(), at(0))
            .await;
    }
    seen
}

/// Takes on two nodes at a time. Gives what came, and how many answers were lost.
async fn take_hastily(nodes: &[Node; 2], progress: &Progress) -> (Vec<String>, usize) {
    let (mut all, mut lost) = (Vec::new(), 0);
    while !progress.is_over() {
        let asked = nodes.iter().cycle().take(6);
        let asked = asked.map(|node| node.store.take(device_id("hasty"), at(0)));
        for answer in join_all(asked).await {
            match answer {
                Ok(unread) => all.extend(taken(&unread)),
                Err(_) => lost += 1,
            }
        }
    }
    (all, lost)
}

fn taken(unread: &Unread) -> Vec<String> {
    let texts = texts(&unread.messages).into_iter();
    texts.map(str::to_owned).collect()
}
