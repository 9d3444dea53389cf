//! Layers and the settings or the exact lines they lead to.

mod fuzz;

use super::*;

type Variables<'a> = &'a [(&'a str, &'a str)];

fn read_layers(file: &str, variables: Variables<'_>, flags: &Flags) -> Result<Settings, Problems> {
    let environment = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    read(Some(("riser.toml", file)), flags, &environment)
}

fn settings(file: &str, variables: Variables<'_>) -> Settings {
    read_layers(file, variables, &Flags::default()).unwrap()
}

/// The file and the variables are answered with exactly these lines; none means that they are fine.
#[track_caller]
fn check(file: &str, variables: Variables<'_>, expect: &[&str]) {
    let problems = match read_layers(file, variables, &Flags::default()) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    };
    assert_eq!(problems, expect.join("\n"), "for\n{file}\n{variables:?}");
}

#[test]
fn nothing_set_gives_the_defaults() {
    let nothing = read(None, &Flags::default(), &BTreeMap::new());
    assert_eq!(nothing, Ok(Settings::default()));
    assert_eq!(settings("", &[]), Settings::default());
    assert_eq!(
        settings("[limits]\n[exec]\n", &[("RISER_LOG", "")]),
        Settings::default()
    );
}

#[test]
fn the_defaults_in_the_reference_are_those_of_the_program() {
    for key in keys::KEYS.iter().filter(|key| !key.default.is_empty()) {
        let variable = env::variable(key.name);
        assert_eq!(
            settings("", &[(&variable, key.default)]),
            Settings::default(),
            "{variable}"
        );
    }
}

/// The public half of a key whose private half was thrown away.
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlNvtSRsNXuk9rqm2x5lW
wPAeGLqYya0c9LPXggsOmRjj9y9Qe76Tn6v884VVRQVXu6N/Y7awsCfdD6BcLMMm
+MrqcikoRYYLv/kB9Rjy5OA50icWqTaEA0UOpFclgAdpC8QakIlHOh3v05QW9S9d
omeFPBu0E7XAMmF616QVtt0KFVfSR+rdGTNAdwKpPZ+SM+pLmgokTrxnY4y8Yq2s
CCqvylkRNg2SgcL9fv03C3pH/DBCTQ5dXWZaQYkKsHYIItQ7N9skBWUqWvzTAnuC
5V5Hav7oTQLJ0YLT18omqpUOSZCudS6MpmuWDYFV5EtAU52IpyGB+VDT4clm/YiI
yQIDAQAB
-----END PUBLIC KEY-----";

#[test]
fn every_key_of_the_reference_changes_something() {
    for key in keys::KEYS {
        let other = match key.takes {
            keys::ADDRESS => "0.0.0.0:80",
            keys::COUNT => "7",
            keys::DURATION => "3s",
            keys::SIZE => "5KiB",
            keys::PLAIN_MODE => "stay",
            keys::LOG_FORMAT => "json",
            keys::SWITCH => "true",
            keys::ROLE => "core",
            keys::EDGES => "mod-1-edge=edge-1",
            keys::BASE_PATH => "/riser",
            keys::ORIGINS => "https://app.test",
            keys::FOLDERS => "/app/=folder",
            keys::WEB_ADDRESS => "http://10.0.0.7:3000",
            keys::NETWORKS => "10.0.0.0/8",
            keys::PROXY_HEADERS => "forwarded",
            _ => "trace",
        };
        let other = match key.name {
            "keep_alive.reap_after" => "31s",
            "sign_in.token_life" => "90s",
            "jwt_public" => PUBLIC_KEY,
            "dialects" => ",",
            "home_assistant.frontend" | "platypush.web_ui" => "folder",
            "pushjet.create" => "anyone",
            "http.hsts" => "false",
            "redis.url" => "redis://localhost",
            "admin_secret" | "cluster.secret" => "sixteen characters",
            _ => other,
        };
        let variable = env::variable(key.name);
        let needed = needed_by(key.name);
        assert_ne!(
            settings(needed, &[(&variable, other)]),
            settings(needed, &[]),
            "{variable}"
        );
    }
}

/// The file of settings without which a key cannot be set.
fn needed_by(key: &str) -> &'static str {
    if key.starts_with("tls.") {
        "[tls]\ncert = \"a\"\nkey = \"b\"\nplain_listen = \"127.0.0.1:1\"\n"
    } else if ["redis.ca", "redis.cert", "redis.key"].contains(&key) {
        "[redis]\nurl = \"rediss://localhost\"\ncert = \"a\"\nkey = \"b\"\n"
    } else if key == "home_assistant.frontend" {
        "[home_assistant]\nlisten = \"127.0.0.1:0\"\n"
    } else if key == "platypush.web_ui" {
        "[platypush]\nlisten = \"127.0.0.1:0\"\n"
    } else if key == "placeos" {
        "[redis]\nurl = \"redis://localhost\"\n"
    } else if key == "admin_secret" {
        "building = \"hq.yaml\"\n"
    } else if key == "placeos_api" {
        "placeos = true\n[redis]\nurl = \"redis://localhost\"\n"
    } else {
        ""
    }
}

#[test]
fn a_foreign_key_is_taken_under_placeos_name_too_and_never_shown() {
    let ours = settings("", &[("RISER_JWT_PUBLIC", PUBLIC_KEY)]);
    assert_eq!(settings("", &[("JWT_PUBLIC", PUBLIC_KEY)]), ours);
    let both = [("JWT_PUBLIC", "wrong"), ("RISER_JWT_PUBLIC", PUBLIC_KEY)];
    assert_eq!(settings("", &both), ours);
    check(
        "",
        &[("JWT_PUBLIC", "hunter2")],
        &[
            "RISER_JWT_PUBLIC: `jwt_public` is not the PEM of an RSA public key of at least 2048 bits, nor that in base64; copy it from who signs the tokens",
        ],
    );
}

#[test]
fn where_a_browser_may_be_sent_is_a_list_or_apart_by_commas() {
    let by_file = settings(
        "sign_in.redirects = [\"https://a.test/r\", \"https://b.test/r\"]",
        &[],
    );
    let by_variable = [(
        "RISER_SIGN_IN__REDIRECTS",
        "https://a.test/r, https://b.test/r,",
    )];
    assert_eq!(by_file, settings("", &by_variable));
    assert_eq!(
        by_file.server.redirects,
        ["https://a.test/r", "https://b.test/r"]
    );
}

#[test]
fn the_outcome_is_a_file_that_leads_to_the_same() {
    let file = "workers = 2\nlog = \"info,riser=debug\"\n[limits]\nmessage_max = \"4 MiB\"\n[sign_in]\nredirects = [\"https://a.test\"]\n";
    let variables = BTreeMap::from([
        ("RISER_EXEC__DEADLINE".to_owned(), "3s".to_owned()),
        ("JWT_PUBLIC".to_owned(), PUBLIC_KEY.to_owned()),
    ]);
    let flags = Flags::default();

    let outcome = outcome(Some(("my.toml", file)), &flags, &variables).unwrap();

    for line in [
        "listen = \"127.0.0.1:3000\" # default",
        "# building is not set",
        "workers = 2 # my.toml:1",
        "message_max = \"4 MiB\" # my.toml:4",
        "redirects = [\"https://a.test\"] # my.toml:6",
        "deadline = \"3s\" # RISER_EXEC__DEADLINE",
    ] {
        assert!(
            outcome.lines().any(|other| other == line),
            "no {line} in\n{outcome}"
        );
    }
    let again = read(Some(("again.toml", &outcome)), &flags, &BTreeMap::new());
    assert_eq!(again, read(Some(("my.toml", file)), &flags, &variables));
}

#[test]
fn a_whole_file_is_read() {
    let settings = settings(
        r#"
        listen = "0.0.0.0:8080"
        health_listen = "[::1]:9090"
        workers = 4
        drain_deadline = "2500ms"
        send_buffer = 131072
        building = "hq.yaml"
        data = "/var/lib/riser"
        log = "info,riser::server=debug"
        log_format = "json"
        [limits]
        message_max = "4 MiB"
        bindings_max = 0
        requests_per_second = 50
        connections_max = 20000
        connections_per_key = 10
        connections_per_address = "5"
        strangers_max = 300
        [http]
        keep_alive = "2m"
        [keep_alive]
        ping_after = "1m"
        pong_every = "1h"
        reap_after = "2min"
        [exec]
        deadline = "500ms"
        [tls]
        cert = "chain.pem"
        key = "key.pem"
        plain_listen = "0.0.0.0:80"
        plain_mode = "stay"
        "#,
        &[],
    );
    let server = &settings.server;
    assert_eq!(server.listen, "0.0.0.0:8080".parse().unwrap());
    assert_eq!(server.health_listen, Some("[::1]:9090".parse().unwrap()));
    let tls = TlsSettings {
        certificate: PathBuf::from("chain.pem"),
        key: PathBuf::from("key.pem"),
        plain: Some(PlainSettings::Stay("0.0.0.0:80".parse().unwrap())),
    };
    assert_eq!(server.tls, Some(tls));
    assert_eq!(server.workers, 4);
    assert_eq!(server.drain_deadline, Duration::from_millis(2500));
    assert_eq!(server.send_buffer_bytes, 131_072);
    assert_eq!(settings.building, Some(PathBuf::from("hq.yaml")));
    assert_eq!(settings.data, Some(PathBuf::from("/var/lib/riser")));
    assert_eq!(settings.log, "info,riser::server=debug");
    assert_eq!(settings.log_format, LogSettings::Json);
    assert_eq!(server.limits.message_max_bytes, 4 << 20);
    assert_eq!(server.limits.bindings_max, 0);
    assert_eq!(server.limits.requests_per_second, 50);
    assert_eq!(server.limits.connections_max, 20_000);
    assert_eq!(server.limits.connections_per_key, 10);
    assert_eq!(server.limits.connections_per_address, 5);
    assert_eq!(server.limits.strangers_max, 300);
    assert_eq!(server.http_keep_alive, Duration::from_secs(120));
    assert_eq!(server.keep_alive.ping_after, Duration::from_secs(60));
    assert_eq!(server.keep_alive.pong_every, Duration::from_secs(3600));
    assert_eq!(server.keep_alive.reap_after, Duration::from_secs(120));
    assert_eq!(settings.core.exec_deadline, Duration::from_millis(500));
}

#[test]
fn the_environment_wins_over_the_file_and_a_flag_over_both() {
    let file = "listen = \"127.0.0.1:1\"\nworkers = 1\nbuilding = \"a\"\ndata = \"a\"\n[exec]\ndeadline = \"1s\"\n";
    let variables = [
        ("RISER_LISTEN", "127.0.0.1:2"),
        ("RISER_WORKERS", "2"),
        ("RISER_BUILDING", "b"),
        ("RISER_DATA", "b"),
        ("RISER_KEEP_ALIVE__PING_AFTER", "2s"),
    ];
    let by_variable = settings(file, &variables);
    assert_eq!(by_variable.server.listen.port(), 2);
    assert_eq!(by_variable.server.workers, 2);
    assert_eq!(by_variable.building, Some(PathBuf::from("b")));
    assert_eq!(by_variable.data, Some(PathBuf::from("b")));
    assert_eq!(
        by_variable.server.keep_alive.ping_after,
        Duration::from_secs(2)
    );
    assert_eq!(by_variable.core.exec_deadline, Duration::from_secs(1));

    let flags = Flags {
        config: None,
        listen: Some("127.0.0.1:3".to_owned()),
        building: Some(PathBuf::from("c")),
        data: Some(PathBuf::from("c")),
        redis: None,
        advertise: Some("http://c:1".to_owned()),
        placeos: None,
        workers: Some("3".to_owned()),
        log: Some("warn".to_owned()),
        tls_cert: Some("d".to_owned()),
        tls_key: Some("e".to_owned()),
    };
    let by_flag = read_layers(file, &variables, &flags).unwrap();
    assert_eq!(by_flag.server.listen.port(), 3);
    assert_eq!(by_flag.server.workers, 3);
    assert_eq!(by_flag.log, "warn");
    assert_eq!(by_flag.building, Some(PathBuf::from("c")));
    assert_eq!(by_flag.data, Some(PathBuf::from("c")));
    assert_eq!(by_flag.cluster.advertise, NodeUri::new("http://c:1").ok());
    assert_eq!(by_flag.core.exec_deadline, Duration::from_secs(1));
}

#[test]
fn a_gateway_is_put_beside_a_placeos_by_flags() {
    let flags = Flags {
        redis: Some("redis://localhost".to_owned()),
        placeos: Some("true".to_owned()),
        ..Flags::default()
    };
    let settings = read_layers("", &[], &flags).unwrap();
    assert_eq!(settings.redis, RedisSettings::at("redis://localhost").ok());
    assert!(settings.placeos);
    assert_eq!(settings.cluster.role, NodeRole::Gateway);
    let variables = [("RISER_CLUSTER__ROLE", "core")];
    let settings = read_layers("", &variables, &flags).unwrap();
    assert_eq!(settings.cluster.role, NodeRole::Core);
}

#[test]
fn variables_that_are_not_settings_are_left_alone() {
    check(
        "",
        &[
            ("PATH", "/bin"),
            ("RISER", "x"),
            ("RISER_URL", "http://127.0.0.1:3000"),
            ("RISER_API_KEY", "a.b"),
            ("RISER_PORT", "tcp://10.0.0.1:3000"),
            ("RISER_PORT_3000_TCP_PROTO", "tcp"),
            ("RISER_SERVICE_HOST", "10.0.0.1"),
        ],
        &[],
    );
}

#[test]
fn an_unknown_key_is_named_with_its_source() {
    let all = keys::KEYS
        .iter()
        .map(|key| key.name)
        .collect::<Vec<_>>()
        .join(", ");
    check(
        "lisen = \"x\"\ncolour = 1\n[limits]\nbindings = 5\n[keepalive]\n[zzz]\n",
        &[
            ("RISER_LISEN", "x"),
            ("RISER_KEEP_ALIVE_PING_AFTER", "1s"),
            ("RISER_PORT", "80"),
        ],
        &[
            "riser.toml:1: unknown key `lisen`; did you mean `listen`?",
            &format!("riser.toml:2: unknown key `colour`; known are {all}"),
            "riser.toml:4: unknown key `limits.bindings`; did you mean `limits.bindings_max`?",
            "riser.toml:5: unknown key `keepalive`; did you mean `keep_alive`?",
            &format!("riser.toml:6: unknown key `zzz`; known are {all}"),
            "RISER_KEEP_ALIVE_PING_AFTER: unknown setting; did you mean RISER_KEEP_ALIVE__PING_AFTER?",
            "RISER_LISEN: unknown setting; did you mean RISER_LISTEN?",
            "RISER_PORT: unknown setting; did you mean RISER_LOG?",
        ],
    );
}

#[test]
fn a_section_is_not_a_value() {
    check(
        "exec = \"15s\"\n[listen]\naddress = \"x\"\n",
        &[],
        &[
            "riser.toml:1: `exec` is a section; write `[exec]` on a line and its keys below it",
            "riser.toml:3: unknown key `listen.address`; did you mean `listen`?",
        ],
    );
}

#[test]
fn a_wrong_value_is_named_with_what_is_expected() {
    check(
        "listen = 3000\nhealth_listen = \"localhost:80\"\nworkers = -1\nsend_buffer = \"64KB\"\nbuilding = \"\"\nlog = \"verbose\"\n[limits]\nrequests_per_second = 1.5\nbindings_max = true\n[keep_alive]\nping_after = 30\npong_every = \"0s\"\nreap_after = [\"90s\"]\n",
        &[
            ("RISER_EXEC__DEADLINE", "2 days"),
            ("RISER_LIMITS__CONNECTIONS_MAX", "many"),
        ],
        &[
            "riser.toml:1: `listen` must be an address and port such as 127.0.0.1:3000 or [::]:3000, not 3000",
            "riser.toml:2: `health_listen` must be an address and port such as 127.0.0.1:3000 or [::]:3000, not this text",
            "riser.toml:3: `workers` must be a whole number from 0 to 512, not -1",
            "riser.toml:4: `send_buffer` must be a size such as 64KiB or 2MiB, not this text",
            "riser.toml:5: `building` must be a path, not this text",
            "riser.toml:6: `log` must be error, warn, info, debug, trace, off or a filter such as info,riser::server=debug, not this text",
            "riser.toml:8: `limits.requests_per_second` must be a whole number from 0 to 4294967295, not 1.5",
            "riser.toml:9: `limits.bindings_max` must be a whole number from 0 to 18446744073709551615, not true",
            "riser.toml:11: `keep_alive.ping_after` must be a duration such as 500ms, 10s or 2m, not 30",
            "riser.toml:12: `keep_alive.pong_every` must be a duration such as 500ms, 10s or 2m, not this text",
            "riser.toml:13: `keep_alive.reap_after` must be a duration such as 500ms, 10s or 2m, not an array",
            "RISER_LIMITS__CONNECTIONS_MAX: `limits.connections_max` must be a whole number from 0 to 18446744073709551615, not this text",
            "RISER_EXEC__DEADLINE: `exec.deadline` must be a duration such as 500ms, 10s or 2m, not this text",
        ],
    );
}

#[test]
fn a_wrong_flag_is_named_by_the_flag() {
    let flags = Flags {
        listen: Some("here".to_owned()),
        workers: Some("4096".to_owned()),
        ..Flags::default()
    };
    assert_eq!(
        read_layers("listen = \"127.0.0.1:1\"", &[], &flags)
            .unwrap_err()
            .to_string(),
        "--listen: `listen` must be an address and port such as 127.0.0.1:3000 or [::]:3000, not this text\n\
         --workers: `workers` must be a whole number from 0 to 512, not this text",
    );
}

#[test]
fn a_token_lives_for_as_long_as_apps_keep_it() {
    let key = "RISER_SIGN_IN__TOKEN_LIFE";
    check(
        "",
        &[(key, "59s")],
        &[
            "RISER_SIGN_IN__TOKEN_LIFE: `sign_in.token_life` must be at least 1m: PlaceOS's apps keep a token for a minute, and are refused with one that has ended before; raise it or leave it out",
        ],
    );
    check("", &[(key, "60s")], &[]);
}

#[test]
fn values_must_go_together() {
    check(
        "listen = \"127.0.0.1:80\"\nhealth_listen = \"127.0.0.1:80\"\ndrain_deadline = \"7s\"\nsend_buffer = 100\n[limits]\nmessage_max = \"1000B\"\n",
        &[("RISER_KEEP_ALIVE__REAP_AFTER", "30s")],
        &[
            "riser.toml:2: `health_listen` must differ from `listen`; leave it out to serve health beside everything else",
            "riser.toml:3: `drain_deadline` must be at most 5s, since the whole stop may take 8s; lower it",
            "riser.toml:4: `send_buffer` must be at least 4KiB; raise it or leave it out",
            "riser.toml:6: `limits.message_max` must be at least 1KiB, or no request fits; raise it or leave it out",
            "RISER_KEEP_ALIVE__REAP_AFTER: `keep_alive.ping_after` must be shorter than `keep_alive.reap_after`, or no client lives long enough to answer a ping; lower the first or raise the second",
        ],
    );
    check(
        "listen = \"127.0.0.1:0\"\nhealth_listen = \"127.0.0.1:0\"\n",
        &[],
        &[],
    );
}

#[test]
fn tls_takes_a_certificate_and_its_key() {
    let both = "cert = \"a\"\nkey = \"b\"\n";
    let refused = |tls: &str, line: &str| check(&format!("[tls]\n{tls}"), &[], &[line]);
    refused(
        "cert = \"a\"\n",
        "riser.toml:2: `tls.cert` needs `tls.key`; set both or neither",
    );
    refused(
        "plain_listen = \"127.0.0.1:80\"\n",
        "riser.toml:2: `tls.plain_listen` stands beside an encrypted address; set `tls.cert` and `tls.key`, or leave it out since `listen` is plain",
    );
    refused(
        &format!("{both}plain_mode = \"stay\"\n"),
        "riser.toml:4: `tls.plain_mode` says what `tls.plain_listen` does, which is not set; set it or leave out both",
    );
    refused(
        &format!("{both}plain_listen = \"127.0.0.1:80\"\nplain_mode = \"both\"\n"),
        "riser.toml:5: `tls.plain_mode` must be redirect or stay, not this text",
    );
    refused(
        &format!("{both}plain_listen = \"127.0.0.1:3000\"\n"),
        "riser.toml:4: `tls.plain_listen` must differ from `listen` and `health_listen`; choose another port",
    );
    let flags = Flags {
        tls_key: Some("key.pem".to_owned()),
        ..Flags::default()
    };
    assert_eq!(
        read_layers("", &[], &flags).unwrap_err().to_string(),
        "--tls-key: `tls.key` needs `tls.cert`; set both or neither"
    );
}

#[test]
fn what_is_not_toml_is_refused_where_it_breaks() {
    check(
        "workers = 1\nlisten = \n",
        &[],
        &[
            "riser.toml: not valid TOML at line 2, column 10: string values must be quoted, expected literal string; correct it there",
        ],
    );
    check(
        "workers = 1\nworkers = 2\n",
        &[],
        &["riser.toml: not valid TOML at line 2, column 1: duplicate key; correct it there"],
    );
}

/// A password may stand in any place of the file by mistake: behind another key, without its key, without its quotes or its equals sign.
#[test]
fn no_text_of_the_file_shows_in_an_error() {
    let secret = "hunter2-and-more";
    let mut files = vec![
        format!("secret {secret}\n"),
        format!("[cluster]\nsecret \"{secret}\"\n"),
        format!("[cluster]\nsecret = {secret}\n"),
        format!("[cluster]\nsecret = \"{secret}\nlease = 1\n"),
        format!("[cluster]\n\"{secret} \" = 1\n"),
        format!("[cluster]\nsecret: {secret}\n"),
        format!("[redis]\nurl = \"{secret}\"\nurl = \"{secret}\"\n"),
        format!("[{secret} x]\n"),
        format!("listen = [\"{secret}\"]\n"),
        format!("listen = '{secret}' '{secret}'\n"),
        format!("listen = 1\nlisten.\"{secret} x\" = 1\n"),
    ];
    for key in keys::KEYS {
        files.push(format!(
            "{} = \"http://user:{secret}@host/?{secret}\"\n",
            key.name
        ));
        files.push(format!("{} = \"{secret}\"\n", key.name));
    }
    for file in files {
        if let Err(problems) = read_layers(&file, &[], &Flags::default()) {
            let shown = problems.to_string();
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    for key in keys::KEYS {
        let name = env::variable(key.name);
        let read = read_layers("", &[(&name, secret)], &Flags::default());
        let shown = read.map_or_else(|problems| problems.to_string(), |_| String::new());
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_whole_number_may_have_a_point_and_a_fraction_is_none() {
    let file = "workers = 2.0\nsend_buffer = 65536.0\n[limits]\nconnections_max = 1e3\n";
    let read = settings(file, &[("RISER_LIMITS__BINDINGS_MAX", "12.0")]);
    assert_eq!(read.server.workers, 2);
    assert_eq!(read.server.send_buffer_bytes, 65_536);
    assert_eq!(read.server.limits.connections_max, 1000);
    assert_eq!(read.server.limits.bindings_max, 12);
    check(
        "[limits]\nbindings_max = 1e30\n",
        &[("RISER_LIMITS__CONNECTIONS_MAX", "18446744073709551616")],
        &[
            "riser.toml:2: `limits.bindings_max` must be a whole number from 0 to 18446744073709551615, not 1000000000000000000000000000000",
            "RISER_LIMITS__CONNECTIONS_MAX: `limits.connections_max` must be a whole number from 0 to 18446744073709551615, not this text",
        ],
    );
}

#[test]
fn a_file_that_was_named_must_be_there_the_usual_one_need_not() {
    let nowhere = Path::new("/nowhere");
    let settings = load(nowhere, &Flags::default(), &BTreeMap::new());
    assert_eq!(settings, Ok(Settings::default()));

    let flags = Flags {
        config: Some(PathBuf::from("/nowhere/my.toml")),
        ..Flags::default()
    };
    assert_eq!(
        load(nowhere, &flags, &BTreeMap::new())
            .unwrap_err()
            .to_string(),
        "/nowhere/my.toml: could not read the file: No such file or directory (os error 2); check the path and its permissions",
    );
}

#[test]
fn the_reference_in_the_documentation_is_this_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md");
    #[expect(
        clippy::disallowed_methods,
        reason = "how a developer asks for the file to be rewritten"
    )]
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        std::fs::write(path, reference()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        written,
        reference(),
        "UPDATE_GOLDEN=1 cargo test rewrites docs/settings.md"
    );
}

#[test]
fn what_is_no_text_is_refused_where_it_is_used() {
    use std::os::unix::ffi::OsStringExt as _;
    let odd = std::ffi::OsString::from_vec(vec![b'4', 0xff]);
    let environment = environment([("RISER_WORKERS".into(), odd)]);
    let problems = read(None, &Flags::default(), &environment).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "RISER_WORKERS: `workers` must be a whole number from 0 to 512, not this text"
    );
}

#[test]
fn many_nodes_are_read() {
    let file = r#"
        placeos = true
        placeos_api = "http://api:3000"
        [redis]
        url = "rediss://riser:hunter2@redis:6380/2"
        ca = "ca.pem"
        cert = "cert.pem"
        key = "key.pem"
        [cluster]
        advertise = "https://10.0.0.7:3000"
        secret = "sixteen characters"
        lease = "4s"
        open_core_api = true
    "#;
    let settings = settings(file, &[]);
    let redis = settings.redis.clone().unwrap();
    assert!(redis.is_encrypted());
    assert_eq!(redis.ca, Some(PathBuf::from("ca.pem")));
    assert_eq!(settings.cluster.service.as_str(), "core");
    assert_eq!(settings.cluster.role, NodeRole::Gateway);
    assert_eq!(settings.cluster.lease, Duration::from_secs(4));
    assert!(settings.cluster.open_core_api);
    assert!(!format!("{settings:?}").contains("hunter2"));
    let outcome = outcome(Some(("r.toml", file)), &Flags::default(), &BTreeMap::new()).unwrap();
    assert!(outcome.contains("url = \"***\" # r.toml:5"), "{outcome}");
    assert!(!outcome.contains("hunter2") && !outcome.contains("sixteen"));
}

#[test]
fn what_many_nodes_cannot_work_with_is_refused() {
    check(
        "data = \"d\"\nplaceos_api = \"api\"\n[redis]\nurl = \"redis://:hunter2@h\"\nca = \"ca.pem\"\ncert = \"c\"\n[cluster]\nservice = \"a{b}\"\nrole = \"boss\"\nadvertise = \"10.0.0.7:3000\"\nsecret = \"hunter2\"\nlease = \"10ms\"\nopen_core_api = \"perhaps\"\n",
        &[],
        &[
            "riser.toml:1: `data` keeps the building on this machine and `redis.url` in Redis; set one of them",
            "riser.toml:2: `placeos_api` must be an address such as http://10.0.0.7:3000, without a path, not this text",
            "riser.toml:5: `redis.ca`, `redis.cert` and `redis.key` are for an encrypted Redis; set `redis.url` to a rediss:// address, or leave them out",
            "riser.toml:6: `redis.cert` and `redis.key` belong together; set both or neither",
            "riser.toml:8: `cluster.service` must be a name without braces; choose another",
            "riser.toml:9: `cluster.role` must be gateway or core or both, not this text",
            "riser.toml:10: `cluster.advertise` must be an address such as http://10.0.0.7:3000, without a path, not this text",
            "riser.toml:11: `cluster.secret` must have at least 16 characters; make one with: openssl rand -hex 32",
            "riser.toml:12: `cluster.lease` must be from 1s to 5m; change it or leave it out",
            "riser.toml:13: `cluster.open_core_api` must be true or false, not this text",
        ],
    );
    check(
        "placeos_api = \"http://api:3000\"\n",
        &[],
        &[
            "riser.toml:1: `placeos_api` is for a gateway beside a PlaceOS; set `placeos`, or leave it out",
        ],
    );
    check(
        "placeos = true\nplaceos_edges = \"mod-1-edge\"\n[redis]\nurl = \"hunter2\"\n",
        &[],
        &[
            "riser.toml:1: `placeos` needs the Redis of the PlaceOS; set `redis.url`",
            "riser.toml:2: `placeos_edges` must be pairs such as mod-1-edge=edge-1, apart by commas, not this text",
            "riser.toml:4: `redis.url` is no address of a Redis; write redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH, with USER:PASSWORD@ before the host where needed",
        ],
    );
}

#[test]
fn an_administrator_of_the_program_alone_is_for_a_building_file_and_never_shown() {
    let file = "building = \"hq.yaml\"\nadmin_secret = \"hunter2 hunter2 hunter2\"\n";
    let settings = settings(file, &[]);
    assert!(settings.admin_secret.is_some());
    assert!(!format!("{settings:?}").contains("hunter2"));
    check(
        "admin_secret = \"hunter2\"\n",
        &[],
        &[
            "riser.toml:1: `admin_secret` must have at least 16 characters; make one with: openssl rand -hex 32",
        ],
    );
    check(
        "admin_secret = \"hunter2 hunter2 hunter2\"\n",
        &[],
        &[
            "riser.toml:1: `admin_secret` is for a gateway with a building file; set `building`, or leave it out",
        ],
    );
}

#[test]
fn a_base_path_is_kept_without_the_slash_at_its_end() {
    for (given, kept) in [("/", ""), ("/riser", "/riser"), ("/a/b-1/", "/a/b-1")] {
        let file = format!("base_path = \"{given}\"");
        assert_eq!(settings(&file, &[]).server.base_path, kept);
    }
    for wrong in [
        "riser", "", "/a/../b", "/a//b", "//", "/a?b", "/a b", "/{a}", "http://a",
    ] {
        let line = "riser.toml:1: `base_path` must be a path such as /riser, of letters, digits, - . _ and ~ between slashes, not this text";
        check(&format!("base_path = {wrong:?}"), &[], &[line]);
    }
}

#[test]
fn a_word_that_is_no_dialect_is_told() {
    assert_eq!(settings("dialects = []", &[]).server.dialects, [""; 0]);
    let placeos = settings("", &[("RISER_DIALECTS", "placeos,")]);
    assert_eq!(placeos.server.dialects, ["placeos"]);
    check(
        "dialects = [\"placeos\", \"platypush\", \"place_os\"]",
        &[],
        &[
            "riser.toml:1: `dialects` must be a list of words out of placeos, home_assistant, platypush, pusher, pushjet, not this text",
        ],
    );
}

#[test]
fn addresses_of_dialects_stand_in_the_order_of_the_ready_lines() {
    let file = "[pushjet]\ntcp_listen = \"[::1]:7171\"\nwebsocket_listen = \"[::1]:8181\"\nlisten = \"[::1]:3001\"\n[home_assistant]\nlisten = \"[::1]:8123\"\n[platypush]\nlisten = \"[::1]:8008\"\n";
    let found = settings(file, &[]).server.own_listeners;
    let found = found.iter();
    let found: Vec<_> = found
        .map(|own| (own.dialect, own.serves, own.listen.port(), own.setting))
        .collect();
    let (everything, websocket, stream) = (
        ServingSettings::Everything,
        ServingSettings::Websocket,
        ServingSettings::Stream,
    );
    assert_eq!(
        found,
        [
            ("home_assistant", everything, 8123, "home_assistant.listen"),
            ("platypush", everything, 8008, "platypush.listen"),
            ("pushjet", everything, 3001, "pushjet.listen"),
            ("pushjet", websocket, 8181, "pushjet.websocket_listen"),
            ("pushjet", stream, 7171, "pushjet.tcp_listen"),
        ]
    );
}

#[test]
fn the_line_end_behind_a_variable_is_not_part_of_it() {
    let (bare, line) = ("sixteen characters", "sixteen characters\r\n");
    let redis = ("RISER_REDIS__URL", "redis://localhost");
    let kept = |secret| settings("", &[redis, ("RISER_CLUSTER__SECRET", secret)]);
    assert_eq!(kept(line), kept(bare));
}

#[test]
fn origins_are_kept_as_browsers_write_them() {
    let given = "HTTPS://App.test:443, http://localhost:4200,http://[::1]:80";
    let kept = settings("", &[("RISER_HTTP__ALLOWED_ORIGINS", given)]);
    assert_eq!(
        kept.server.allowed_origins,
        ["https://app.test", "http://localhost:4200", "http://[::1]"]
    );
    for wrong in [
        "*",
        "null",
        "app.test",
        "https://",
        "https://app.test/",
        "https://a@app.test",
        "https://app.test:port",
        "ftp://app.test",
    ] {
        let line = "riser.toml:2: `http.allowed_origins` must be origins such as https://app.example.org, apart by commas, not this text";
        let file = format!("[http]\nallowed_origins = [{wrong:?}]");
        check(&file, &[], &[line]);
    }
}
