//! What an installer writes in a building file: names of statuses, pointers, secrets, and templates with their values.

use std::collections::{BTreeMap, BTreeSet};

use driver_sdk::serde_json::json;
use driver_sdk::testkit::Module;
use driver_sdk::{
    Context, Error, JsonPointer, JsonTemplate, JsonText, Secret, Status, StatusKey, TemplateValues,
    TextTemplate, driver, settings,
};

fn json_text(text: &str) -> JsonText {
    JsonText::parse(text).expect("the test's JSON")
}

fn values(text: &str) -> TemplateValues {
    json_text(text).to().expect("an object")
}

/// Fills JSON and gives the text, or what the error says.
fn fill_json(template: &str, given: &str) -> String {
    let template = JsonTemplate::parse(&json_text(template)).expect("the test's template");
    match template.fill(&values(given)) {
        Ok(json) => json.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_text_that_is_one_whole_place_keeps_the_kind_and_the_digits_of_the_value() {
    for value in [
        "5",
        "21.50",
        "12345678901234567890123",
        "true",
        "null",
        r#""on""#,
        r#"{"a": [1.0, "\u0041"]}"#,
    ] {
        let given = format!(r#"{{"v": {value}}}"#);
        let filled = fill_json(r#"{"minutes": "{{ v }}"}"#, &given);
        assert_eq!(filled, format!(r#"{{"minutes":{value}}}"#));
    }
    assert_eq!(fill_json(r#""{{v}}""#, r#"{"v": 1}"#), "1");
}

#[test]
fn text_around_a_place_makes_text() {
    let given = r#"{"minutes": 5, "who": "Ann \"A.\" ☕", "on": false}"#;
    for (template, expect) in [
        (r#""for {{ minutes }} min""#, r#""for 5 min""#),
        (r#"" {{ minutes }}""#, r#"" 5""#),
        (r#""{{ on }}{{minutes}}""#, r#""false5""#),
        (r#""by {{ who }}""#, r#""by Ann \"A.\" ☕""#),
        (
            r#"[{"b": "{{ on }}"}, "}}", 1.0]"#,
            r#"[{"b":false},"}}",1.0]"#,
        ),
    ] {
        assert_eq!(fill_json(template, given), expect);
    }
}

#[test]
fn json_without_a_place_stays_byte_for_byte() {
    let template = r#"{"a": [ 1e400, "\u0041" ], "b":12345678901234567890123}"#;
    assert_eq!(fill_json(template, "{}"), template);
}

#[test]
fn a_value_that_is_missing_or_does_not_fit_is_named() {
    let template = r#"{"minutes": "{{ minutes }}", "note": "for {{ note }}"}"#;
    let check = |given: &str, expect: &str| assert_eq!(fill_json(template, given), expect);
    check(r#"{"note": 1}"#, "the value 'minutes' is missing");
    check(r#"{"minutes": 1}"#, "the value 'note' is missing");
    for (value, kind) in [
        ("[1]", "an array"),
        ("{}", "an object"),
        ("null", "null"),
        (r#""\ud800""#, "a text with half of a character in it"),
    ] {
        check(
            &format!(r#"{{"minutes": 1, "note": {value}}}"#),
            &format!("the value 'note' is {kind}, where a string, a number or a boolean belongs"),
        );
    }
}

#[test]
fn what_a_value_brings_along_stays_one_value() {
    let filled = fill_json(r#"["a {{ v }}", 1]"#, r#"{"v": "\", {{ w }} \\"}"#);
    assert_eq!(filled, r#"["a \", {{ w }} \\",1]"#);
}

#[test]
fn a_template_that_cannot_be_filled_is_refused_before_it_is_used() {
    let refusal = |text: &str| TextTemplate::parse(text).unwrap_err().to_string();
    assert_eq!(
        refusal("{{ minutes"),
        "expected `}}` behind `{{` and a name"
    );
    for text in [
        "{{}}",
        "{{ 1st }}",
        "{{ a b }}",
        "{{ a | round }}",
        "{{{ a }}}",
    ] {
        assert_eq!(
            refusal(text),
            "expected a name of letters, digits and `_` between `{{` and `}}`",
            "{text}"
        );
    }
    let nested = json_text(r#"{"a": {"b": ["{{"]}}"#);
    assert_eq!(
        JsonTemplate::parse(&nested).unwrap_err().message(),
        "'a': 'b': expected `}}` behind `{{` and a name"
    );
    let key = JsonTemplate::parse(&json_text(r#"{"{{ a }}": 1}"#));
    assert!(key.unwrap_err().message().contains("a key"));
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert!(JsonTemplate::parse(&json_text(&deep)).is_err());
}

#[test]
fn names_that_nobody_gives_or_takes_are_named() {
    let template = JsonTemplate::parse(&json_text(r#"["{{ a }}", "x{{ b }}"]"#)).unwrap();
    assert_eq!(template.names(), BTreeSet::from(["a", "b"]));
    template.check_names(&["a", "b", "c"]).unwrap();
    let error = template.check_names(&["a"]).unwrap_err();
    assert_eq!(error.message(), "`{{ b }}` is not known; expected 'a'");
    let error = values(r#"{"a": 1, "bee": 2}"#).check_known(&template.names());
    let error = error.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (400, "there is no value 'bee' here; expected 'a', 'b'")
    );
    let error = values(r#"{"a": 1}"#).check_known(&BTreeSet::new());
    assert_eq!(
        error.unwrap_err().message(),
        "there is no value 'a' here: no values are taken"
    );
}

#[test]
fn values_go_through_the_escape_and_the_template_does_not() {
    let path = TextTemplate::parse("/zones/{{ zone }}/stop").unwrap();
    let given = values(r#"{"zone": "a/b"}"#);
    let filled = path.fill_escaped(&given, |text| text.replace('/', "%2F"));
    assert_eq!(filled.unwrap(), "/zones/a%2Fb/stop");
    assert_eq!(path.fill(&given).unwrap(), "/zones/a/b/stop");
}

#[test]
fn values_show_none_of_themselves_in_a_log() {
    let shown = format!("{:?}", values(r#"{"pin": "4711"}"#));
    assert_eq!(shown, r#"{"pin"}"#);
}

#[test]
fn a_secret_is_written_as_a_text_and_shows_nothing_of_itself_in_a_log() {
    let secret: Secret = json_text(r#""correct horse""#).to().expect("a text");
    assert_eq!(secret.reveal(), "correct horse");
    assert_eq!(format!("{secret:?}"), "Secret");
}

#[test]
fn a_pointer_finds_what_rfc_6901_says() {
    // The example of its section 5.
    let document = json_text(
        r#"{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}"#,
    );
    for (pointer, expect) in [
        ("", document.as_str()),
        ("/foo", r#"["bar", "baz"]"#),
        ("/foo/0", r#""bar""#),
        ("/", "0"),
        ("/a~1b", "1"),
        ("/c%d", "2"),
        ("/e^f", "3"),
        ("/g|h", "4"),
        ("/i\\j", "5"),
        ("/k\"l", "6"),
        ("/ ", "7"),
        ("/m~0n", "8"),
    ] {
        let found = JsonPointer::parse(pointer).unwrap().find(&document);
        assert_eq!(
            found.as_ref().map(JsonText::as_str),
            Some(expect),
            "{pointer}"
        );
    }
}

#[test]
fn a_pointer_that_leads_nowhere_finds_nothing_and_null_is_something() {
    let document = json_text(r#"{"list": [1, 2], "text": "x", "nothing": null, "~1": 3}"#);
    for pointer in [
        "/other",
        "/list/2",
        "/list/-",
        "/list/01",
        "/list/+1",
        "/list/",
        "/text/0",
        "/nothing/x",
    ] {
        let found = JsonPointer::parse(pointer).unwrap().find(&document);
        assert_eq!(found, None, "{pointer}");
    }
    let found = |pointer| JsonPointer::parse(pointer).unwrap().find(&document);
    assert_eq!(found("/nothing"), Some(JsonText::null()));
    assert_eq!(found("/~01"), Some(json_text("3")));
}

#[test]
fn what_a_pointer_finds_keeps_its_digits_however_deep_it_is() {
    let deep = format!(
        r#"{}{{"n": 12345678901234567890.10}}{}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    let pointer = format!("{}/n", "/0".repeat(500));
    let found = JsonPointer::parse(&pointer)
        .unwrap()
        .find(&json_text(&deep));
    assert_eq!(found, Some(json_text("12345678901234567890.10")));
}

#[test]
fn a_text_that_is_no_pointer_is_refused() {
    for pointer in ["a", "a/b", "#/a", "/~", "/~2", "/a~/b"] {
        let refusal = JsonPointer::parse(pointer).unwrap_err();
        assert!(
            refusal.message().starts_with("expected a JSON pointer, "),
            "{pointer}: {refusal}"
        );
    }
}

/// A driver whose statuses the building file names.
struct Probe;

#[settings]
struct Settings {
    /// Where each status is.
    statuses: BTreeMap<StatusKey, JsonPointer>,
    /// What is sent.
    #[default]
    #[expect(dead_code, reason = "it can be wrong")]
    commands: BTreeMap<String, JsonTemplate>,
}

#[driver(id = "probe", name = "Probe")]
impl Probe {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        for (index, name) in (0_u32..).zip(settings.statuses.keys()) {
            context.set(&name.status(), &index);
        }
        Ok(Self)
    }
}

#[tokio::test]
async fn a_status_may_be_called_by_every_name_of_the_grammar() {
    let statuses = json!({"statuses": {"a": "", "co2_level": "/x"}});
    let module = Module::start(&Probe::DEFINITION, statuses).await.unwrap();
    module.wait(&Status::new("co2_level"), &1).await;
}

#[tokio::test]
async fn mistakes_in_what_the_installer_chose_are_found_before_anything_starts() {
    for (settings, expect) in [
        (
            json!({"statuses": {"Temp": ""}}),
            "'Temp' is no name of a status: a-z, 0-9 and _, a letter first",
        ),
        (
            json!({"statuses": {"": ""}}),
            "'' is no name of a status: a-z, 0-9 and _, a letter first",
        ),
        (
            json!({"statuses": {"connected": ""}}),
            "'connected' is a status that every module has; choose another name",
        ),
        (
            json!({"statuses": {"door": "open"}}),
            "statuses.door: expected a JSON pointer, which begins with `/`",
        ),
        (
            json!({"statuses": {}, "commands": {"boost": {"note": "{{ x"}}}),
            "commands.boost: 'note': expected `}}` behind `{{` and a name",
        ),
    ] {
        let error = Module::start(&Probe::DEFINITION, settings)
            .await
            .unwrap_err();
        assert!(error.message().ends_with(expect), "{error}");
    }
}
