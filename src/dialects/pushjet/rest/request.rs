//! What is asked, checked in Pushjet's order: the first mistake is the one that is told.

use crate::dialects::pushjet::errors::PushjetError;
use crate::dialects::pushjet::rest::notice::{address, notice, title};
use crate::dialects::pushjet::rest::{Answer, Endpoint, Parameters, answers};
use crate::model::{DeviceId, Notice, ServiceKey, ServiceSecret, ServiceView};

/// A request that is as it has to be, of services that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiRequest {
    /// Make a service. [`created`](answers::created) answers.
    CreateService {
        /// Its name: never empty.
        name: String,
        /// The address of its icon; may be empty.
        icon: String,
    },
    /// Show a service. [`service`](answers::service) answers.
    ReadService(ServiceView),
    /// Change a service. [`done`](answers::done) answers, as it does wherever nothing else is said.
    EditService {
        /// Which.
        service: ServiceKey,
        /// Its new name, where it has one.
        name: Option<String>,
        /// Its new icon, where it has one: empty for none.
        icon: Option<String>,
    },
    /// End a service, with its subscriptions and messages.
    DeleteService(ServiceKey),
    /// Subscribe a device, unless it is subscribed already. [`service`](answers::service) answers.
    Subscribe(DeviceId, ServiceView),
    /// What is a device subscribed to? [`subscriptions`](answers::subscriptions) answers.
    Subscriptions(DeviceId),
    /// End a subscription, if there is one.
    Unsubscribe(DeviceId, ServiceKey),
    /// Send a message.
    Send(ServiceKey, Notice),
    /// What has a device not read? It is read by that. [`messages`](answers::messages) answers.
    TakeMessages(DeviceId),
    /// A device has read everything.
    ReadMessages(DeviceId),
    /// Nothing is to be done.
    Answered(Answer),
}

impl ApiRequest {
    /// Reads a request. `find` finds a service of the building.
    pub fn read(
        endpoint: Endpoint,
        parameters: &Parameters,
        find: impl Fn(&ServiceKey) -> Option<ServiceView>,
    ) -> Result<Self, PushjetError> {
        let asked = Asked { parameters, find };
        match endpoint {
            Endpoint::CreateService => asked.new_service(),
            Endpoint::ReadService => asked.service_to_read().map(Self::ReadService),
            Endpoint::EditService => asked.edit(),
            Endpoint::DeleteService => asked.owned_service().map(Self::DeleteService),
            Endpoint::Subscribe => {
                let (device, service) = asked.device_and_service()?;
                Ok(Self::Subscribe(device, service))
            }
            Endpoint::Subscriptions => asked.device().map(Self::Subscriptions),
            Endpoint::Unsubscribe => {
                let (device, service) = asked.device_and_service()?;
                Ok(Self::Unsubscribe(device, service.key))
            }
            Endpoint::Send => {
                let service = asked.owned_service()?;
                Ok(Self::Send(service, notice(parameters)?))
            }
            Endpoint::TakeMessages => asked.device().map(Self::TakeMessages),
            Endpoint::ReadMessages => asked.device().map(Self::ReadMessages),
            Endpoint::PushSender => Ok(Self::Answered(answers::push_sender())),
            Endpoint::RegisterPhone => {
                asked.device()?;
                asked.phone()?;
                Ok(Self::Answered(answers::done()))
            }
            Endpoint::ForgetPhone => {
                asked.device()?;
                Ok(Self::Answered(answers::done()))
            }
            Endpoint::Version => Ok(Self::Answered(answers::version())),
            Endpoint::Robots => Ok(Self::Answered(answers::robots())),
            Endpoint::Favicon => Ok(Self::Answered(answers::favicon())),
        }
    }
}

/// What the parameters say, looked at one by one.
struct Asked<'p, F> {
    parameters: &'p Parameters,
    find: F,
}

impl<F: Fn(&ServiceKey) -> Option<ServiceView>> Asked<'_, F> {
    fn device(&self) -> Result<DeviceId, PushjetError> {
        let uuid = self.parameters.name("uuid");
        let uuid = uuid.ok_or(PushjetError::MissingArgument("uuid"))?;
        DeviceId::of_uuid(uuid).ok_or(PushjetError::InvalidUuid)
    }

    fn service(&self, key: &str) -> Result<ServiceView, PushjetError> {
        let key = ServiceKey::parse(key).ok_or(PushjetError::InvalidService)?;
        (self.find)(&key).ok_or(PushjetError::ServiceNotFound)
    }

    fn service_of(&self, secret: &str) -> Result<ServiceView, PushjetError> {
        let secret = ServiceSecret::parse(secret).ok_or(PushjetError::InvalidSecret)?;
        (self.find)(&secret.public_key()).ok_or(PushjetError::ServiceNotFound)
    }

    /// The service by its public key, or by its secret: the key goes before.
    fn service_to_read(&self) -> Result<ServiceView, PushjetError> {
        let said = |name| self.parameters.name(name);
        match (said("service"), said("secret")) {
            (Some(key), _) => self.service(key),
            (None, Some(secret)) => self.service_of(secret),
            (None, None) => Err(PushjetError::MissingArgument("service")),
        }
    }

    /// The service whose secret is shown.
    fn owned_service(&self) -> Result<ServiceKey, PushjetError> {
        let secret = self.parameters.name("secret");
        let secret = secret.ok_or(PushjetError::MissingArgument("secret"))?;
        Ok(self.service_of(secret)?.key)
    }

    fn device_and_service(&self) -> Result<(DeviceId, ServiceView), PushjetError> {
        let device = self.device()?;
        let key = self.parameters.name("service");
        let key = key.ok_or(PushjetError::MissingArgument("service"))?;
        Ok((device, self.service(key)?))
    }

    fn new_service(&self) -> Result<ApiRequest, PushjetError> {
        let name = self.service_name();
        let name = name.ok_or(PushjetError::MissingArgument("name"))?;
        let icon = self.icon()?.unwrap_or_default();
        Ok(ApiRequest::CreateService { name, icon })
    }

    fn edit(&self) -> Result<ApiRequest, PushjetError> {
        let service = self.owned_service()?;
        let (name, icon) = (self.service_name(), self.icon()?);
        match (&name, &icon) {
            (None, None) => Err(PushjetError::NoChanges),
            (_, _) => Ok(ApiRequest::EditService {
                service,
                name,
                icon,
            }),
        }
    }

    /// A name that is empty is none.
    fn service_name(&self) -> Option<String> {
        let name = title(self.parameters.said("name")?);
        (!name.is_empty()).then_some(name)
    }

    fn icon(&self) -> Result<Option<String>, PushjetError> {
        let icon = self.parameters.said("icon");
        icon.map(|icon| address("icon", icon)).transpose()
    }

    /// A phone's own id, which nothing is done with.
    fn phone(&self) -> Result<(), PushjetError> {
        let said = |name| self.parameters.said(name).is_some_and(|id| !id.is_empty());
        match said("regid") || said("regId") {
            true => Ok(()),
            false => Err(PushjetError::MissingArgument("regid")),
        }
    }
}
