//! Rendezvous hashing: every node computes by itself, from the same list, which node a module belongs to.
//!
//! The function is PlaceOS's, bit by bit, so that its gateways and cores and ours agree.
//! When a node comes or goes only the modules move that go to it or were its own.

use crate::model::NodeUri;

/// The node that an id belongs to: the one with the highest score, of equal ones the greater address. `None` when there is no node.
pub(super) fn choose<'n>(
    nodes: impl IntoIterator<Item = &'n NodeUri>,
    id: &str,
) -> Option<&'n NodeUri> {
    let nodes = nodes.into_iter();
    nodes.max_by_key(|node| (score(node, id), *node))
}

fn score(node: &NodeUri, id: &str) -> u64 {
    hash(format!("{node}-{id}").as_bytes())
}

/// The first half of MurmurHash3's 128 bits for x64, with seed 0.
fn hash(bytes: &[u8]) -> u64 {
    let (first, _) = mur3::murmurhash3_x64_128(bytes, 0);
    first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nodes(uris: &[&str]) -> Vec<NodeUri> {
        uris.iter().map(|uri| NodeUri::new(uri).unwrap()).collect()
    }

    #[track_caller]
    fn check(uris: &[&str], id: &str, expect: &str) {
        let mut nodes = nodes(uris);
        assert_eq!(choose(&nodes, id).unwrap().as_str(), expect, "{id}");
        nodes.reverse();
        assert_eq!(
            choose(&nodes, id).unwrap().as_str(),
            expect,
            "{id} reversed"
        );
    }

    #[test]
    fn the_hash_is_the_first_half_of_murmur3() {
        for (text, expect) in [
            ("", 0x0000_0000_0000_0000),
            ("hello", 0xcbd8_a7b3_41bd_9b02),
            ("hello, world", 0x342f_ac62_3a5e_bc8e),
            ("0123456789012345678", 0x2d03_38c1_ca87_d132),
        ] {
            assert_eq!(hash(text.as_bytes()), expect, "{text:?}");
        }
    }

    #[test]
    fn nodes_are_chosen_as_placeos_chooses_them() {
        let paths = ["http://node1/node1", "http://node2/node2"];
        check(&paths, "test", "http://node2/node2");
        check(&paths, "testing", "http://node1/node1");
        let plain = ["node0", "node1"];
        check(&plain, "Ebert", "node0");
        check(&plain, "Stratton", "node1");
        check(&plain, "Pomeranz", "node0");
        let [a, b, c] = CORES;
        for (id, expect) in [
            ("mod-Z6XXB1doL4", a),
            ("mod-b", b),
            ("mod-c", b),
            ("edge-1", c),
            ("sys-1234", a),
        ] {
            check(&CORES, id, expect);
        }
    }

    const CORES: [&str; 3] = [
        "http://core-a:3000",
        "http://core-b:3000",
        "http://core-c:3000",
    ];

    #[test]
    fn the_scores_are_those_of_placeos() {
        let nodes = nodes(&CORES);
        for (node, id, expect) in [
            (0, "mod-Z6XXB1doL4", 0xca39_023c_215b_7399),
            (1, "mod-b", 0x6f0b_2442_841a_353e),
            (1, "mod-c", 0x9f17_c6fb_34c9_23d5),
            (2, "edge-1", 0xc351_ed95_de41_6b2e),
        ] {
            assert_eq!(score(&nodes[node], id), expect, "{id}");
        }
    }

    #[test]
    fn without_nodes_there_is_none() {
        assert_eq!(choose(&[], "mod-1"), None);
    }

    proptest! {
        #[test]
        fn a_node_that_comes_takes_modules_and_moves_no_other(
            count in 1_usize..8, ids in prop::collection::vec("mod-[a-z0-9]{6}", 1..50)
        ) {
            let uris: Vec<String> = (0..=count).map(|n| format!("http://10.0.0.{n}:3000")).collect();
            let all: Vec<NodeUri> = uris.iter().map(|uri| NodeUri::new(uri).unwrap()).collect();
            let (newcomer, before) = all.split_last().unwrap();
            for id in ids {
                let (was, is) = (choose(before, &id).unwrap(), choose(&all, &id).unwrap());
                prop_assert!(is == was || is == newcomer);
            }
        }
    }
}
