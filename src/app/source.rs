//! Where the building comes from: a file, the demo, or the store alone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use driver_sdk::Definition;
use rand::Rng;

use crate::building_file::{self, KnownDriver};
use crate::core::Directory;
use crate::model::{
    ApiKey, Building, Clearance, KeyId, KeySecret, Scope, Secret, Source, User, UserId,
};
use crate::server::foreign_rules;

use super::AppError;

/// The id of the administrator whom `admin_secret` lets in, and of the key.
const ADMIN: &str = "riser-admin";

/// The linked-in drivers, as a building file names them.
pub(super) fn known_drivers() -> Vec<KnownDriver> {
    known(&driver_registry::drivers())
}

/// These drivers, as a building file names them.
pub(super) fn known(definitions: &[Definition]) -> Vec<KnownDriver> {
    let known = definitions.iter().map(|driver| KnownDriver {
        id: driver.id,
        configuration: driver.configuration,
        interface: Some(driver.interface),
    });
    known.collect()
}

/// A building file, and what it takes to read it.
#[derive(Debug, Clone)]
pub(super) struct BuildingFile {
    path: PathBuf,
    drivers: Vec<KnownDriver>,
    environment: BTreeMap<String, String>,
    /// The secret of an administrator who is not in it.
    admin: Option<Secret>,
}

impl BuildingFile {
    pub(super) fn new(
        path: &Path,
        drivers: &[KnownDriver],
        environment: &BTreeMap<String, String>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            drivers: drivers.to_owned(),
            environment: environment.clone(),
            admin: None,
        }
    }

    /// With an administrator's key beside what it says, for the program that started the gateway.
    pub(super) fn with_admin(mut self, secret: Option<Secret>) -> Self {
        self.admin = secret;
        self
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The text as it is now. Blocks.
    pub(super) fn text(&self) -> Result<String, AppError> {
        std::fs::read_to_string(&self.path).map_err(|cause| self.unreadable(cause))
    }

    /// What a text of it says.
    pub(super) fn read(&self, text: &str) -> Result<Building, AppError> {
        let file = self.path.display().to_string();
        let mut building = building_file::read(
            &file,
            text,
            &self.drivers,
            foreign_rules(),
            &self.environment,
        )?;
        if let Some(secret) = &self.admin {
            add_admin(&mut building, secret);
        }
        Ok(building)
    }

    fn unreadable(&self, cause: io::Error) -> AppError {
        AppError::UnreadableBuilding {
            file: self.path.display().to_string(),
            cause,
        }
    }
}

/// Adds the administrator of the program that started the gateway, in the place of entries of the same ids.
fn add_admin(building: &mut Building, secret: &Secret) {
    let user = UserId::new(ADMIN).expect("it is short and plain");
    let key = KeyId::new(ADMIN).expect("it is short and plain");
    building.users.retain(|known| known.id != user);
    building.api_keys.retain(|known| known.id != key);
    building.api_keys.push(ApiKey {
        level: Clearance::Admin,
        scopes: Scope::parse(Scope::PUBLIC).into_iter().collect(),
        ..ApiKey::new(&key, KeySecret::Plain(secret.clone()), &user)
    });
    building.users.push(User {
        email: format!("{ADMIN}@localhost"),
        name: ADMIN.to_owned(),
        level: Clearance::Admin,
        ..User::new(&user)
    });
}

/// Whether the demo is to run when no file is named: over an empty store, and over one that it has begun.
pub(super) fn is_for_the_demo(directory: &Directory) -> bool {
    let mut empty = true;
    let mut demo = false;
    for id in directory.ids() {
        empty = false;
        match directory.info(&id).map(|info| info.source) {
            Some(Source::File) => return false,
            Some(Source::Demo) => demo = true,
            Some(Source::Elsewhere) | None => {}
        }
    }
    empty || demo
}

/// How the people who have started the demo come in.
pub(super) struct Demo {
    /// The secret of its key.
    pub(super) key: Secret,
    /// What signs its user in at the console, once.
    pub(super) once: Secret,
    pub(super) user: UserId,
}

impl Demo {
    /// For the user of its key; `None` for a building without one.
    pub(super) fn of(building: &Building, key: Secret) -> Option<Self> {
        let user = building.api_keys.first()?.user.clone();
        let once = fresh_secret();
        Some(Self { key, once, user })
    }
}

/// A fresh secret for an API key. The demo gets one too: its key is an administrator's, and it may listen on any address.
pub(super) fn fresh_secret() -> Secret {
    let mut bytes = [0_u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(bytes.map(|byte| format!("{byte:02x}")).concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_of_the_program_alone_takes_the_place_of_one_of_the_file() {
        let text = "
users: [{id: riser-admin, email: a@example.test}]
api_keys:
  - {id: riser-admin, secret: of-the-file, user: riser-admin}
  - {id: panel, secret: of-the-panel, user: riser-admin}
";
        let file = BuildingFile::new(Path::new("b.yaml"), &known_drivers(), &BTreeMap::new());
        let building = file
            .with_admin(Some(Secret::new("secret")))
            .read(text)
            .unwrap();
        assert_eq!(building.users.len(), 1);
        assert_eq!(building.users[0].level, Clearance::Admin);
        let keys: Vec<&str> = building
            .api_keys
            .iter()
            .map(|key| key.id.as_str())
            .collect();
        assert_eq!(keys, ["panel", ADMIN]);
        assert_eq!(
            building.api_keys[1].secret,
            KeySecret::Plain(Secret::new("secret"))
        );
        assert_eq!(building.api_keys[1].level, Clearance::Admin);
    }
}
