//! What can be asked, each by its method and its path below the place of this dialect.
//!
//! The server finds them: the same paths with a slash at the end too, which some clients send.

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
}
