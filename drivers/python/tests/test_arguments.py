"""What clients may send, by annotation, and what they are told where it does not fit."""

from __future__ import annotations

import math
import unittest
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

from riser_driver import JSON, BadDefinition, Between, Driver, Error, Outcome, Status, function
from riser_driver.testkit import CallError, Module


class Input(Enum):
    HDMI = "hdmi"
    TUNER = "tuner"


class Channel(Enum):
    FIRST = 1
    SECOND = 2


@dataclass
class Area:
    id: int
    name: str | None = None
    levels: list[float] | None = None


class Echo(Driver):
    """Gives back what it was called with."""

    @function
    def flag(self, value: bool) -> bool:
        return value

    @function
    def whole(self, value: int) -> int:
        return value

    @function
    def number(self, value: float) -> float:
        return value

    @function
    def text(self, value: str) -> str:
        return value

    @function
    def maybe(self, value: int | None) -> int | None:
        return value

    @function
    def numbers(self, value: list[int]) -> list[int]:
        return value

    @function
    def by_name(self, value: dict[str, bool]) -> dict[str, bool]:
        return value

    @function
    def pair(self, value: tuple[int, str]) -> tuple[int, str]:
        return value

    @function
    def mode(self, value: Literal["warm", "cold"]) -> str:
        return value

    @function
    def input(self, value: Input = Input.HDMI) -> Input:
        assert isinstance(value, Input)
        return value

    @function
    def channel(self, value: Channel) -> Channel:
        return value

    @function
    def area(self, value: Area) -> Area:
        assert isinstance(value, Area)
        return value

    @function
    def either(self, value: int | str) -> int | str:
        return value

    @function
    def percent(self, value: Annotated[int, Between(0, 100)]) -> int:
        return value

    @function
    def anything(self, value: JSON) -> JSON:
        return value

    @function
    def nothing(self) -> None:
        pass

    @function
    def three(self, a: int, b: int = 2, c: int | None = None) -> list[Any]:
        return [a, b, c]

    @function(name="power?")
    def is_on(self) -> Outcome:
        return Outcome(True, code=203)


class ArgumentsTest(unittest.TestCase):
    module: Module

    @classmethod
    def setUpClass(cls) -> None:
        cls.module = Module(Echo)
        cls.addClassCleanup(cls.module.stop)

    def given(self, function: str, text: str) -> Any:
        """Calls a function with arguments as they are on the wire."""
        self.module._requests += 1
        identity = self.module._requests
        call = f'{{"function":"{function}","arguments":{text}}}'
        line = f'{{"jsonrpc":"2.0","id":{identity},"method":"call","params":{call}}}'
        return self.module.send_line(line, identity)["value"]

    def check(self, function: str, text: str, expected: Any) -> None:
        value = self.given(function, text)
        self.assertEqual(value, expected, f"{function} {text}")
        self.assertEqual(type(value), type(expected), f"{function} {text}")

    def refuses(self, function: str, text: str, message: str) -> None:
        with self.assertRaises(CallError, msg=f"{function} {text}") as refused:
            self.given(function, text)
        self.assertEqual(refused.exception.message, message)
        self.assertEqual(refused.exception.code, -32602)

    def test_each_type_takes_what_it_says(self) -> None:
        self.check("flag", "[true]", True)
        self.check("whole", "[7]", 7)
        self.check("number", "[7]", 7.0)
        self.check("number", "[7.25]", 7.25)
        self.check("text", '["ä\\n\\u0000"]', "ä\n\0")
        self.check("maybe", "[null]", None)
        self.check("maybe", "[]", None)
        self.check("maybe", "[5]", 5)
        self.check("numbers", "[[1, 2.0]]", [1, 2])
        self.check("by_name", '[{"a": true}]', {"a": True})
        self.check("pair", '[[1, "x"]]', [1, "x"])
        self.check("mode", '["cold"]', "cold")
        self.check("input", '["tuner"]', "tuner")
        self.check("channel", "[2.0]", 2)
        self.check("area", '[{"id": 1, "levels": [1]}]', {"id": 1, "name": None, "levels": [1.0]})
        self.check("either", '["a"]', "a")
        self.check("either", "[3]", 3)
        self.check("percent", "[100]", 100)
        self.check("anything", '[{"a": [null, 1.5, "x", true]}]', {"a": [None, 1.5, "x", True]})

    def test_a_value_of_another_kind_is_refused_with_what_is_expected(self) -> None:
        self.refuses("flag", "[1]", "argument 'value' of 'flag': expected a boolean")
        self.refuses("whole", "[true]", "argument 'value' of 'whole': expected a whole number")
        self.refuses("whole", "[1.5]", "argument 'value' of 'whole': expected a whole number")
        self.refuses("whole", "[null]", "argument 'value' of 'whole': expected a whole number")
        self.refuses("number", '["1"]', "argument 'value' of 'number': expected a number")
        self.refuses("number", "[1e400]", "argument 'value' of 'number': a number in it is too large")
        self.refuses("text", "[1]", "argument 'value' of 'text': expected a string")
        half = "a text in it has half of a surrogate pair, which is no character"
        self.refuses("text", '["\\ud800"]', f"argument 'value' of 'text': {half}")
        self.refuses("anything", '[["\\ud800"]]', f"argument 'value' of 'anything': {half}")
        self.refuses("numbers", "[[1, [2]]]", "argument 'value' of 'numbers': [1]: expected a whole number")
        self.refuses("by_name", '[{"a": 1}]', "argument 'value' of 'by_name': a: expected a boolean")
        self.refuses("pair", "[[1]]", "argument 'value' of 'pair': expected an array of 2")
        self.refuses("mode", '["hot"]', "argument 'value' of 'mode': expected `warm` or `cold`")
        self.refuses("input", "[[]]", "argument 'value' of 'input': expected `hdmi` or `tuner`")
        self.refuses("channel", "[true]", "argument 'value' of 'channel': expected `1` or `2`")
        self.refuses("either", "[1.5]", "argument 'value' of 'either': expected a whole number or a string")
        self.refuses("percent", "[101]", "argument 'value' of 'percent': expected a whole number from 0 to 100")
        self.refuses("area", "[{}]", "argument 'value' of 'area': missing `id`, a whole number")
        self.refuses("area", '[{"id": 1, "levels": ["x"]}]', "argument 'value' of 'area': levels[0]: expected a number")
        unknown = "argument 'value' of 'area': colour: is not known; expected one of `id`, `name`, `levels`"
        self.refuses("area", '[{"id": 1, "colour": 2}]', unknown)

    def test_arguments_are_counted_and_named(self) -> None:
        self.check("three", "[1]", [1, 2, None])
        self.check("three", "[1, null, 3]", [1, 2, 3])
        self.check("three", '{"c": 3, "a": 1}', [1, 2, 3])
        self.check("three", '{"a": 1, "b": null}', [1, 2, None])
        self.refuses("three", "[]", "missing argument 'a' of 'three', a whole number")
        self.refuses("three", '{"b": 1}', "missing argument 'a' of 'three', a whole number")
        self.refuses("three", "[1,2,3,4]", "wrong number of arguments for 'three' (given 4, expected 3)")
        self.refuses("three", '{"a": 1, "d": 1}', "'three' has no argument 'd'")
        self.refuses("three", "5", "the arguments of 'three' must be an array or an object")

    def test_a_function_without_parameters_ignores_what_is_sent(self) -> None:
        for arguments in ("[]", "[1, 2]", '{"a": 1}', "null"):
            self.check("nothing", arguments, None)

    def test_a_whole_number_is_exact_however_it_is_written(self) -> None:
        self.check("whole", "[5.0]", 5)
        self.check("whole", "[5e2]", 500)
        self.check("whole", "[-0.0]", 0)
        self.check("whole", "[12345678901234567890.0]", 12345678901234567890)
        self.check("whole", "[123456789012345678901234567890]", 123456789012345678901234567890)
        self.check("anything", "[123456789012345678901234567890]", 123456789012345678901234567890)
        self.refuses("whole", "[1e999999999]", "argument 'value' of 'whole': a number in it is too large")
        self.refuses("whole", f"[{'9' * 5000}]", "argument 'value' of 'whole': a number in it is too large")
        self.refuses("whole", "[1e-999999999]", "argument 'value' of 'whole': expected a whole number")

    def test_what_cannot_be_read_at_all_is_answered_all_the_same(self) -> None:
        deep = "[" * 100_000 + "]" * 100_000
        for text, reason in ((deep, "it is nested too deep"), ("[NaN]", "it is no JSON"), ("[", "it is no JSON")):
            with self.assertRaises(CallError) as refused:
                self.given("anything", text)
            self.assertEqual(refused.exception.message, f"the message cannot be read: {reason}")
            self.assertEqual(refused.exception.code, -32602)

    def test_a_name_of_the_drivers_choice_and_a_code(self) -> None:
        self.assertEqual(self.module.call_with_code("power?"), (True, 203))

    def test_a_function_that_is_not_there_is_refused(self) -> None:
        for name in ("start", "_session", "publish", "is_on", "__init__"):
            with self.assertRaises(CallError) as refused:
                self.module.call(name)
            self.assertEqual(refused.exception.message, f"could not find function '{name}'")
            self.assertEqual(refused.exception.code, 404)

    def test_clients_are_shown_types_and_defaults(self) -> None:
        functions = self.module.interface["functions"]
        self.assertEqual(
            functions["three"]["parameters"],
            [
                {"name": "a", "schema": {"type": "integer"}},
                {"name": "b", "schema": {"type": "integer"}, "default": 2},
                {"name": "c", "schema": {"type": "integer"}, "default": None},
            ],
        )

        def schema(name: str) -> Any:
            return functions[name]["parameters"][0]["schema"]

        self.assertEqual(schema("percent"), {"type": "integer", "minimum": 0, "maximum": 100})
        self.assertEqual(schema("input"), {"type": "string", "enum": ["hdmi", "tuner"]})
        self.assertEqual(schema("channel"), {"enum": [1, 2]})
        self.assertEqual(schema("by_name"), {"type": "object", "additionalProperties": {"type": "boolean"}})
        self.assertEqual(schema("either"), {"anyOf": [{"type": "integer"}, {"type": "string"}]})
        self.assertEqual(schema("anything"), {})
        self.assertEqual(schema("area")["required"], ["id"])
        self.assertEqual(functions["input"]["parameters"][0]["default"], "hdmi")
        self.assertNotIn("is_on", functions)


class BadDefinitionTest(unittest.TestCase):
    def refused(self, driver: type[Driver], message: str) -> None:
        with self.assertRaises(CallError) as refused:
            Module(driver)
        self.assertEqual(refused.exception.message, message)

    def test_a_parameter_without_a_type_is_named(self) -> None:
        class Bare(Driver):
            @function
            def play(self, song):  # type: ignore[no-untyped-def]
                pass

        self.refused(Bare, "the parameter 'song' of 'play' has no annotation, such as song: float")

    def test_a_type_that_json_does_not_have_is_named(self) -> None:
        class Foreign(Driver):
            @function
            def play(self, song: complex) -> None:
                pass

        with self.assertRaises(CallError) as refused:
            Module(Foreign)
        start = "the parameter 'song' of 'play': the type complex has no JSON form; use bool, int,"
        self.assertTrue(refused.exception.message.startswith(start), refused.exception.message)

    def test_a_parameter_that_has_no_name_for_clients_is_refused(self) -> None:
        class Variadic(Driver):
            @function
            def play(self, *songs: str) -> None:
                pass

        self.refused(Variadic, "the parameter 'songs' of 'play': a client sends it by name, so write it without * and /")

    def test_a_hook_is_no_function(self) -> None:
        class Hooked(Driver):
            @function
            def stop(self) -> None:
                pass

        self.refused(
            Hooked, "the function 'stop': the library calls stop by itself; give the method another name"
        )

    def test_words_that_nobody_knows_are_refused_where_they_stand(self) -> None:
        with self.assertRaises(BadDefinition):
            function(clearance="root")  # type: ignore[call-overload]
        with self.assertRaises(ValueError):
            Error("x", code=200)
        with self.assertRaises(ValueError):
            Outcome(code=500)
        with self.assertRaises((ValueError, RuntimeError)):

            class Named(Driver):
                bad = Status[bool](name="a\nb")

    def test_a_number_that_is_not_finite_is_null(self) -> None:
        class Cold(Driver):
            @function
            def reading(self) -> list[float]:
                return [math.nan, -math.inf, 1.0]

        with Module(Cold) as module:
            self.assertEqual(module.call("reading"), [None, None, 1.0])
