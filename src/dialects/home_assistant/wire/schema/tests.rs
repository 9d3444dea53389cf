//! Each problem in Home Assistant's words, and what is none.

use super::*;

static INNER: [Field; 1] = [Field::optional("x", Kind::Int)];
static FIELDS: [Field; 8] = [
    Field::required("period", Kind::Str),
    Field::optional("count", Kind::Count),
    Field::optional("features", Kind::Ints),
    Field::optional("entity_ids", Kind::EntityIds),
    Field::optional("words", Kind::Texts),
    Field::optional("inner", Kind::Fields(Cow::Borrowed(&INNER))),
    Field::optional_or_null("data", Kind::Dict),
    Field::optional("on", Kind::Bool),
];

/// What is wrong with a command of these fields; `more` stands behind its id and type.
fn wrong(fields: &[Field], more: &str) -> Option<String> {
    let command = format!(r#"{{"id":9,"type":"ping"{more}}}"#);
    let whole: &RawValue = serde_json::from_str(&command).unwrap();
    problems_of_command(fields, &Object::read(whole).unwrap(), whole)
}

/// The one line about a command that has `period` and this.
fn line(more: &str) -> String {
    wrong(&FIELDS, &format!(r#","period":"day",{more}"#)).unwrap_or_default()
}

#[test]
fn each_problem_is_in_home_assistants_words() {
    for (more, expected) in [
        (r#""zip":1"#, "extra keys not allowed @ data['zip']. Got 1"),
        (
            r#""features":{"x":"y"}"#,
            "expected int for dictionary value @ data['features']['x']. Got 'y'",
        ),
        (
            r#""entity_ids":"bad""#,
            "Entity ID bad is an invalid entity ID for dictionary value @ data['entity_ids']. Got 'bad'",
        ),
        (
            r#""words":["a",5]"#,
            "expected str @ data['words'][1]. Got 5",
        ),
        (
            r#""inner":{"x":1.0}"#,
            "expected int for dictionary value @ data['inner']['x']. Got 1.0",
        ),
        (
            r#""inner":[]"#,
            "expected a dictionary for dictionary value @ data['inner']. Got []",
        ),
        (
            r#""count":-1"#,
            "value must be at least 0 for dictionary value @ data['count']. Got -1",
        ),
        (
            r#""count":"x""#,
            "expected int for dictionary value @ data['count']. Got 'x'",
        ),
        (
            r#""on":1"#,
            "expected bool for dictionary value @ data['on']. Got 1",
        ),
        (
            r#""data":[]"#,
            "expected dict for dictionary value @ data['data']. Got []",
        ),
    ] {
        assert_eq!(line(more), expected);
    }
}

#[test]
fn what_may_stand_there_is_no_problem() {
    for more in [
        r#""count":"11""#,
        r#""count":3.7"#,
        r#""data":null"#,
        r#""data":{}"#,
        r#""features":{"any":-1}"#,
        r#""entity_ids":"Switch.A, switch.b_1""#,
        r#""entity_ids":["switch.a"]"#,
        r#""words":"a""#,
    ] {
        assert_eq!(line(more), "", "{more}");
    }
}

#[test]
fn all_problems_are_told_in_the_order_of_their_texts() {
    assert_eq!(
        wrong(&FIELDS, r#","zip":1,"on":"yes""#).unwrap(),
        "expected bool for dictionary value @ data['on']. Got 'yes'\n\
         extra keys not allowed @ data['zip']. Got 1\n\
         required key not provided @ data['period']. Got None"
    );
}

#[test]
fn a_command_without_fields_shows_itself_when_it_has_more() {
    assert_eq!(wrong(&[], ""), None);
    assert_eq!(
        wrong(&[], r#","x":1"#).unwrap(),
        "extra keys not allowed. Got {'id': 9, 'type': 'ping', 'x': 1}"
    );
}

#[test]
fn an_error_text_about_secrets_shows_none_of_them() {
    let whole: &RawValue = serde_json::from_str(r#"{"period":["hunter2"],"x":"hunter2"}"#).unwrap();
    let object = Object::read(whole).unwrap();
    assert_eq!(
        problems_of_secrets(&FIELDS, &object).unwrap(),
        "expected str for dictionary value @ data['period']\nextra keys not allowed @ data['x']"
    );
}

#[test]
fn half_a_million_wrong_keys_are_not_all_told() {
    let more: String = (0..200_000).map(|n| format!(r#","{n}":1"#)).collect();
    let lines = wrong(&FIELDS, &more).unwrap().lines().count();
    assert_eq!(lines, limits::PROBLEMS_MAX);
}

#[test]
fn an_entity_id_has_two_parts_of_plain_characters() {
    for good in ["a.b", "switch.board_room_1", "sensor.a__b"] {
        assert!(is_entity_id(good), "{good}");
    }
    for bad in [
        "", "a", "a.", ".b", "a.b.c", "a__b.c", "_a.b", "a.b_", "a.B", "a.é",
    ] {
        assert!(!is_entity_id(bad), "{bad}");
    }
    let long = |length: usize| format!("a.{}", "b".repeat(length - 2));
    assert!(is_entity_id(&long(limits::ENTITY_ID_MAX_BYTES)));
    assert!(!is_entity_id(&long(limits::ENTITY_ID_MAX_BYTES + 1)));
}
