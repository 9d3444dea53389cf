//! Any text in place of a file of settings: it is read or refused in whole lines, and no slip of the hand puts a secret into an error.

use super::*;
use crate::model::fuzz::{fuzz_slips, fuzz_text};

/// No text that is not a secret is like it.
const SECRET: &str = "hunter2swordfish";

const FILES: [&str; 3] = [
    "listen = \"127.0.0.1:3000\"\nworkers = 2\n[limits]\nmessage_max = \"2MiB\"\nbindings_max = 10\n[http]\nallowed_origins = [\"https://a.test\"]\n",
    "[redis]\nurl = \"redis://riser:hunter2swordfish@redis.example.org/1\"\n[cluster]\nsecret = \"hunter2swordfish\"\nlease = \"10s\"\n",
    "cluster.secret = 'hunter2swordfish'\nredis.url = \"rediss://:hunter2swordfish@10.0.0.7:6380\"\nlog = \"info,riser::server=debug\"\n",
];

const WORDS: [&str; 22] = [
    "=",
    " = ",
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "{",
    "}",
    ".",
    ",",
    "\n",
    "#",
    "0",
    "-1",
    "18446744073709551616",
    "1e400",
    "limits",
    "true",
    "\\u0000",
    "\u{feff}",
];

fn refused(text: &str) -> Option<String> {
    let read = read_layers(text, &[], &Flags::default());
    read.err().map(|problems| problems.to_string())
}

#[test]
fn fuzz_settings() {
    fuzz_text(&FILES, &WORDS, |text| {
        if let Some(problems) = refused(text) {
            let is_whole = |line: &str| line.starts_with("riser.toml");
            assert!(!problems.is_empty());
            assert!(problems.lines().all(is_whole), "{problems}");
        }
    });
}

#[test]
fn fuzz_slips_in_settings_show_no_secret() {
    fuzz_slips(&FILES, |text| {
        if let Some(problems) = refused(text) {
            assert!(!problems.contains(SECRET), "{problems}");
        }
    });
}
