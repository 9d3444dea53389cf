//! A module in a path: `Display_3`.

use crate::model::{ModuleIndex, ModuleName};

/// Reads a name and an index, split at the last `_`. Without a number there the whole is the name, of the first module.
///
/// `None` for what can name no module, which is answered like a module that is not there.
pub fn module_slug(slug: &str) -> Option<(ModuleName, ModuleIndex)> {
    let split = slug.rsplit_once('_').and_then(|(name, index)| {
        let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        let index: u32 = index.parse().ok().filter(|_| digits)?;
        (!name.is_empty()).then_some((name, index))
    });
    let (name, index) = split.unwrap_or((slug, 1));
    Some((ModuleName::new(name).ok()?, ModuleIndex::new(index).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(slug: &str, expect: Option<(&str, u32)>) {
        let found = module_slug(slug);
        let found = found
            .as_ref()
            .map(|(name, index)| (name.as_str(), index.get()));
        assert_eq!(found, expect, "{slug:?}");
    }

    #[test]
    fn a_slug_ends_in_the_index() {
        check("Display_3", Some(("Display", 3)));
        check("My_Display_12", Some(("My_Display", 12)));
        check("Display_007", Some(("Display", 7)));
    }

    #[test]
    fn a_slug_without_an_index_is_the_first_module() {
        check("Display", Some(("Display", 1)));
        check("My_Display", Some(("My_Display", 1)));
        check("Display_", Some(("Display_", 1)));
        check("_3", Some(("_3", 1)));
        check("Display_+3", Some(("Display_+3", 1)));
        check("Display_4294967296", Some(("Display_4294967296", 1)));
    }

    #[test]
    fn nothing_stands_below_one() {
        check("Display_0", None);
        check("", None);
    }
}
