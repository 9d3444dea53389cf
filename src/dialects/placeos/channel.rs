//! The websocket before and after its messages: its paths, the credentials that open it, and the close codes.

use crate::dialects::placeos::PONG;
use crate::dialects::placeos::rest::{
    Carrier, Presented, Query, SocketQuery, WEBSOCKET_SCOPES, origin_is_foreign, presented,
};
use crate::dialects::{
    Admission, CloseFrame, DialectSettings, Handshake, Head, Hello, LooksAround, Out, Profile,
    RefusalTime,
};
use crate::model::CloseReason;

/// Where PlaceOS's clients open their websocket; the second is its predecessor's.
pub const WEBSOCKET_PATHS: [&str; 2] = ["/api/engine/v2/systems/control", "/control/websocket"];

/// What the server has to know of this dialect.
pub(in crate::dialects) fn profile(settings: &DialectSettings) -> Profile {
    Profile {
        paths: &WEBSOCKET_PATHS,
        scopes: &WEBSOCKET_SCOPES,
        sign_in_within: None,
        refusal: RefusalTime::BeforeUpgrade,
        message_max_bytes: settings.message_max_bytes,
        bare_text: None,
        keep_alive: settings.keep_alive(Some(PONG)),
        looks_around: LooksAround::No,
    }
}

/// Reads the credential and how values are to be written.
pub(in crate::dialects) fn handshake(head: &Head<'_>) -> Handshake {
    let query = Query::parse(head.query);
    let Presented {
        credentials,
        carrier,
    } = presented(head.header, &query);
    // A header that is not text cannot be trusted, so it must not look absent.
    let text = |name| (head.header)(name).map(|value| str::from_utf8(value).unwrap_or("\u{fffd}"));
    let query = SocketQuery::read(&query);
    Handshake::Admit(Admission {
        credentials: credentials.into_iter().collect(),
        basic: None,
        is_foreign_page: carrier == Some(Carrier::Cookie)
            && origin_is_foreign(text("origin"), text("host"), head.transport),
        device: query.device,
        hello: Hello::PlaceOs(query),
    })
}

/// PlaceOS has no words for the end of a connection, so the text of the close frame is the name of the reason.
pub(in crate::dialects) fn goodbye(why: CloseReason, _: &mut Out<'_>) -> Option<CloseFrame> {
    let code = match why {
        // A client that closes gets its own code back, and one that is lost gets nothing.
        CloseReason::ClientClosed | CloseReason::ConnectionLost => return None,
        // Told by an HTTP status, before there is a websocket.
        CloseReason::Starting
        | CloseReason::TooManyConnections
        | CloseReason::Unauthenticated
        | CloseReason::Forbidden
        | CloseReason::SignInTimedOut => return None,
        CloseReason::GoingAway => 1001,
        CloseReason::ProtocolError => 1002,
        CloseReason::InvalidText => 1007,
        CloseReason::SlowConsumer
        | CloseReason::KeepAliveTimedOut
        | CloseReason::CredentialsRevoked => 1008,
        CloseReason::MessageTooLarge => 1009,
        CloseReason::Internal => 1011,
    };
    let text = why.as_str();
    Some(CloseFrame { code, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::placeos::testing::SETTINGS;
    use crate::model::Scope;

    #[test]
    fn the_websocket_needs_a_scope_that_writes() {
        let enters = |texts: &[&str]| {
            let scopes = texts.iter().map(|text| Scope::parse(text));
            profile(&SETTINGS).opens_to(&scopes.collect::<Option<Vec<_>>>().unwrap())
        };
        for good in ["public", "systems", "control.write", "PUBLIC.Write"] {
            assert!(enters(&["guest", good]), "{good}");
        }
        for bad in ["public.read", "systems.read", "guest", "zones"] {
            assert!(!enters(&[bad]), "{bad}");
        }
    }
}
