//! What a client says to the others in a channel.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::dialects::pusher::channel::{Channel, is_event_name};
use crate::dialects::pusher::errors::ErrorCode;
use crate::dialects::pusher::room::Room;
use crate::dialects::pusher::session::{Client, Turn, Waiting, shown};
use crate::dialects::pusher::wire::{self, Said};
use crate::dialects::pusher::{Form, frames, limits};
use crate::model::{Publication, Publisher, Request};

/// The event that calls a function, in the one kind of channel that has calls.
const EXEC: &str = "client-exec";

/// How many events a client may still publish, by whole seconds: a burst, and so many more with each second.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// When the last event came, in Unix seconds.
    second: u64,
    left: u32,
}

impl Rate {
    /// Takes one event, if there is one left.
    fn take(&mut self, now: u64, per_second: u32) -> bool {
        let burst = per_second.saturating_mul(limits::CLIENT_EVENT_BURST_SECS);
        let seconds = u32::try_from(now.saturating_sub(self.second)).unwrap_or(u32::MAX);
        let more = seconds.saturating_mul(per_second);
        self.left = self.left.saturating_add(more).min(burst);
        self.second = now;
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }
}

impl Client {
    /// An event whose name begins with `client-`.
    pub(super) fn client_event(&mut self, said: &Said<'_>, turn: &mut Turn<'_, '_>) {
        let channel = said.channel.as_deref();
        if let Err(message) = self.pass_on(said, turn) {
            turn.error(ErrorCode::ClientEvent, &message, channel);
        }
    }

    /// Passes an event on, or says why not.
    fn pass_on(&mut self, said: &Said<'_>, turn: &mut Turn<'_, '_>) -> Result<(), String> {
        let name = said.channel.as_deref().unwrap_or_default();
        let name_shown = shown(name);
        let channel = Channel::named(name).filter(Channel::takes_client_events);
        if channel.is_none() {
            return Err(format!(
                "Client events are for private and presence channels: '{name_shown}' is none"
            ));
        }
        let Some((channel, subscription)) = self.channels.entered(name) else {
            return Err(format!(
                "Client events are for channels that the client is in: it is not in {name_shown}"
            ));
        };
        let channel = Arc::clone(channel);
        match &subscription.room {
            None | Some(Room::People(_)) => {}
            Some(Room::Control(system)) if said.event == EXEC => {
                let system = system.clone();
                self.exec(&channel, system, said.data, turn);
                return Ok(());
            }
            Some(_) => return Err(format!("{name_shown} takes no client events")),
        }
        let app = turn.app;
        if !app.client_events {
            return Err("Client events are not enabled for this app".to_owned());
        }
        if !is_event_name(&said.event) {
            let most = limits::NAME_MAX_CHARS;
            return Err(format!(
                "The name of an event has at most {most} characters"
            ));
        }
        let data = data_text(said.data);
        let most = app.limits.event_bytes;
        if data.len() > most as usize {
            return Err(format!(
                "The data content of this event exceeds the allowed maximum ({most} bytes)"
            ));
        }
        let user = subscription.user.clone();
        let message = frames::message(&said.event, &data, user.as_deref());
        let topic = subscription.topic().clone();
        let now = (turn.ambient.clock)();
        if !self.rate.take(now, app.limits.client_events_per_second) {
            let most = app.limits.client_events_per_second;
            return Err(format!(
                "Rate limit exceeded: {most} client events per second"
            ));
        }
        let connection = turn.ambient.cluster_connection();
        let request = Request::Publish(Publication {
            topic,
            message,
            except: Some(connection),
            kept: false,
            by: Some(Publisher { connection, user }),
        });
        let waiting = Waiting::Publication(channel);
        self.requests.ask(request, Form::Session, waiting, turn.out);
        Ok(())
    }
}

/// The data as the others get them: a text as it is, anything else by its JSON.
fn data_text(data: Option<&RawValue>) -> String {
    let Some(data) = data else {
        return "null".to_owned();
    };
    wire::text(data).unwrap_or_else(|| data.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_two_seconds_worth_and_each_second_gives_one_more() {
        let mut rate = Rate::default();
        let mut taken = |now| (0..100).filter(|_| rate.take(now, 10)).count();
        assert_eq!(taken(1_000), 20);
        assert_eq!(taken(1_000), 0);
        assert_eq!(taken(1_001), 10);
        assert_eq!(taken(900), 0, "a clock that is set back gives nothing");
        assert_eq!(taken(2_000), 20);
    }
}
