"""What a driver can say and see, in memory."""

from __future__ import annotations

import asyncio
import logging
import threading
import unittest
from dataclasses import dataclass, field
from typing import Annotated, Any

from riser_driver import NOTICE, Between, Driver, Error, Status, every, function
from riser_driver._limits import SLOW_AFTER
from riser_driver.testkit import CallError, Module


@dataclass
class Settings:
    host: str
    poll_seconds: Annotated[float, Between(0), "How often the lamp is looked at."] = 10
    names: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.host == "nowhere":
            raise ValueError("the host nowhere is not there")


class Lamp(Driver, implements=["Powerable"]):
    """A lamp.

    It is in software.
    """

    settings: Settings

    power = Status[bool]("Whether it is lit.")
    hours = Status[int]("How long it was lit.", name="lamp_hours")
    things: Status[Any] = Status()

    def __init__(self) -> None:
        self.looks = 0
        self.gate = threading.Event()
        self.order: list[int] = []

    async def start(self) -> None:
        self.power = False

    @function
    def switch(self, state: bool = True) -> None:
        """Switches it."""
        self.power = state

    @function(clearance="admin")
    def forget(self) -> None:
        del self.power

    @function
    def level(self, name: str, value: float) -> None:
        self.publish(name, value)
        self.describe_status(name, float, "A level.")

    @function
    def put(self, value: Any) -> None:
        self.things = value

    @function
    def put_object(self) -> None:
        self.things = self

    @function
    def again(self) -> None:
        self.signal("power")

    @function
    def fail(self, code: int) -> None:
        raise Error("the lamp is hot", code=code)

    @function
    def break_down(self) -> None:
        {}["x"]  # type: ignore[index]

    @function
    def block(self) -> None:
        self.gate.wait(10)

    @function
    async def unblock(self) -> None:
        self.gate.set()

    @function
    def note(self, number: int) -> list[int]:
        self.order.append(number)
        return self.order

    @function
    async def wait_for_ever(self) -> None:
        await asyncio.Event().wait()

    @function
    def say(self) -> None:
        self.log.debug("switching %s", "on")
        self.log.log(NOTICE, "a new lamp")
        self.log.error("bad %d", "x")
        self.log.info("\ud800 %s", "a" * 10_000)

    @function
    def collapse(self) -> None:
        async def work() -> None:
            raise ValueError("the wire is cut")

        self.spawn(work())

    @function
    def where(self) -> list[Any]:
        return [self.module, self.uri, self.settings.host, self.settings.poll_seconds]

    @every(lambda self: self.settings.poll_seconds)
    def look(self) -> None:
        self.looks += 1
        self.hours = self.looks
        if self.looks == 2:
            raise OSError("no answer")

    def settings_changed(self, settings: Settings) -> None:
        if settings.host == "busy":
            raise Error("not while it is lit", code=409)

    def stop(self) -> None:
        self.log.info("good night")


SETTINGS = {"host": "10.0.0.7"}


class LampTest(unittest.TestCase):
    def start(self, **settings: Any) -> Module:
        module = Module(Lamp, settings={**SETTINGS, **settings}, uri="tcp://10.0.0.7", module="mod-lamp")
        self.addCleanup(module.stop)
        return module

    def test_a_module_says_what_it_offers(self) -> None:
        module = self.start()
        self.assertEqual(module.description, "A lamp.\n\nIt is in software.")
        self.assertEqual(module.interface["implements"], ["Powerable"])
        self.assertEqual(
            module.interface["statuses"],
            {
                "power": {"description": "Whether it is lit.", "schema": {"type": "boolean"}},
                "lamp_hours": {"description": "How long it was lit.", "schema": {"type": "integer"}},
                "things": {"description": "", "schema": {}},
            },
        )
        switch = module.interface["functions"]["switch"]
        self.assertEqual(switch["description"], "Switches it.")
        self.assertEqual(switch["clearance"], "user")
        self.assertEqual(module.interface["functions"]["forget"]["clearance"], "admin")
        self.assertEqual(module.on_settings_change, "tell")

    def test_a_status_is_there_before_the_answer_of_the_function_that_set_it(self) -> None:
        module = self.start()
        self.assertEqual(module.status("power"), False)
        module.call("switch")
        self.assertEqual(module.status("power"), True)
        module.call("forget")
        self.assertIsNone(module.status("power"))

    def test_a_status_can_be_described_while_the_module_runs(self) -> None:
        module = self.start()
        module.call("level", "level_3", 0.5)
        self.assertEqual(module.status("level_3"), 0.5)
        self.assertEqual(
            module.interface["statuses"]["level_3"], {"description": "A level.", "schema": {"type": "number"}}
        )

    def test_a_status_that_cannot_be_published_is_an_error_and_the_one_before_stays(self) -> None:
        module = self.start()
        module.call("put", 1)
        for arguments, part in (
            (("put", "ä" * 600_000), "it has more than 1048576 bytes"),
            (("put_object",), "a value of the type Lamp has no JSON form"),
            (("level", "a\nb", 1), "control characters"),
        ):
            with self.assertRaises(CallError) as refused:
                module.call(*arguments)
            self.assertIn(part, refused.exception.message)
        self.assertEqual(module.status("things"), 1)

    def test_statuses_have_an_end(self) -> None:
        class Endless(Driver):
            @function
            def fill(self) -> None:
                for number in range(5_000):
                    self.publish(f"s{number}", number)

        with Module(Endless) as module:
            with self.assertRaises(CallError) as refused:
                module.call("fill")
            self.assertEqual(refused.exception.code, 413)
            self.assertEqual(refused.exception.message, "the status 's4096' was not published: there are at most 4096")

    def test_a_status_can_be_signalled_again(self) -> None:
        module = self.start()
        module.call("again")
        self.assertEqual(module.signals, ["power"])

    def test_a_failure_has_the_drivers_code_and_message(self) -> None:
        module = self.start()
        with self.assertRaises(CallError) as refused:
            module.call("fail", 409)
        self.assertEqual((refused.exception.code, refused.exception.message), (409, "the lamp is hot"))

    def test_any_other_exception_is_an_answer_and_a_traceback_in_the_log(self) -> None:
        module = self.start()
        with self.assertRaises(CallError) as refused:
            module.call("break_down")
        self.assertEqual((refused.exception.code, refused.exception.message), (500, "KeyError: 'x'"))
        level, message = module.wait_line("KeyError: 'x'")
        self.assertEqual(level, "error")
        self.assertIn("in break_down", message)

    def test_a_plain_function_that_blocks_holds_up_neither_the_ping_nor_async_functions(self) -> None:
        module = self.start()
        blocked = threading.Thread(target=module.call, args=("block",))
        blocked.start()
        self.assertIsNone(module.request("ping", {}))
        module.call("unblock")
        blocked.join(10)
        self.assertFalse(blocked.is_alive())

    def test_a_plain_function_that_does_not_return_is_named_while_others_wait_for_it(self) -> None:
        module = self.start(poll_seconds=3600)
        blocked = threading.Thread(target=module.call, args=("block",))
        behind = threading.Thread(target=module.call, args=("note", 1))
        blocked.start()
        while module.request("ping", {}) is None and not module._session._calls:  # type: ignore[union-attr]
            pass
        behind.start()
        module.advance(SLOW_AFTER)
        level, message = module.wait_line("'block' is not done after 10 s")
        self.assertEqual((level, "make it async" in message), ("warn", True))
        self.assertTrue(behind.is_alive())
        module.call("unblock")
        behind.join(10)
        self.assertFalse(behind.is_alive())
        blocked.join(10)

    def test_plain_functions_run_in_the_order_of_their_calls(self) -> None:
        module = self.start()
        for number in range(100):
            module.call("note", number)
        self.assertEqual(module.call("note", 100), list(range(101)))

    def test_the_clock_calls_at_once_and_then_once_per_period(self) -> None:
        module = self.start(poll_seconds=60)
        module.wait("lamp_hours", 1)
        module.advance(59)
        self.assertEqual(module.status("lamp_hours"), 1)
        module.advance(2)
        module.wait("lamp_hours", 2)
        level, _ = module.wait_line("look: OSError: no answer")
        self.assertEqual(level, "warn")
        module.advance(600)
        module.wait("lamp_hours", 3)
        module.advance(60)
        module.wait("lamp_hours", 4)

    def test_a_period_may_change_with_the_settings(self) -> None:
        module = self.start(poll_seconds=60)
        module.wait("lamp_hours", 1)
        module.change_settings({**SETTINGS, "poll_seconds": 5})
        module.advance(60)
        module.wait("lamp_hours", 2)
        module.advance(5)
        module.wait("lamp_hours", 3)

    def test_a_period_of_none_is_never(self) -> None:
        class Idle(Driver):
            turns = Status[int]()

            @every(lambda self: None)
            def look(self) -> None:
                self.turns = (self.turns or 0) + 1

        with Module(Idle) as module:
            module.advance(1_000)
            self.assertIsNone(module.status("turns"))

    def test_a_period_of_nothing_is_a_failed_start(self) -> None:
        with self.assertRaises(CallError) as refused:
            Module(Lamp, settings={**SETTINGS, "poll_seconds": 0})
        self.assertEqual(refused.exception.message, "the period of 'look' must be a number of seconds, more than 0")

    def test_settings_are_of_their_types(self) -> None:
        self.assertEqual(self.start(poll_seconds=5).call("where"), ["mod-lamp", "tcp://10.0.0.7", "10.0.0.7", 5.0])

    def test_every_mistake_in_settings_is_named_with_its_key(self) -> None:
        with self.assertRaises(CallError) as refused:
            Module(Lamp, settings={"poll_seconds": "often", "names": {"a": None}, "hots": "hunter2"})
        self.assertEqual(
            refused.exception.message,
            "the module's settings do not fit: missing `host`, a string; poll_seconds: expected a number, 0 or more; "
            "names.a: expected a whole number; hots: is not known; expected one of `host`, `poll_seconds`, `names`",
        )
        with self.assertRaises(CallError) as refused:
            Module(Lamp, settings={"host": "nowhere"})
        self.assertEqual(
            refused.exception.message, "the module's settings do not fit: the host nowhere is not there"
        )

    def test_other_settings_hold_once_the_driver_has_taken_them(self) -> None:
        module = self.start()
        module.change_settings({"host": "10.0.0.8"})
        self.assertEqual(module.call("where")[2], "10.0.0.8")
        with self.assertRaises(CallError) as refused:
            module.change_settings({"host": "busy"})
        self.assertEqual(refused.exception.code, 409)
        with self.assertRaises(CallError):
            module.change_settings({})
        self.assertEqual(module.call("where")[2], "10.0.0.8")

    def test_log_lines_have_the_gateways_levels(self) -> None:
        module = self.start()
        module.call("say")
        self.assertEqual(module.wait_line("switching")[0:2], ("debug", "switching on"))
        self.assertEqual(module.wait_line("a new lamp")[0], "notice")
        self.assertEqual(module.wait_line("cannot be filled in")[0], "error")
        self.assertIn("? aaa", module.wait_line("(10002 characters)")[1])

    def test_work_that_fails_ends_the_module(self) -> None:
        module = self.start()
        module.call("collapse")
        self.assertEqual(module.wait_failure(), "ValueError: the wire is cut")

    def test_a_stop_answers_the_calls_that_it_cuts_off(self) -> None:
        module = self.start()
        refused: list[CallError] = []

        def call() -> None:
            try:
                module.call("wait_for_ever")
            except CallError as error:
                refused.append(error)

        waiting = threading.Thread(target=call)
        waiting.start()
        while module.request("ping", {}) is None and not module._session._calls:  # type: ignore[union-attr]
            pass
        module.request("stop", {})
        waiting.join(10)
        self.assertEqual([(error.code, error.message) for error in refused], [(503, "the module stops")])
        self.assertEqual(module.wait_line("good night")[0], "info")
        with self.assertRaises(CallError) as stopped:
            module.call("switch")
        self.assertEqual(stopped.exception.message, "the module does not run")

    def test_a_start_that_fails_says_why(self) -> None:
        class Absent(Driver):
            def start(self) -> None:
                raise ConnectionError("no route to the lamp")

        with self.assertRaises(CallError) as refused:
            Module(Absent)
        self.assertEqual(refused.exception.message, "ConnectionError: no route to the lamp")

    def test_requests_that_make_no_sense_are_answered(self) -> None:
        module = self.start()
        for method, params, message in (
            ("start", {"protocol": 1}, "the module has been started already"),
            ("dance", {}, "there is no method 'dance' in version 1"),
            ("call", {}, "could not find function 'None'"),
        ):
            with self.assertRaises(CallError) as refused:
                module.request(method, params)
            self.assertEqual(refused.exception.message, message)


class QuietTest(unittest.TestCase):
    def test_a_driver_may_be_nothing_but_a_name(self) -> None:
        class Quiet(Driver):
            pass

        with Module(Quiet, settings={"anything": 1}) as module:
            self.assertEqual(module.description, "")
            self.assertEqual(module.interface, {"functions": {}, "implements": [], "statuses": {}})
            self.assertEqual(module.on_settings_change, "restart")
            with self.assertRaises(CallError):
                module.change_settings({})

    def test_a_function_is_inherited_and_can_be_replaced(self) -> None:
        class First(Driver):
            @function
            def name(self) -> str:
                return "first"

        class Second(First):
            @function
            def name(self) -> str:
                return f"second after {super().name()}"

        with Module(Second) as module:
            self.assertEqual(module.call("name"), "second after first")

    def test_levels_below_debug_and_above_error_have_words(self) -> None:
        class Loud(Driver):
            def start(self) -> None:
                self.log.log(1, "whisper")
                self.log.critical("shout")
                logging.getLogger(self.log.name).warning("the same logger")

        with Module(Loud) as module:
            self.assertEqual(module.wait_line("shout")[0], "fatal")
            self.assertEqual(module.wait_line("the same logger")[0], "warn")
