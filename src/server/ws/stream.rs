//! Streams whose messages are framed from their first byte on, without an HTTP head: the client says who it is in its first messages, or never.

use std::io;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::dialects::{Carrier, DialectKind, Head};
use crate::model::{ConnectionId, Transport};
use crate::server::ServerState;
use crate::server::admission::{AdmissionPhase, TurnedAway};
use crate::server::limits::{
    STREAM_PROBE_AFTER, STREAM_PROBE_INTERVAL, STREAM_PROBES, STREAM_SILENCE_MAX,
};
use crate::server::ws::connection::{self, Identity};
use crate::server::ws::entering::{self, NotAdmitted};
use crate::server::ws::goodbye;
use crate::server::ws::upgrade::{place_for, start};
use crate::server::ws::wire::ClientStream;
use crate::server::ws::worker::Worker;

/// Serves a stream that speaks this dialect.
pub(in crate::server) async fn serve(
    state: &ServerState,
    worker: &Rc<Worker>,
    kind: DialectKind,
    stream: TcpStream,
) -> io::Result<()> {
    let address = stream.peer_addr()?.ip();
    notice_a_dead_network(&stream)?;
    let wire = stream.into_wire(state.settings.send_buffer_bytes)?;
    let entered = async {
        if state.admission.phase() == AdmissionPhase::Starting {
            return Err(NotAdmitted::from(TurnedAway::Starting));
        }
        let head = Head {
            carrier: Carrier::Framed,
            transport: Transport::Plain,
            path: "",
            query: "",
            header: &|_| None,
        };
        let (caller, hello) = entering::enter(state, kind, &head, address).await?;
        let permit = place_for(state, caller.as_ref(), address)?;
        Ok((caller, hello, permit))
    };
    match entered.await {
        Ok((caller, hello, permit)) => {
            let id = ConnectionId(state.next_connection.fetch_add(1, Ordering::Relaxed));
            let identity = caller.map_or(Identity::Anonymous(address), Identity::Identified);
            let carrier = Carrier::Framed;
            let beginning = connection::begin(worker, id, wire, carrier, identity, hello, permit);
            start(worker, beginning, Vec::new());
        }
        Err(NotAdmitted { told, .. }) => {
            state.metrics.turned_away.increment(1);
            if let (Some(told), Some(_place)) = (told, state.admission.admit_to_refuse()) {
                let messages = goodbye::to_newcomer(kind, Carrier::Framed, told);
                goodbye::say(&wire, &messages).await;
            }
        }
    }
    Ok(())
}

/// Has the system find out whether the client is still there: on this carrier nobody else asks.
fn notice_a_dead_network(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let probes = TcpKeepalive::new()
        .with_time(STREAM_PROBE_AFTER)
        .with_interval(STREAM_PROBE_INTERVAL)
        .with_retries(STREAM_PROBES);
    socket.set_tcp_keepalive(&probes)?;
    // While something waits for its acknowledgement the system does not probe.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(STREAM_SILENCE_MAX))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_dead_network_is_noticed_in_time() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let stream = TcpStream::connect(at).await.unwrap();
        notice_a_dead_network(&stream).unwrap();
        let socket = SockRef::from(&stream);
        let after = socket.tcp_keepalive_time().unwrap();
        let probes = socket.tcp_keepalive_retries().unwrap();
        let until = after + socket.tcp_keepalive_interval().unwrap() * probes;
        assert!(socket.keepalive().unwrap());
        assert!(until <= STREAM_SILENCE_MAX, "{until:?}");
    }
}
