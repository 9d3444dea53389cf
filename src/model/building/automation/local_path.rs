//! Paths that may leave out their system: inside a trigger, `Display_1/power` is that of the trigger's own system.
//!
//! Separate from the whole paths, which every other part of a building has.

use driver_types::{ModuleIndex, ModuleName, SystemId};

use crate::model::{FunctionPath, InvalidPath, ModulePath, StatusPath};

/// A path of three parts, or of two with the system around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath<P> {
    path: P,
    is_local: bool,
}

/// What stands for the system of a path that leaves it out. It is never seen outside of this file.
const AROUND: &str = "-";

/// A path into a building.
pub trait WholePath: Clone {
    /// Reads a path of three parts.
    ///
    /// # Errors
    ///
    /// Why the text is none.
    fn parse(text: &str) -> Result<Self, InvalidPath>;

    /// The path as text.
    fn text(&self) -> &str;

    /// The system into which it leads.
    fn system(&self) -> &SystemId;

    /// The same in another system.
    fn moved(&self, system: &SystemId) -> Self;
}

/// A module of the same place in another system.
fn moved(module: &ModulePath, system: &SystemId) -> ModulePath {
    ModulePath {
        system: system.clone(),
        ..module.clone()
    }
}

impl WholePath for StatusPath {
    fn parse(text: &str) -> Result<Self, InvalidPath> {
        Self::parse(text)
    }

    fn text(&self) -> &str {
        self.as_str()
    }

    fn system(&self) -> &SystemId {
        &self.target().module.system
    }

    fn moved(&self, system: &SystemId) -> Self {
        let target = self.target();
        Self::new(moved(&target.module, system), target.status.clone())
    }
}

impl WholePath for FunctionPath {
    fn parse(text: &str) -> Result<Self, InvalidPath> {
        Self::parse(text)
    }

    fn text(&self) -> &str {
        self.as_str()
    }

    fn system(&self) -> &SystemId {
        &self.target().module.system
    }

    fn moved(&self, system: &SystemId) -> Self {
        let target = self.target();
        Self::new(moved(&target.module, system), target.function.clone())
    }
}

impl<P: WholePath> LocalPath<P> {
    /// Reads a path of three parts, or of two.
    ///
    /// # Errors
    ///
    /// Why the text is none.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let is_local = text.matches('/').count() == 1;
        let path = match is_local {
            true => P::parse(&format!("{AROUND}/{text}"))?,
            false => P::parse(text)?,
        };
        Ok(Self { path, is_local })
    }

    /// The path to something of the module at this place of the system around it.
    pub fn around(name: ModuleName, index: ModuleIndex, of: impl FnOnce(ModulePath) -> P) -> Self {
        let module = ModulePath {
            system: SystemId::new(AROUND).expect("a constant"),
            module: name,
            index,
        };
        Self {
            path: of(module),
            is_local: true,
        }
    }

    /// The path, if it leads into the system around it.
    pub fn inside(&self, system: Option<&SystemId>) -> Option<&P> {
        let leads_inside = self.is_local || system == Some(self.path.system());
        leads_inside.then_some(&self.path)
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        let text = self.path.text();
        match text.split_once('/') {
            Some((_, inside)) if self.is_local => inside,
            Some(_) | None => text,
        }
    }

    /// The whole path, inside this system; `None` where one is needed and there is none.
    pub fn within(&self, system: Option<&SystemId>) -> Option<P> {
        match (self.is_local, system) {
            (false, _) => Some(self.path.clone()),
            (true, Some(system)) => Some(self.path.moved(system)),
            (true, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use driver_types::StatusName;

    use super::*;

    #[test]
    fn a_path_of_two_parts_belongs_to_the_system_around_it() {
        let system = SystemId::new("a/b").unwrap();
        let path = LocalPath::<StatusPath>::parse("My_Display_02/po%2fwer").unwrap();
        assert_eq!(path.as_str(), "My_Display_2/po%2Fwer");
        let whole = path.within(Some(&system)).unwrap();
        assert_eq!(whole.as_str(), "a%2Fb/My_Display_2/po%2Fwer");
        assert_eq!(path.within(None), None);
        let status = |module| StatusPath::new(module, StatusName::new("po/wer").unwrap());
        let (name, index) = (ModuleName::new("My_Display"), ModuleIndex::new(2));
        let made = LocalPath::around(name.unwrap(), index.unwrap(), status);
        assert_eq!(made, path);
        assert!(made.inside(None).is_some());
        let whole = LocalPath::<StatusPath>::parse(whole.as_str()).unwrap();
        assert!(whole.inside(Some(&system)).is_some());
        assert!(whole.inside(None).is_none());
    }

    #[test]
    fn a_path_of_three_parts_stays_where_it_is() {
        let system = SystemId::new("sys-2").unwrap();
        let path = LocalPath::<FunctionPath>::parse("sys-1/Lamp_1/blink").unwrap();
        for around in [None, Some(&system)] {
            let whole = path.within(around).unwrap();
            assert_eq!(whole.as_str(), "sys-1/Lamp_1/blink");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "power", "Lamp/on", "a/b/c/d", "a/Lamp_1/"] {
            assert!(LocalPath::<StatusPath>::parse(text).is_err(), "{text}");
        }
    }
}
