//! `riser check` and `riser man`: what needs no gateway.

use crate::harness::{BUILDING, Terminal, root};

#[tokio::test]
async fn every_mistake_of_a_building_file_is_told_with_its_line() {
    let terminal = Terminal::bare().file(
        "b.yaml",
        "systems:\n  - {id: sys-1, name: Room, colour: red, modules: [mod-2]}\nmodules:\n  - {id: mod-1, driver: virtal}\n",
    );

    let checked = terminal.run(&["check", "b.yaml"]).await;

    assert_eq!(checked.code, Some(2), "{checked:?}");
    assert!(checked.out.is_empty(), "{checked:?}");
    let begins = |line: &String, begin: &str| line.starts_with(&format!("riser: b.yaml:{begin}"));
    let [colour, module, driver] = &checked.err[..] else {
        panic!("{checked:#?}");
    };
    assert!(
        begins(colour, "2:") && colour.contains("unknown key `colour`"),
        "{colour}"
    );
    assert!(
        begins(module, "2:") && module.contains("no module `mod-2`"),
        "{module}"
    );
    assert!(
        begins(driver, "4:") && driver.contains("did you mean `virtual`?"),
        "{driver}"
    );
}

#[tokio::test]
async fn a_module_is_held_to_what_its_driver_takes() {
    let terminal = Terminal::bare().file(
        "b.yaml",
        "modules:\n  - id: m\n    driver: demo_display\n    settings:\n      warm_up_seconds: soon\n      pol_seconds: 1\n  - id: n\n    driver: bookings\n    uri: tcp://127.0.0.1\n    settings: {meetings: [{title: T, host: a@b.example}, {host: a@b.example}], timezone: Mars}\n",
    );
    let checked = terminal.run(&["check", "b.yaml"]).await;
    assert_eq!(checked.code, Some(2), "{checked:?}");
    let expected = [
        "riser: b.yaml:5:24: the setting `warm_up_seconds` must be a number",
        "riser: b.yaml:6:7: unknown key `pol_seconds` in the settings; did you mean `poll_seconds`?",
        "riser: b.yaml:9:10: `uri` must be an address that begins with http:// or https://",
        "riser: b.yaml:10:58: the settings have no `title`; add it",
        "riser: b.yaml:10:90: the setting `timezone` must be a time zone of IANA's list, such as `Europe/London`",
    ];
    assert_eq!(checked.err, expected);
}

#[tokio::test]
async fn every_mistake_of_a_file_of_settings_is_told_with_its_line() {
    let terminal =
        Terminal::bare().file("my.toml", "workers = \"many\"\n\n[limits]\nbindings = 5\n");
    let checked = terminal.run(&["check", "my.toml"]).await;
    assert_eq!(checked.code, Some(2), "{checked:?}");
    let expected = [
        "riser: my.toml:1: `workers` must be a whole number from 0 to 512, not this text",
        "riser: my.toml:4: unknown key `limits.bindings`; did you mean `limits.bindings_max`?",
    ];
    assert_eq!(checked.err, expected);
}

#[tokio::test]
async fn a_good_file_is_called_good_and_printed_without_its_secrets() {
    let terminal = Terminal::bare()
        .file("b.yaml", BUILDING)
        .file("my.toml", "workers = 2\n");

    let quiet = terminal.run(&["check", "b.yaml"]).await;
    assert_eq!(
        quiet.err,
        [
            "riser: b.yaml: a good building file (zones 3, systems 2, modules 9, users 3, API keys 8)"
        ]
    );
    assert_eq!((quiet.code, quiet.out.len()), (Some(0), 0), "{quiet:?}");

    let printed = terminal.run(&["check", "b.yaml", "--print"]).await;
    let text = printed.out.join("\n");
    assert!(text.contains("mod-d1") && text.contains("***"), "{text}");
    assert!(!text.contains("secret-"), "{text}");
    let again = Terminal::bare().file("again.yaml", &text);
    let again = again.run(&["check", "again.yaml"]).await;
    assert_eq!(
        again.code,
        Some(0),
        "it is a building file again: {again:?}"
    );

    let settings = terminal.run(&["check", "my.toml", "--print"]).await;
    assert_eq!(settings.code, Some(0), "{settings:?}");
    for line in ["workers = 2 # my.toml:1", "deadline = \"15s\" # default"] {
        assert!(
            settings.out.iter().any(|other| other == line),
            "{settings:#?}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_checked_is_told_why() {
    let terminal = Terminal::bare().file("b.txt", "");
    terminal.run(&["check", "b.txt"]).await.assert_failed(
        2,
        "riser: b.txt: neither a building file (.yaml, .yml, .json) nor a file of settings (.toml); rename it or name another",
    );
    terminal.run(&["check", "none.yaml"]).await.assert_failed(
        2,
        "riser: none.yaml: could not read the file (No such file or directory (os error 2)); check the path and its permissions",
    );
}

#[tokio::test]
async fn there_is_a_manual_page_for_every_command() {
    let terminal = Terminal::bare();

    terminal.run(&["man", "."]).await.assert_printed(&[]);

    for (page, text) in [
        ("riser.1", "building"),
        ("riser-serve.1", "listen"),
        ("riser-bind.1", "Exit codes"),
        ("riser-check.1", "print"),
    ] {
        let page = terminal.folder().path().join(page);
        let page = std::fs::read_to_string(&page).expect("the page is there");
        assert!(page.contains(text), "{page}");
    }

    terminal.run(&["man", "none"]).await.assert_failed(
        2,
        "riser: none: could not write the manual pages (No such file or directory (os error 2)); name a folder that is there",
    );
}

#[tokio::test]
async fn the_files_that_a_package_brings_are_good() {
    let terminal = Terminal::bare().variable("ADMIN_KEY_SECRET", "a-secret-of-the-test");
    for file in ["packaging/riser.toml", "packaging/building.yaml"] {
        let path = root().join(file).display().to_string();
        let checked = terminal.run(&["check", &path]).await;
        assert_eq!(checked.code, Some(0), "{checked:#?}");
    }
}
