//! What the path of a request names.
//!
//! Separate from the requests, because the signature is checked between the two: over the path as it was sent, while a channel is looked up by its decoded name.

use percent_encoding::percent_decode_str;

/// A path of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The app that the path names. The library for Python leaves it out in one place.
    pub app: Option<String>,
    /// What is asked of it.
    pub endpoint: Endpoint,
}

/// A resource of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST …/events`: an event for channels.
    Events,
    /// `POST …/batch_events`: several events.
    BatchEvents,
    /// `GET …/channels`: which channels have a subscriber.
    Channels,
    /// `GET …/channels/{channel}`: one channel.
    Channel(String),
    /// `GET …/channels/{channel}/users`: who is in it.
    ChannelUsers(String),
    /// `GET …/channels/{channel}/stats`: how one channel was asked for until 2012.
    ChannelStats(String),
    /// `POST …/channels/{channel}/events`: how an event was sent until 2012.
    ChannelEvents(String),
    /// `POST …/users/{user}/terminate_connections`: the end of a user's connections.
    Terminate(String),
    /// `POST /server_api/v1/apps/{app}/notifications`: a notification for phones, as it was sent until 2017.
    Notifications,
}

impl Address {
    /// Reads a path, nothing of it decoded yet; `None` where there is no such resource.
    pub fn read(method: &str, path: &str) -> Option<Self> {
        let segments: Option<Vec<String>> =
            path.strip_prefix('/')?.split('/').map(decode).collect();
        let segments = segments?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (app, rest) = match &*segments {
            ["apps", app, rest @ ..] => (Some(*app), rest),
            ["server_api", "v1", "apps", app, "notifications"] => {
                let is_post = method == "POST";
                return is_post.then(|| Self::of(Some(app), Endpoint::Notifications));
            }
            ["users", ..] => (None, &*segments),
            _ => return None,
        };
        let endpoint = match (method, rest) {
            ("POST", ["users", user, "terminate_connections"]) => {
                Endpoint::Terminate((*user).to_owned())
            }
            (_, _) if app.is_none() => return None,
            ("POST", ["events"]) => Endpoint::Events,
            ("POST", ["batch_events"]) => Endpoint::BatchEvents,
            ("GET", ["channels"]) => Endpoint::Channels,
            ("GET", ["channels", channel]) => Endpoint::Channel((*channel).to_owned()),
            ("GET", ["channels", channel, "users"]) => {
                Endpoint::ChannelUsers((*channel).to_owned())
            }
            ("GET", ["channels", channel, "stats"]) => {
                Endpoint::ChannelStats((*channel).to_owned())
            }
            ("POST", ["channels", channel, "events"]) => {
                Endpoint::ChannelEvents((*channel).to_owned())
            }
            (_, _) => return None,
        };
        Some(Self::of(app, endpoint))
    }

    fn of(app: Option<&str>, endpoint: Endpoint) -> Self {
        let app = app.map(str::to_owned);
        Self { app, endpoint }
    }
}

/// A segment, where that is text and not empty.
fn decode(segment: &str) -> Option<String> {
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    (!decoded.is_empty()).then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &str, path: &str, app: Option<&str>, endpoint: Endpoint) {
        let expect = Some(Address::of(app, endpoint));
        assert_eq!(Address::read(method, path), expect, "{method} {path}");
    }

    #[test]
    fn each_resource_has_its_method_and_path() {
        let channel = || "presence-a".to_owned();
        let app = Some("42");
        check("POST", "/apps/42/events", app, Endpoint::Events);
        check("POST", "/apps/42/batch_events", app, Endpoint::BatchEvents);
        check("GET", "/apps/42/channels", app, Endpoint::Channels);
        let at = "/apps/42/channels/presence-a";
        check("GET", at, app, Endpoint::Channel(channel()));
        let users = format!("{at}/users");
        check("GET", &users, app, Endpoint::ChannelUsers(channel()));
        let stats = format!("{at}/stats");
        check("GET", &stats, app, Endpoint::ChannelStats(channel()));
        let events = format!("{at}/events");
        check("POST", &events, app, Endpoint::ChannelEvents(channel()));
        let notifications = "/server_api/v1/apps/42/notifications";
        check("POST", notifications, app, Endpoint::Notifications);
    }

    #[test]
    fn the_end_of_a_users_connections_is_asked_with_the_app_and_without() {
        let end = || Endpoint::Terminate("u 7".to_owned());
        check("POST", "/users/u%207/terminate_connections", None, end());
        let path = "/apps/42/users/u%207/terminate_connections";
        check("POST", path, Some("42"), end());
    }

    #[test]
    fn a_channel_is_decoded_once() {
        let channel = Endpoint::Channel("a=@,.;%3D".to_owned());
        let app = Some("42");
        check("GET", "/apps/42/channels/a=@,.;%253D", app, channel.clone());
        check(
            "GET",
            "/apps/42/channels/a%3D%40%2c%2E%3B%253D",
            app,
            channel,
        );
    }

    #[test]
    fn everything_else_is_no_resource() {
        for (method, path) in [
            ("GET", "/apps/42/events"),
            ("POST", "/apps/42"),
            ("POST", "/apps//events"),
            ("GET", "/apps/42/channels/"),
            ("GET", "/apps/42/channels/%ff"),
            ("POST", "/users/u-7"),
            ("GET", "/users/u-7/terminate_connections"),
            ("POST", "/events"),
            ("POST", "apps/42/events"),
        ] {
            assert_eq!(Address::read(method, path), None, "{method} {path}");
        }
    }
}
