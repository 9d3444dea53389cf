//! What operators, filters and tests make.

use super::check;

#[test]
fn numbers_are_reckoned_with_as_in_jinja() {
    check(
        r#"{"t": 21.5, "n": 7}"#,
        &[
            ("1 + 2 * 3", "7"),
            ("(1 + 2) * 3", "9"),
            ("7 / 2", "3.5"),
            ("4 / 2", "2.0"),
            ("7 // 2", "3"),
            ("-7 // 2", "-4"),
            ("-7 % 3", "2"),
            ("7.5 % 2", "1.5"),
            ("2 ** 10", "1024"),
            ("2 ** -1", "0.5"),
            ("-n", "-7"),
            ("t + n", "28.5"),
            ("18446744073709551615 - 1", "18446744073709551614"),
            ("1e16 + 0", "1e+16"),
            ("0.1 + 0.2", "0.30000000000000004"),
        ],
    );
}

#[test]
fn values_are_compared_by_the_types_of_json() {
    check(
        r#"{"who": "Ann", "n": 1}"#,
        &[
            ("who == 'Ann'", "true"),
            ("who != 'Bob'", "true"),
            ("n == 1.0", "true"),
            ("n == true", "false"),
            ("'true' == true", "false"),
            ("[1, {'a': none}] == [1.0, {'a': none}]", "true"),
            ("1 < 2 <= 2 < 3", "true"),
            ("1 < 3 < 2", "false"),
            ("'a' < 'b'", "true"),
            ("'n' in who", "true"),
            ("2 not in [1, 3]", "true"),
            ("'a' in {'a': 1}", "true"),
            ("1 in [true]", "false"),
        ],
    );
}

#[test]
fn conditions_answer_with_the_value_that_decided() {
    check(
        r#"{"empty": "", "x": 5}"#,
        &[
            ("empty or 'none'", "\"none\""),
            ("x and 'some'", "\"some\""),
            ("0 and missing", "0"),
            ("not x", "false"),
            ("'yes' if x > 3 else 'no'", "\"yes\""),
            ("'yes' if x > 9", "null"),
            ("not [] and not {} and not none and not 0.0", "true"),
        ],
    );
}

#[test]
fn texts_and_lists_are_joined_and_cut() {
    check(
        r#"{"a": "ab", "l": [1, 2, 3, 4]}"#,
        &[
            ("a ~ 1 ~ true ~ none ~ l", "\"ab1true[1,2,3,4]\""),
            ("a + 'c'", "\"abc\""),
            ("a * 3", "\"ababab\""),
            ("2 * [0]", "[0,0]"),
            ("'' * 9999999999", "\"\""),
            ("a * -1", "\"\""),
            ("l + [5]", "[1,2,3,4,5]"),
            ("l[0] + l[-1]", "5"),
            ("l[9]", "null"),
            ("l[1:3]", "[2,3]"),
            ("l[::-1]", "[4,3,2,1]"),
            ("l[-2:]", "[3,4]"),
            ("l[::2]", "[1,3]"),
            ("l[3:0:-2]", "[4,2]"),
            ("a[1] ~ 'äö'[:1]", "\"bä\""),
            ("range(3)", "[0,1,2]"),
            ("range(5, 0, -2)", "[5,3,1]"),
            ("range(3, 1)", "[]"),
        ],
    );
}

#[test]
fn a_key_that_an_object_does_not_have_is_null() {
    check(
        r#"{"event": {"args": {"who": "Ann"}, "list": [{"x": 1}]}}"#,
        &[
            ("event.args.who", "\"Ann\""),
            ("event['args']['who']", "\"Ann\""),
            ("event.args.whom", "null"),
            ("event.args.whom == none", "true"),
            ("event.args.whom is none", "true"),
            ("event.args.whom is defined", "false"),
            ("event.args.whom | default('nobody')", "\"nobody\""),
            ("event.args.whom.name | default('nobody')", "\"nobody\""),
            ("event.list[0].x", "1"),
            ("event.list.0.x", "1"),
            ("event.args.get('whom', 'nobody')", "\"nobody\""),
        ],
    );
}

#[test]
fn a_name_that_nothing_has_can_be_asked_for() {
    check(
        "{}",
        &[
            ("whom is defined", "false"),
            ("whom is not defined", "true"),
            ("whom is undefined", "true"),
            ("whom | default(1)", "1"),
            ("whom.name | default(1)", "1"),
            ("none | default(1)", "null"),
            ("none | default(1, true)", "1"),
            ("'' | d(1, boolean=true)", "1"),
        ],
    );
}

#[test]
fn filters_of_numbers_and_texts() {
    check(
        r#"{"t": 21.456}"#,
        &[
            ("t | round(1)", "21.5"),
            ("t | round", "21"),
            ("t | round(2, 'ceil')", "21.46"),
            ("t | round(method='floor')", "21"),
            ("-2.5 | abs", "2.5"),
            ("' 007 ' | int", "7"),
            ("'-12.7' | int", "-12"),
            ("'x' | int(0)", "0"),
            ("'.5' | float", "0.5"),
            ("3 | float", "3.0"),
            ("'Ab' | lower ~ 'Ab' | upper", "\"abAB\""),
            ("'hello World' | capitalize", "\"Hello world\""),
            ("' a ' | trim", "\"a\""),
            ("'--a-' | trim('-')", "\"a\""),
            ("'aaa' | replace('a', 'bb', 2)", "\"bbbba\""),
            ("'a,b' | split(',')", "[\"a\",\"b\"]"),
            ("'a,b'.split(',')[1].upper()", "\"B\""),
            ("'abc'.startswith('ab') and 'abc'.endswith('c')", "true"),
            ("'äöü' | length", "3"),
            ("{'a': [1, 'x\"']} | tojson", r#""{\"a\":[1,\"x\\\"\"]}""#),
            ("5 | string", "\"5\""),
        ],
    );
}

#[test]
fn filters_of_lists() {
    check(
        r#"{"l": [{"n": "b", "v": 2, "on": true}, {"n": "A", "v": 1}, {"n": "c", "v": 3, "on": false}]}"#,
        &[
            ("l | map(attribute='v') | sum", "6"),
            ("l | sum(attribute='v', start=1)", "7"),
            (
                "l | map(attribute='n') | map('upper') | join(', ')",
                "\"B, A, C\"",
            ),
            ("l | sort(attribute='n') | map(attribute='v')", "[1,2,3]"),
            (
                "l | sort(attribute='v', reverse=true) | join('', attribute='n')",
                "\"cbA\"",
            ),
            ("['b', 'A'] | sort", "[\"A\",\"b\"]"),
            (
                "['b', 'A', 'a'] | sort(case_sensitive=true)",
                "[\"A\",\"a\",\"b\"]",
            ),
            ("l | selectattr('on') | map(attribute='v')", "[2]"),
            ("l | selectattr('on', 'defined') | length", "2"),
            ("l | selectattr('v', '>', 1) | length", "2"),
            ("l | rejectattr('v', 'eq', 2) | length", "2"),
            ("[0, 1, 2] | select | first", "1"),
            ("[1, 2, 3] | select('odd') | list", "[1,3]"),
            ("[1, 2, 3] | reject('gt', 1)", "[1]"),
            ("[1, 'a', 'A', 1.0] | unique", "[1,\"a\"]"),
            ("[3, 1, 2] | min ~ [3, 1, 2] | max", "\"13\""),
            ("[] | max", "null"),
            ("[1, 2] | last", "2"),
            ("[] | first", "null"),
            ("'ab' | list | reverse", "[\"b\",\"a\"]"),
            ("{'a': 1} | items", "[[\"a\",1]]"),
            ("{'a': 1}.keys() + {'a': 1}.values()", "[\"a\",1]"),
        ],
    );
}

#[test]
fn tests_of_values() {
    check(
        "{}",
        &[
            ("1 is number and 1 is integer and 1.0 is float", "true"),
            ("'a' is string and [] is sequence and {} is mapping", "true"),
            ("none is none and true is boolean and true is true", "true"),
            ("3 is odd and 4 is even and 9 is divisibleby(3)", "true"),
            ("9 is divisibleby 3", "true"),
            ("2 is in [1, 2]", "true"),
            ("'1' is number", "false"),
            ("2 is not gt(2)", "true"),
        ],
    );
}
