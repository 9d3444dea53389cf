//! What apps need beyond the kinds of their fields: what these do not say together, and keys that no other app has.
//!
//! Separate from the reading of entries in general, which only calls this.

use crate::building_file::node::Node;
use crate::building_file::settings::{items, value};
use crate::model::ChannelApp;
use crate::model::rules::Thing;

use super::Parser;

impl Parser<'_> {
    pub(super) fn app(&mut self, node: &Node) -> Option<ChannelApp> {
        let app: ChannelApp = self.read(node)?;
        self.mistakes(node, app.mistakes());
        let given = value(node, "keys").into_iter().flat_map(items);
        for (key, given) in app.keys.list().iter().zip(given) {
            let at = value(given, "key").map_or(given.at, |name| name.used_at);
            self.claim(Thing::AppKey, &key.key, at);
        }
        Some(app)
    }
}
