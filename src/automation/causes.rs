//! What led to what: how many causes stand behind a change that automation has brought about.
//!
//! The number goes in the id of an act, since an act goes with a call and with what the call sets, to other nodes too.
//! So two triggers that feed each other come to an end, whichever nodes they are on.

use crate::model::Act;

/// How the id of an act of automation begins, in its upper half. Ids of other acts are drawn at random, on this side of the door.
const MARK: u64 = 0x7269_7365_725f_6163;

/// The bits of the lower half that hold the number of causes; the others are drawn.
const CAUSES: u64 = 0x1f;

/// The id of a new act with so many causes before it.
pub(super) fn act(causes: u8) -> u128 {
    let drawn = rand::random::<u64>() & !CAUSES;
    let lower = drawn | (u64::from(causes) & CAUSES);
    (u128::from(MARK) << 64) | u128::from(lower)
}

/// How many causes an act of automation has before it; `None` for an act of somebody else.
pub(super) fn causes(act: &Act) -> Option<u8> {
    let [upper, lower] = [act.id >> 64, act.id & u128::from(CAUSES)];
    let lower = u8::try_from(lower).ok()?;
    (upper == u128::from(MARK)).then_some(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_says_how_many_causes_it_has_and_no_two_are_the_same() {
        let acts = [0, 1, 16, 16].map(|number| Act {
            id: act(number),
            user: None,
        });
        assert_eq!(
            [0, 1, 2, 3].map(|at: usize| causes(&acts[at])),
            [Some(0), Some(1), Some(16), Some(16)]
        );
        assert_ne!(acts[2], acts[3]);
        let of_a_user = Act { id: 16, user: None };
        assert_eq!(causes(&of_a_user), None);
    }
}
