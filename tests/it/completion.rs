//! What a shell is offered, with and without a gateway to ask.

use std::path::Path;

use crate::harness::{BUILDING, Folder, Gateway, Key, Ran, Terminal, display};

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
    check(&terminal, "riser exec sys-1 Display log w", &["warn"]).await;
    check(&terminal, "riser exec sys-1/Display_1/log no", &["notice"]).await;
    check(
        &terminal,
        "riser status sys-2/",
        &["sys-2/Display_1", "sys-2/Shared_1"],
    )
    .await;
    check(&terminal, "riser debug mod-sh", &["mod-shared"]).await;
    let admin = Terminal::at(&gateway, Key::ADMIN);
    check(&admin, "riser keys revoke c", &["climber", "controller"]).await;
    check(&admin, "riser keys create x --user user-a", &["user-ann"]).await;
    check(
        &admin,
        "riser keys create x --zone zone-l",
        &["zone-l1", "zone-l2"],
    )
    .await;
    check(&admin, "riser keys create x --system ", &["sys-1", "sys-2"]).await;
    check(&terminal, "riser debug sys-2 ", &["Display_1", "Shared_1"]).await;
    check(&terminal, "riser debug sys-2/D", &["sys-2/Display_1"]).await;
    check(&terminal, "riser modules ", &["sys-1", "sys-2"]).await;
    let flags = format!("riser bind --url {} --key {} s", gateway.url(), Key::FLOOR);
    check(&Terminal::bare(), &flags, &["sys-2"]).await;
    let flags = format!(
        "riser keys revoke -u {} -k {} fl",
        gateway.url(),
        Key::ADMIN
    );
    check(&Terminal::bare(), &flags, &["floor"]).await;
}

#[tokio::test]
async fn commands_and_flags_need_no_gateway_and_its_absence_is_silent() {
    let terminal = Terminal::bare().variable("RISER_URL", "http://127.0.0.1:1");
    check(&terminal, "riser comp", &["completions"]).await;
    check(&terminal, "riser completions z", &["zsh"]).await;
    check(&terminal, "riser bind --t", &["--timeout"]).await;
    check(&terminal, "riser debug --level no", &["notice"]).await;
    check(&terminal, "riser keys create x --level s", &["support"]).await;
    check(&terminal, "riser keys r", &["revoke"]).await;
    check(&terminal, "riser bind sys-1 ", &[]).await;
}

#[tokio::test]
async fn files_are_offered_to_every_shell() {
    let terminal = Terminal::bare().file("building.yaml", "").file("other", "");
    for shell in ["bash", "zsh", "fish"] {
        for words in [
            &["riser", "check", "bu"][..],
            &["riser", "apply", "bu"],
            &["riser", "serve", "--building", "bu"],
            &["riser", "systems", "--ca", "bu"],
            &["riser", "--tls-cert", "bu"],
        ] {
            let place = (words.len() - 1).to_string();
            let asked = [
                ("RISER_COMPLETE", shell),
                ("_CLAP_COMPLETE_INDEX", place.as_str()),
                ("_CLAP_IFS", "\n"),
            ];
            let ran = terminal.run_with(&asked, &[&["--"], words].concat()).await;
            let offered = ran.out.iter().map(|line| line.trim_end());
            let offered: Vec<&str> = offered.filter(|line| !line.is_empty()).collect();
            assert_eq!(offered, ["building.yaml"], "{shell} {words:?}: {ran:?}");
        }
    }
}

/// Types into a real bash on a terminal of its own, and waits for what the tabulator makes of it.
const IN_BASH: &str = r#"
import os, pty, select, signal, sys, time

pid, terminal = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
deadline = time.monotonic() + 20
seen = ""

def wait_for(text):
    global seen
    while text not in seen:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            os.kill(pid, signal.SIGKILL)
            sys.exit(f"no {text!r} in {seen!r}")
        seen += os.read(terminal, 65536).decode(errors="replace")
    seen = ""

def type(text):
    os.write(terminal, text.encode())

type("stty cols 900; PS1=; source <(riser completions bash); echo re''ady\n")
wait_for("ready\r\n")
for line, whole in zip(sys.argv[1::2], sys.argv[2::2]):
    type(line + "\t")
    wait_for(whole)
    type("\x15")
os.kill(pid, signal.SIGKILL)
"#;

#[tokio::test]
async fn a_real_bash_completes_files_names_and_words_of_few() {
    let gateway = Gateway::start(BUILDING).await;
    let programs = Folder::new();
    let riser = Path::new(env!("CARGO_BIN_EXE_riser"));
    std::os::unix::fs::symlink(riser, programs.path().join("riser")).expect("a link");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = format!("{}:{}", programs.path().display(), path.display());
    let terminal = Terminal::at(&gateway, Key::ADMIN)
        .variable("PATH", &path)
        .file("building.yaml", "");
    let by_flags = format!(
        "riser bind --url {} --key={} sys-2/D",
        gateway.url(),
        Key::FLOOR
    );
    let by_flags_whole = format!("{by_flags}isplay_1/");
    let words = [
        "-c",
        IN_BASH,
        "riser check bu",
        "riser check building.yaml ",
        "riser keys revoke contr",
        "riser keys revoke controller ",
        "riser keys create x --level=su",
        "riser keys create x --level=support ",
        "riser debug --level no",
        "riser debug --level notice ",
        "riser debug mod-sh",
        "riser debug mod-shared ",
        "riser exec sys-1 Display_1 log no",
        "riser exec sys-1 Display_1 log notice ",
        &by_flags,
        &by_flags_whole,
    ];
    let ran = Ran::of(terminal.start_program("python3", &words)).await;
    assert_eq!((ran.code, ran.err.len()), (Some(0), 0), "{ran:#?}");
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
