//! The user of Redis that the documents name: nodes with its rights alone do all that they do, and Redis refuses them nothing.

use serde_json::json;

use crate::harness::{BUILDING, Cluster, Document, Key, Redis, display, everywhere, scratch};

#[tokio::test]
async fn the_user_that_the_documents_name_has_every_right_that_a_node_uses() {
    let redis = Redis::plan().user("riser", "PASSWORD", &rights());
    let mut cluster = Cluster::start_on(redis.start().await, BUILDING, 2).await;
    cluster.until_answered(&everywhere("echo")).await;
    work(&cluster, ["a", "b"]).await;
    // What is done after a loss: read again, compare, put back.
    cluster.redis.kill_subscribers().await;
    work(&cluster, ["c", "d"]).await;
    cluster.redis.kill().await;
    cluster.redis.restart().await;
    cluster.until_answered(&everywhere("echo")).await;
    work(&cluster, ["e", "f"]).await;
    let mut leaving = cluster.nodes.pop().expect("a node");
    leaving.terminate().await;
    cluster.until_answered(&everywhere("echo")).await;

    assert_eq!(cluster.redis.refused().await, Vec::<String>::new());
}

/// Statuses and calls across nodes, and an edit of what they share.
async fn work(cluster: &Cluster, names: [&str; 2]) {
    for (name, (here, there)) in names.into_iter().zip([(0, 1), (1, 0)]) {
        let mut panel = cluster.connect(here, Key::USER).await;
        let mut console = cluster.connect(there, Key::USER).await;
        for (id, place) in [display(name), scratch(name)].into_iter().enumerate() {
            panel.send(place.bind(id)).await;
            panel.expect(place.success(id)).await;
            console.set(place, 1).await;
            panel.expect(place.notify(id, 1)).await;
        }
        let node = &cluster.nodes[here];
        let zone = json!({"name": format!("Zone {name}")});
        let made = node.request("POST", "/api/engine/v2/zones").key(Key::ADMIN);
        assert_eq!(made.json(zone).send().await.status, 201);
    }
}

/// What stands behind the user's name and password in the one line of the documents.
fn rights() -> String {
    let documents = Document::all();
    let lines = documents.iter().flat_map(|document| document.text.lines());
    let lines: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("user riser on >PASSWORD "))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].to_owned()
}
