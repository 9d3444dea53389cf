//! What a shell is offered, with and without a gateway to ask.

use crate::harness::{BUILDING, Gateway, Key, Terminal, display};

/// What is offered for the last word of a line, but for the flags, which fit nearly everywhere.
async fn offered(terminal: &Terminal, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let place = (words.len() - 1).to_string();
    let asked = [
        ("RISER_COMPLETE", "bash"),
        ("_CLAP_COMPLETE_INDEX", &place),
        ("_CLAP_IFS", "\n"),
    ];
    let mut arguments = vec!["--"];
    arguments.extend(words);
    let ran = terminal.run_with(&asked, &arguments).await;
    assert_eq!((ran.code, ran.err.len()), (Some(0), 0), "{ran:?}");
    let is_asked_for = |name: &String| line.contains(" --t") || !name.starts_with("--");
    ran.out.into_iter().filter(is_asked_for).collect()
}

async fn check(terminal: &Terminal, line: &str, expect: &[&str]) {
    assert_eq!(offered(terminal, line).await, expect, "{line:?}");
}

#[tokio::test]
async fn names_are_those_of_the_gateway_at_this_moment() {
    let gateway = Gateway::start(BUILDING).await;
    let mut console = gateway.connect(Key::USER).await;
    console.set(display("power"), true).await;
    console.set(display("volume"), 5).await;
    let terminal = Terminal::at(&gateway, Key::USER);

    check(&terminal, "riser bind ", &["sys-1", "sys-2"]).await;
    check(
        &terminal,
        "riser bind sys-1 Di",
        &["Display_1", "Display_2"],
    )
    .await;
    check(
        &terminal,
        "riser bind sys-1 Display_1 ",
        &["connected", "power", "volume"],
    )
    .await;
    check(&terminal, "riser bind sys-1 Display_1 power v", &["volume"]).await;
    check(
        &terminal,
        "riser bind --json sys-1 Display_1 po",
        &["power"],
    )
    .await;
    check(&terminal, "riser bind sys-1/Sh", &["sys-1/Shared_1/"]).await;
    check(
        &terminal,
        "riser bind sys-1/Display_1/p",
        &["sys-1/Display_1/power"],
    )
    .await;
    check(
        &terminal,
        "riser exec sys-1 Display s",
        &["set", "signal", "sleep"],
    )
    .await;
    check(
        &terminal,
        "riser exec sys-1/Display_1/se",
        &["sys-1/Display_1/set"],
    )
    .await;
    check(&terminal, "riser exec sys-1 Display set ", &[]).await;
    check(&terminal, "riser debug sys-2 ", &["Display_1", "Shared_1"]).await;
    check(&terminal, "riser debug sys-2/D", &["sys-2/Display_1"]).await;
    check(&terminal, "riser modules ", &["sys-1", "sys-2"]).await;
    let flags = format!("riser bind --url {} --key {} s", gateway.url(), Key::FLOOR);
    check(&Terminal::bare(), &flags, &["sys-2"]).await;
}

#[tokio::test]
async fn commands_and_flags_need_no_gateway_and_its_absence_is_silent() {
    let terminal = Terminal::bare().variable("RISER_URL", "http://127.0.0.1:1");
    check(&terminal, "riser comp", &["completions"]).await;
    check(&terminal, "riser completions z", &["zsh"]).await;
    check(&terminal, "riser bind --t", &["--timeout"]).await;
    check(&terminal, "riser debug --level no", &["notice"]).await;
    check(&terminal, "riser bind sys-1 ", &[]).await;
}

#[tokio::test]
async fn each_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Terminal::bare().run(&["completions", shell]).await;
        assert_eq!(script.code, Some(0), "{script:?}");
        assert!(
            script.out.join("\n").contains("RISER_COMPLETE"),
            "{script:?}"
        );
    }
}
