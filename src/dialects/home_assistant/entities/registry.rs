//! The registries as clients list them: areas, floors, labels, devices, entities.
//!
//! Each list is written for who asks: of what stands in a place that they may not see it says nothing.

use std::collections::HashSet;

use crate::model::ModulePath;

use super::context::{put, write_text};
use super::entity::{Category, Entity};
use super::module::ModuleEntities;
use super::view::{Area, Group, View};

/// Who is behind all entities, in the words of Home Assistant: the integration.
const PLATFORM: &str = "gateway";

/// Which modules are to be seen.
pub type MaySee<'a> = &'a dyn Fn(&ModulePath) -> bool;

impl View {
    /// `config/area_registry/list`: the systems that have a module to be seen.
    pub fn write_areas(&self, may_see: MaySee<'_>, out: &mut Vec<u8>) {
        list(out, self.seen_areas(may_see), write_area);
    }

    /// `config/floor_registry/list`, for who may see everything.
    pub fn write_floors(&self, out: &mut Vec<u8>) {
        list(out, self.floors().iter(), write_floor);
    }

    /// The floors that have a module to be seen.
    pub fn write_floors_for(&self, may_see: MaySee<'_>, out: &mut Vec<u8>) {
        let areas = self.seen_areas(may_see);
        let seen: HashSet<&str> = areas.filter_map(|area| area.floor.as_deref()).collect();
        let floors = self.floors().iter();
        list(
            out,
            floors.filter(|floor| seen.contains(&*floor.id)),
            write_floor,
        );
    }

    /// `config/label_registry/list`, for who may see everything.
    pub fn write_labels(&self, out: &mut Vec<u8>) {
        list(out, self.labels().iter(), write_label);
    }

    /// The labels of areas that have a module to be seen.
    pub fn write_labels_for(&self, may_see: MaySee<'_>, out: &mut Vec<u8>) {
        let labels = self.seen_areas(may_see).flat_map(|area| &area.labels);
        let seen: HashSet<&str> = labels.map(|label| &**label).collect();
        let labels = self.labels().iter();
        list(
            out,
            labels.filter(|label| seen.contains(&*label.id)),
            write_label,
        );
    }

    /// `config/device_registry/list`.
    pub fn write_devices(&self, may_see: MaySee<'_>, out: &mut Vec<u8>) {
        list(out, self.seen(may_see), write_device);
    }

    /// `config/entity_registry/list`.
    pub fn write_entries(&self, may_see: MaySee<'_>, out: &mut Vec<u8>) {
        let entities = self.seen(may_see).flat_map(|module| &module.entities);
        list(out, entities, |entity, out| {
            out.push(b'{');
            entity.write_entry(out);
            out.push(b'}');
        });
    }

    /// `config/entity_registry/list_for_display`.
    pub fn write_entries_for_display(&self, may_see: MaySee<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"entity_categories\":{\"0\":\"config\",\"1\":\"diagnostic\"},");
        out.extend_from_slice(b"\"entities\":");
        let entities = self.seen(may_see).flat_map(|module| &module.entities);
        list(out, entities, |entity, out| entity.write_for_display(out));
        out.push(b'}');
    }

    fn seen_areas<'v>(&'v self, may_see: MaySee<'v>) -> impl Iterator<Item = &'v Area> {
        let seen = self.seen(may_see);
        let seen: HashSet<&str> = seen.map(|module| &**module.area_id()).collect();
        let areas = self.areas().iter();
        areas.filter(move |area| seen.contains(&*area.id))
    }

    fn seen<'v>(&'v self, may_see: MaySee<'v>) -> impl Iterator<Item = &'v ModuleEntities> {
        let modules = self.modules().iter().map(|module| &**module);
        modules.filter(move |module| may_see(&module.path))
    }
}

impl Entity {
    /// The answer to `config/entity_registry/get`: an entry of the list and what is only there.
    pub fn write_extended_entry(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        self.write_entry(out);
        out.extend_from_slice(b",\"aliases\":[],\"capabilities\":null,\"device_class\":null,");
        out.extend_from_slice(b"\"original_device_class\":");
        optional(out, self.device_class.as_deref());
        out.extend_from_slice(b",\"original_icon\":null}");
    }

    /// The members of an entry.
    fn write_entry(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"area_id\":null,\"categories\":{},\"config_entry_id\":null,");
        out.extend_from_slice(b"\"config_subentry_id\":null,\"created_at\":0.0,\"device_id\":");
        write_text(out, &self.device_id);
        out.extend_from_slice(b",\"disabled_by\":null,\"entity_category\":");
        optional(out, self.category.map(Category::as_str));
        out.extend_from_slice(b",\"entity_id\":");
        write_text(out, &self.id);
        out.extend_from_slice(
            b",\"has_entity_name\":true,\"hidden_by\":null,\"icon\":null,\"id\":",
        );
        write_text(out, &self.unique_id);
        out.extend_from_slice(b",\"labels\":[],\"modified_at\":0.0,\"name\":null,\"options\":{},");
        out.extend_from_slice(b"\"original_name\":");
        optional(out, self.short_name.as_deref());
        put(out, format_args!(",\"platform\":\"{PLATFORM}\","));
        out.extend_from_slice(b"\"translation_key\":null,\"unique_id\":");
        write_text(out, &self.unique_id);
    }

    fn write_for_display(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"ei\":");
        write_text(out, &self.id);
        put(
            out,
            format_args!(",\"pl\":\"{PLATFORM}\",\"lb\":[],\"di\":"),
        );
        write_text(out, &self.device_id);
        out.extend_from_slice(b",\"ai\":");
        write_text(out, &self.area_id);
        match self.category {
            Some(Category::Config) => out.extend_from_slice(b",\"ec\":0"),
            Some(Category::Diagnostic) => out.extend_from_slice(b",\"ec\":1"),
            None => {}
        }
        out.extend_from_slice(b",\"hn\":true");
        if let Some(name) = &self.short_name {
            out.extend_from_slice(b",\"en\":");
            write_text(out, name);
        }
        out.push(b'}');
    }
}

fn write_floor(floor: &Group, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"aliases\":[],\"created_at\":0.0,\"floor_id\":");
    write_text(out, &floor.id);
    out.extend_from_slice(b",\"icon\":null,\"level\":null,\"modified_at\":0.0,\"name\":");
    write_text(out, &floor.name);
    out.push(b'}');
}

fn write_label(label: &Group, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"color\":null,\"created_at\":0.0,\"description\":null,");
    out.extend_from_slice(b"\"icon\":null,\"label_id\":");
    write_text(out, &label.id);
    out.extend_from_slice(b",\"modified_at\":0.0,\"name\":");
    write_text(out, &label.name);
    out.push(b'}');
}

fn write_area(area: &Area, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"aliases\":[],\"area_id\":");
    write_text(out, &area.id);
    out.extend_from_slice(b",\"created_at\":0.0,\"floor_id\":");
    optional(out, area.floor.as_deref());
    out.extend_from_slice(b",\"humidity_entity_id\":null,\"icon\":null,\"labels\":");
    list(out, area.labels.iter(), |label, out| write_text(out, label));
    out.extend_from_slice(b",\"modified_at\":0.0,\"name\":");
    write_text(out, &area.name);
    out.extend_from_slice(b",\"picture\":null,\"temperature_entity_id\":null}");
}

fn write_device(module: &ModuleEntities, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"area_id\":");
    write_text(out, module.area_id());
    out.extend_from_slice(b",\"configuration_url\":null,\"config_entries\":[],");
    out.extend_from_slice(b"\"config_entries_subentries\":{},\"connections\":[],");
    out.extend_from_slice(b"\"created_at\":0.0,\"disabled_by\":null,\"entry_type\":null,");
    out.extend_from_slice(b"\"hw_version\":null,\"id\":");
    write_text(out, &module.device_id);
    put(out, format_args!(",\"identifiers\":[[\"{PLATFORM}\","));
    write_text(out, &module.device_id);
    out.extend_from_slice(b"]],\"labels\":[],\"manufacturer\":null,\"model\":");
    write_text(out, module.model());
    out.extend_from_slice(
        b",\"model_id\":null,\"modified_at\":0.0,\"name_by_user\":null,\"name\":",
    );
    write_text(out, &module.name);
    out.extend_from_slice(b",\"primary_config_entry\":null,\"serial_number\":null,");
    out.extend_from_slice(b"\"sw_version\":null,\"via_device_id\":null}");
}

fn optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => write_text(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

/// A JSON array.
fn list<T>(
    out: &mut Vec<u8>,
    entries: impl Iterator<Item = T>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(b'[');
    for (place, entry) in entries.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(entry, out);
    }
    out.push(b']');
}
