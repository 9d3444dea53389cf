//! The monitor of one connection: what is called, and what came of it, written once for all who follow it (`call_shape.rs`).
//!
//! Nothing that the client says matters. One that may not follow calls is told so by the close frame.

use crate::dialects::platypush::{Form, goodbye};
use crate::dialects::{Form as AnyForm, Out, Splice, Step};
use crate::model::{CloseReason, Failure, First, FollowId, Reply, Request, Subject, Ticket};

/// The one follow, and the one ticket.
const THE_FOLLOW: FollowId = FollowId(0);
const THE_TICKET: Ticket = Ticket(0);

/// Follows all calls.
pub(super) fn open(out: &mut Out<'_>) {
    out.step(Step::Request {
        ticket: THE_TICKET,
        request: Request::Follow {
            id: THE_FOLLOW,
            subject: Subject::Calls,
            first: First::Reply,
        },
        form: AnyForm::Platypush(Form::Call),
        splice: Splice::default(),
    });
}

/// Ends the connection of a client that may not follow them.
pub(super) fn reply(reply: &Result<Reply, Failure>, out: &mut Out<'_>) {
    let why = CloseReason::Forbidden;
    if reply.is_err()
        && let Some(frame) = goodbye(why, out)
    {
        out.step(Step::Close(frame, why));
    }
}
