//! The port for services: who holds one's secret, or may have one, makes, edits and deletes it without being a caller of the building.
//!
//! A service is an entry of the building, and its edits are made as all edits are. What a deleted one has sent is forgotten with it.

use std::fmt;
use std::sync::Arc;

use rand::RngExt as _;
use rand::distr::Alphanumeric;

use crate::core::building::{BuildingService, EditError, Editor, ServiceActor};
use crate::core::directory::Directory;
use crate::core::limits::{SERVICE_EDIT_TRIES, SERVICES_MADE_MAX};
use crate::model::{
    Difference, Differences, Edit, Entry, EntryId, EntryInfo, Failure, FailureKind, Service,
    ServiceKey, ServiceSecret, Source,
};
use crate::stores::MessageStore;

/// Makes, edits and deletes services.
pub struct Services {
    pub(super) building: Arc<BuildingService>,
    pub(super) store: Arc<dyn MessageStore>,
}

/// What changes of a service. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceChange {
    /// Another name.
    pub name: Option<String>,
    /// Another picture; empty for none.
    pub icon: Option<String>,
}

/// Why a service is not made, edited or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is none of this key.
    #[error("there is no such service")]
    NotFound,
    /// It stands in the building file, and would come back as it was.
    #[error("the service stands in the building file, where it can be changed")]
    InFile,
    /// There are as many as may be made.
    #[error("there are as many services as there may be")]
    TooMany,
    /// The building did not take it.
    #[error(transparent)]
    NotMade(#[from] EditError),
}

impl Services {
    /// Makes a service, and gives its secret, which is kept nowhere.
    pub async fn create(
        &self,
        who: ServiceActor,
        name: String,
        icon: String,
    ) -> Result<ServiceSecret, ServiceError> {
        if made(&self.building.directory()) >= SERVICES_MADE_MAX {
            return Err(ServiceError::TooMany);
        }
        let secret = fresh_secret();
        let service = Service {
            key: secret.public_key(),
            name,
            icon,
            systems: Vec::new(),
        };
        let edit = Edit::create(Entry::Service(service));
        self.make(who, edit).await?;
        Ok(secret)
    }

    /// Changes a service.
    pub async fn edit(
        &self,
        who: ServiceActor,
        key: &ServiceKey,
        change: ServiceChange,
    ) -> Result<(), ServiceError> {
        let ServiceChange { name, icon } = &change;
        self.at_its_version(
            who,
            |service, info| {
                let service = Service {
                    name: name.clone().unwrap_or_else(|| service.name.clone()),
                    icon: icon.clone().unwrap_or_else(|| service.icon.clone()),
                    ..service.clone()
                };
                Edit::put(Entry::Service(service)).at(info.version)
            },
            key,
        )
        .await
    }

    /// Deletes a service, with all that it has sent and all subscriptions to it.
    pub async fn delete(&self, who: ServiceActor, key: &ServiceKey) -> Result<(), ServiceError> {
        let id = EntryId::Service(key.clone());
        self.at_its_version(
            who,
            |_, info| Edit::delete(id.clone()).at(info.version),
            key,
        )
        .await
    }

    /// Makes an edit of a service as it is, again when another one was faster.
    async fn at_its_version(
        &self,
        who: ServiceActor,
        edit: impl Fn(&Service, &EntryInfo) -> Edit,
        key: &ServiceKey,
    ) -> Result<(), ServiceError> {
        for _ in 0..SERVICE_EDIT_TRIES {
            let directory = self.building.directory();
            let info = directory.info(&EntryId::Service(key.clone()));
            let (Some(service), Some(info)) = (directory.service(key), info) else {
                return Err(ServiceError::NotFound);
            };
            match info.source {
                Source::File => return Err(ServiceError::InFile),
                Source::Demo | Source::Elsewhere => {}
            }
            match self.make(who.clone(), edit(service, info)).await {
                Err(EditError::Conflict { .. }) => {}
                made @ (Ok(()) | Err(_)) => return Ok(made?),
            }
        }
        Err(ServiceError::NotMade(EditError::Busy))
    }

    async fn make(&self, who: ServiceActor, edit: Edit) -> Result<(), EditError> {
        let editor = Editor::OfServices(who);
        let differences = self.building.edit(editor, vec![edit]).await?;
        forget_removed(&*self.store, &differences).await;
        Ok(())
    }
}

/// Forgets what services have sent that an edit has removed.
///
/// Without its service nobody sees it, so a store that cannot forget at the moment keeps what expires by itself.
pub(super) async fn forget_removed(store: &dyn MessageStore, differences: &Differences) {
    for (difference, id) in &differences.0 {
        if let (Difference::Removed, EntryId::Service(key)) = (difference, id)
            && let Err(error) = store.forget(key.clone()).await
        {
            tracing::warn!(service = %key, %error, "what a deleted service has sent could not be forgotten");
        }
    }
}

/// How many services do not come from a file.
fn made(directory: &Directory) -> usize {
    let services = directory.services();
    services
        .filter(|service| {
            let info = directory.info(&EntryId::Service(service.key.clone()));
            info.is_some_and(|info| info.source == Source::Elsewhere)
        })
        .count()
}

fn fresh_secret() -> ServiceSecret {
    let characters = rand::rng().sample_iter(Alphanumeric);
    let text: String = characters
        .take(ServiceSecret::LENGTH)
        .map(char::from)
        .collect();
    ServiceSecret::parse(&text).expect("letters and digits of this number are a secret")
}

impl From<&ServiceError> for Failure {
    fn from(error: &ServiceError) -> Self {
        let kind = match error {
            ServiceError::NotFound | ServiceError::InFile => FailureKind::BadRequest,
            ServiceError::TooMany => FailureKind::Forbidden,
            ServiceError::NotMade(error) => match error {
                EditError::Invalid(_)
                | EditError::Conflict { .. }
                | EditError::InUse { .. }
                | EditError::NotFound(_)
                | EditError::RemovesMost { .. } => FailureKind::BadRequest,
                EditError::Forbidden(failure) => failure.kind(),
                EditError::Busy
                | EditError::Interrupted
                | EditError::Unkept
                | EditError::Store(_) => FailureKind::Unavailable,
            },
        };
        Self::new(kind, error.to_string())
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}
