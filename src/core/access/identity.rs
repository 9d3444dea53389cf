//! Who a caller is. The policy alone says what the caller may do, so no other code of the core looks at the kind of identity.

use std::fmt;
use std::sync::Arc;

use crate::model::{AppId, AutomationId, DeviceId, KeyId, User};

/// Who a caller is.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A person, by a sign-in here or by a token that another server has signed.
    User(Arc<User>),
    /// The holder of an API key, which acts for its user.
    ApiKey {
        /// The key.
        key: KeyId,
        /// Whose it is.
        user: Arc<User>,
    },
    /// An app that connects by itself.
    App {
        /// The app.
        app: AppId,
        /// The user that it acts for, or that has signed in through it.
        user: Option<Arc<User>>,
    },
    /// A device that reads what is addressed to it.
    Device(DeviceId),
    /// The building itself, by one of its rules.
    Automation(AutomationId),
}

impl Identity {
    /// The user, where there is one.
    pub fn user(&self) -> Option<&Arc<User>> {
        match self {
            Self::User(user) | Self::ApiKey { user, .. } => Some(user),
            Self::App { user, .. } => user.as_ref(),
            Self::Device(_) | Self::Automation(_) => None,
        }
    }

    /// The same with this user signed in: on an app's connection it is the app's user from here on.
    pub(super) fn with_user(&self, signed_in: Option<&Arc<User>>) -> Self {
        match self {
            Self::App { app, user } => Self::App {
                app: app.clone(),
                user: signed_in.or(user.as_ref()).cloned(),
            },
            Self::User(_) | Self::ApiKey { .. } | Self::Device(_) | Self::Automation(_) => {
                self.clone()
            }
        }
    }
}

/// As the audit log names them: a user by their id, whatever acts for them, and what has no user says what it is.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user)
            | Self::ApiKey { user, .. }
            | Self::App {
                user: Some(user), ..
            } => user.id.fmt(f),
            Self::App { app, user: None } => write!(f, "app {app}"),
            Self::Device(device) => write!(f, "device {}", device.hint()),
            Self::Automation(automation) => write!(f, "automation {automation}"),
        }
    }
}
