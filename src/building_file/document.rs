//! `docs/building.md` compared with the parser: a table for each list with the keys that are taken, and an example that has them all.
//! That the examples are good building files is tried with the whole program, in `tests/it/documents.rs`.

use super::parse;
use crate::model::{
    ApiKey, ChannelApp, Collection, CustomCommand, EntityOverride, Hook, Metadata, Module,
    Procedure, Service, System, Trigger, User, Zone,
};

const DOCUMENT: &str = include_str!("../../docs/building.md");

#[test]
fn the_document_has_every_key_of_the_building_file_and_no_other() {
    assert_eq!(keys(before_sections()), parse::BUILDING_KEYS);
    for (list, expected) in entry_keys() {
        assert_eq!(keys(section(list)), expected, "in the section `{list}`");
    }
}

#[test]
fn every_key_is_in_the_example_of_its_section() {
    for (list, expected) in entry_keys() {
        let example = section(list).split("```").nth(1).unwrap_or_default();
        let example = example
            .split_once(&format!("{list}:"))
            .unwrap_or_default()
            .1;
        for key in expected {
            assert!(
                example.contains(&format!("{key}: ")),
                "`{key}` is not in the example of `{list}`"
            );
        }
    }
}

fn entry_keys() -> [(&'static str, Vec<&'static str>); 13] {
    fn of<C: Collection>() -> (&'static str, Vec<&'static str>) {
        (C::LIST, parse::keys::<C>())
    }
    [
        of::<Zone>(),
        of::<System>(),
        of::<Module>(),
        of::<User>(),
        of::<ApiKey>(),
        of::<Metadata>(),
        of::<EntityOverride>(),
        of::<CustomCommand>(),
        of::<ChannelApp>(),
        of::<Service>(),
        of::<Procedure>(),
        of::<Hook>(),
        of::<Trigger>(),
    ]
}

fn before_sections() -> &'static str {
    DOCUMENT.split("\n## ").next().unwrap_or_default()
}

fn section(list: &str) -> &'static str {
    let heading = format!("`{list}`\n");
    let mut sections = DOCUMENT.split("\n## ").skip(1);
    sections
        .find_map(|section| section.strip_prefix(heading.as_str()))
        .unwrap_or_else(|| panic!("there is no section `{list}`"))
}

/// The first column of the tables.
fn keys(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(key, _)| key)
        .collect()
}
