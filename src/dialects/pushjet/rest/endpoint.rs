//! What the path of a request names, below the place of this dialect.

/// A resource and what is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /service`: makes one.
    CreateService,
    /// `GET /service`: shows one.
    ReadService,
    /// `PATCH /service`: changes its name or icon.
    EditService,
    /// `DELETE /service`: ends it, with its subscriptions and messages.
    DeleteService,
    /// `POST /subscription`: subscribes a device.
    Subscribe,
    /// `GET /subscription`: what a device is subscribed to.
    Subscriptions,
    /// `DELETE /subscription`: ends one.
    Unsubscribe,
    /// `POST /message`: sends one.
    Send,
    /// `GET /message`: what a device has not read, which is read by that.
    TakeMessages,
    /// `DELETE /message`: all is read.
    ReadMessages,
    /// `GET /gcm`: the sender of a push service.
    PushSender,
    /// `POST /gcm`: registers a phone with it.
    RegisterPhone,
    /// `DELETE /gcm`: forgets it.
    ForgetPhone,
    /// `GET /version`.
    Version,
    /// `GET /robots.txt`.
    Robots,
    /// `GET /favicon.ico`.
    Favicon,
}

impl Endpoint {
    /// All of them, each with its method and path.
    pub const ALL: [(Self, &'static str, &'static str); 16] = [
        (Self::CreateService, "POST", "/service"),
        (Self::ReadService, "GET", "/service"),
        (Self::EditService, "PATCH", "/service"),
        (Self::DeleteService, "DELETE", "/service"),
        (Self::Subscribe, "POST", "/subscription"),
        (Self::Subscriptions, "GET", "/subscription"),
        (Self::Unsubscribe, "DELETE", "/subscription"),
        (Self::Send, "POST", "/message"),
        (Self::TakeMessages, "GET", "/message"),
        (Self::ReadMessages, "DELETE", "/message"),
        (Self::PushSender, "GET", "/gcm"),
        (Self::RegisterPhone, "POST", "/gcm"),
        (Self::ForgetPhone, "DELETE", "/gcm"),
        (Self::Version, "GET", "/version"),
        (Self::Robots, "GET", "/robots.txt"),
        (Self::Favicon, "GET", "/favicon.ico"),
    ];

    /// Reads a path, with a slash at its end or without: some clients send one. What can be read can be asked for by its head.
    pub fn read(method: &str, path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let method = if method == "HEAD" { "GET" } else { method };
        let mut all = Self::ALL.into_iter();
        let found = all.find(|(_, by, at)| *by == method && *at == path);
        found.map(|(endpoint, ..)| endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_changes_nothing() {
        for (endpoint, method, path) in Endpoint::ALL {
            assert_eq!(Endpoint::read(method, path), Some(endpoint));
            assert_eq!(
                Endpoint::read(method, &format!("{path}/")),
                Some(endpoint),
                "{path}/"
            );
        }
        assert_eq!(
            Endpoint::read("HEAD", "/message"),
            Some(Endpoint::TakeMessages)
        );
    }

    #[test]
    fn everything_else_is_no_resource() {
        for (method, path) in [
            ("PUT", "/message"),
            ("GET", "/"),
            ("GET", ""),
            ("GET", "/message//"),
            ("GET", "/messages"),
            ("POST", "/version"),
            ("get", "/message"),
        ] {
            assert_eq!(Endpoint::read(method, path), None, "{method} {path}");
        }
    }
}
