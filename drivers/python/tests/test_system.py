"""What a driver asks about other modules, in memory."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import unittest
from typing import Any

from riser_driver import Driver, Error, Follow, Status, function
from riser_driver.testkit import CallError, Module, Neighbour

from .test_process import Gateway


class Room(Driver):
    """Logic for a room."""

    shown = Status[Any]("What was followed.")
    heard = Status[Any]("What was said on the channel.")
    found = Status[Any]("What stands there.")

    follow: Follow | None = None

    def start(self) -> None:
        self.seen: list[Any] = []
        self.gate = threading.Event()

    @function
    def power(self, state: bool) -> list[str]:
        """Switches all that can be switched."""
        modules = self.system.implementing("Powerable").result()
        replies = [module.call("power", state) for module in modules]
        for reply in replies:
            reply.result()
        return [str(module) for module in modules]

    @function
    async def power_async(self, state: bool) -> Any:
        return await self.system.get("Display").call("power", state=state)

    @function
    async def wait_on_the_loop(self) -> Any:
        return self.system.get("Display").call("power", True).result()

    @function
    def read(self, name: str, index: int) -> Any:
        return self.system.get(name, index).status("power").result()

    @function
    def names(self) -> Any:
        described = self.system_by_id("sys-9").describe().result()
        return [described["id"], [str(module) for module in self.system.modules("Display").result()]]

    @function
    def try_it(self) -> Any:
        try:
            return self.system.get("Lamp").call("power").result()
        except Error as error:
            return [error.code, error.message]

    @function
    def begin(self) -> None:
        async def work() -> None:
            await self.system.get("Display").call("power", False)
            self.found = "done"

        self.spawn(work())

    @function
    def follow_power(self) -> None:
        self.follow = self.system.get("Display").follow("power", self.on_power)

    @function
    def follow_slowly(self) -> None:
        self.system.get("Display").follow("power", self.on_power_slowly)

    @function
    async def open_gate(self) -> None:
        self.gate.set()

    @function
    async def unfollow(self) -> None:
        assert self.follow is not None
        self.follow.stop()

    @function
    def listen(self) -> None:
        self.messages("alarms").follow(self.on_alarm)

    @function
    def alarm(self, floor: int) -> None:
        self.messages("alarms").publish({"floor": floor}).result()

    def on_power(self, value: Any) -> None:
        if value == "bad":
            raise ValueError("no such power")
        self.shown = ["power", value]

    def on_power_slowly(self, value: Any) -> None:
        self.seen.append(value)
        self.found = value
        self.gate.wait(10)
        self.shown = list(self.seen)

    async def on_alarm(self, message: Any) -> None:
        self.heard = [*(self.heard or []), message]
        await asyncio.sleep(0)


class SystemTest(unittest.TestCase):
    def setUp(self) -> None:
        self.display = Neighbour(
            "Display",
            functions={"power": lambda state: self.display.set("power", state)},
            statuses={"power": False},
            implements=["Powerable"],
        )
        self.lamp = Neighbour("Lamp", functions={"power": self.burst}, implements=["Lighting"])
        self.second = Neighbour("Display", 2, functions={"power": lambda state: None}, implements=["Powerable"])
        self.module = Module(Room, neighbours=[self.display, self.lamp, self.second])
        self.addCleanup(self.module.stop)

    def burst(self) -> None:
        raise CallError(409, "the lamp is hot")

    def test_a_plain_function_calls_all_modules_that_can_do_something(self) -> None:
        self.assertEqual(self.module.call("power", True), ["Display_1", "Display_2"])
        self.assertEqual(self.display.calls, [("power", [True])])
        self.assertEqual(self.second.calls, [("power", [True])])
        self.assertEqual(self.lamp.calls, [])

    def test_an_async_function_awaits_the_reply_and_may_name_arguments(self) -> None:
        self.module.call("power_async", True)
        self.assertEqual(self.display.calls, [("power", {"state": True})])

    def test_a_reply_is_not_waited_for_on_the_event_loop(self) -> None:
        with self.assertRaises(CallError) as refused:
            self.module.call("wait_on_the_loop")
        self.assertIn("an async method awaits a reply", refused.exception.message)

    def test_a_call_names_the_call_in_which_it_is_made_in_plain_and_async_functions_and_not_in_spawned_work(self) -> None:
        self.module.call("power_async", True)
        self.module.call("power", True)
        self.module.call("begin")
        self.module.wait("found", "done")
        # The start had the id 1.
        self.assertEqual(self.module.calls_within, [2, 3, 3, None])

    def test_a_status_is_read_and_a_system_described(self) -> None:
        self.assertIs(self.module.call("read", "Display", 1), False)
        self.assertIsNone(self.module.call("read", "Lamp", 1))
        self.assertEqual(self.module.call("names"), ["sys-9", ["Display_1", "Display_2"]])

    def test_a_refusal_has_the_code_and_says_what_was_done(self) -> None:
        self.assertEqual(self.module.call("try_it"), [409, "Lamp_1.power: the lamp is hot"])
        with self.assertRaises(CallError) as refused:
            self.module.call("read", "Screen", 7)
        self.assertEqual(refused.exception.code, 404)
        self.assertEqual(refused.exception.message, "Screen_7/power: could not find module Screen_7 in sys-test")

    def test_a_status_is_followed_from_its_value_on_until_it_is_given_up(self) -> None:
        self.module.call("follow_power")
        self.module.wait("shown", ["power", False])
        self.display.set("power", True)
        self.module.wait("shown", ["power", True])
        self.display.set("power", None)
        self.module.wait("shown", ["power", None])
        self.display.set("power", "bad")
        level, _ = self.module.wait_line("Display_1/power: on_power: ValueError: no such power")
        self.assertEqual(level, "warn")
        self.display.set("power", 0.5)
        self.module.wait("shown", ["power", 0.5])
        self.module.call("unfollow")
        self.module.wait_follows(0)

    def test_a_handler_that_is_behind_gets_the_latest_value(self) -> None:
        self.module.call("follow_slowly")
        self.module.wait("found", False)
        for value in range(100):
            self.display.set("power", value)
        self.module.call("open_gate")
        self.module.wait("shown", [False, 99])

    def test_each_message_of_a_channel_is_handled(self) -> None:
        self.module.call("listen")
        self.module.wait_follows(1)
        for floor in range(3):
            self.module.send("alarms", {"floor": floor})
        self.module.wait("heard", [{"floor": 0}, {"floor": 1}, {"floor": 2}])
        self.module.call("alarm", 7)
        self.module.wait_message("alarms", {"floor": 7})


CALLER = """
from riser_driver import Driver, function, run

class Caller(Driver):
    @function
    def ask(self):
        return self.system.get("Lamp").call("power").result()

    @function
    async def ask_async(self):
        return await self.system.get("Lamp").call("power")

    @function
    def ask_often(self):
        replies = [self.system.get("Lamp").call("power") for _ in range(513)]
        return replies[-1].result()

run(Caller)
"""


class SilentGatewayTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.gateway = Gateway(folder.name, CALLER)
        self.addCleanup(self.gateway.end)
        self.gateway.start()

    def call(self, function: str) -> int:
        return self.gateway.begin("call", {"function": function, "arguments": []})

    def test_a_stop_cuts_off_what_waits_for_an_answer(self) -> None:
        calls = [self.call("ask"), self.call("ask_async")]
        for call in calls:
            self.gateway.wait(lambda message: message.get("params", {}).get("call") == call)
        self.assertIsNone(self.gateway.request("stop", {}))
        for call in calls:
            self.assertIn(self.gateway.answer(call)["error"]["code"], (503, 504))
        self.assertEqual(self.gateway.close(), 0)

    def test_requests_without_an_answer_are_bounded(self) -> None:
        call = self.call("ask_often")
        answer = self.gateway.answer(call)
        self.assertEqual(answer["error"]["code"], 429)
        asked = [message for message in self.gateway.messages if message.get("method") == "call_module"]
        self.assertEqual(len(asked), 512)
