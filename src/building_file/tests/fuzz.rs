//! Any text in place of a building file: it is read or refused in whole lines, and no slip of the hand puts a secret into an error.

use super::*;
use crate::model::fuzz::{fuzz_slips, fuzz_text};

/// No text that is not a secret is like it.
const SECRET: &str = "hunter2swordfish";

const WORDS: [&str; 56] = [
    "zones",
    "systems",
    "modules",
    "users",
    "api_keys",
    "metadata",
    "apps",
    "services",
    "procedures",
    "hooks",
    "triggers",
    "steps",
    "when",
    "then",
    "call",
    "run",
    "header",
    "webhook",
    "{{ a }}",
    "* *",
    "keys",
    "webhooks",
    "id",
    "name",
    "driver",
    "settings",
    "secret",
    "password",
    "parent_id",
    "virtual",
    "${ENV:PASSWORD}",
    "${ENV:",
    "}",
    "{",
    "[",
    "]",
    ": ",
    ", ",
    "- ",
    "\n",
    "\n  ",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: ",
    "|",
    ">",
    "!!binary ",
    "~",
    "1e400",
    ".nan",
    "---\n",
    "\t",
    "\u{0}",
    "\u{feff}",
];

const WITH_SECRETS: [&str; 7] = [
    "users:\n  - {id: user-ann, email: ann@example.test, name: Ann, level: admin, password: hunter2swordfish}\napi_keys:\n  - {id: panel, secret: hunter2swordfish, user: user-ann, level: admin}\n",
    "users:\n  - id: user-ann\n    email: ann@example.test\n    password: hunter2swordfish\napi_keys:\n  - id: panel\n    secret: 'hunter2swordfish'\n    user: user-ann\n    scopes: [public]\n",
    "api_keys:\n  - id: panel\n    secret: \"hunter2swordfish\"\n    user: user-ann\nusers:\n  - id: user-ann\n    email: ann@example.test\n",
    "modules:\n  - id: mod-1\n    driver: virtual\n    settings: {password: hunter2swordfish, port: 23}\n  - id: mod-2\n    driver: virtual\n    settings:\n      password: hunter2swordfish\n",
    "apps:\n  - id: \"4201\"\n    keys: [{key: a1, secret: hunter2swordfish}]\n  - id: \"4202\"\n    keys:\n      - key: a2\n        secret: 'hunter2swordfish'\n    webhooks: [{url: \"https://h/hunter2swordfish\", events: [cache_miss]}]\n",
    "services:\n  - {secret: hunter2swordfishhunter2swordfish, name: Boiler room}\n  - name: Lobby\n    secret: 'hunter2swordfishHUNTER2SWORDFISH'\n    icon: \"http://h/i.png\"\n",
    "procedures: [{id: p, parameters: [who], steps: [{wait: 2s}]}]\nhooks:\n  - {name: h, header: {X-Token: hunter2swordfish}, run: p, args: {who: Ann}}\n  - name: i\n    header:\n      X-Token: 'hunter2swordfish'\n    run: p\n    args: [Ann]\ntriggers:\n  - {id: t, when: [{webhook: true, secret: hunter2swordfish}]}\n  - id: u\n    when:\n      - webhook: true\n        header: {X-Token: \"hunter2swordfish\"}\n    then: [{run: p, args: {who: Ann}}]\n",
];

#[test]
fn fuzz_building_file() {
    let mut corpus = vec![include_str!("../demo.yaml")];
    corpus.extend(WITH_SECRETS);
    fuzz_text(&corpus, &WORDS, |text| {
        if let Err(problems) = read_file(text) {
            let count = problems.list.len();
            assert!(count > 0);
            let lines = problems.to_string();
            assert_eq!(lines.lines().count(), count, "{lines}");
            let is_whole = |line: &str| line.starts_with("b.yaml:");
            assert!(lines.lines().all(is_whole), "{lines}");
        }
    });
}

#[test]
fn fuzz_slips_in_a_building_file_show_no_secret() {
    fuzz_slips(&WITH_SECRETS, |text| {
        if let Err(problems) = read_file(text) {
            let problems = problems.to_string();
            assert!(!problems.contains(SECRET), "{problems}");
        }
    });
}
