"""A driver as a process: its pipes, its end, and what it does with a gateway that misbehaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).parents[1]

#: How long anything may take, in seconds, on a machine that is busy.
DEADLINE = 20.0

DRIVER = '''
import asyncio, logging, os, subprocess, sys, threading
from riser_driver import Driver, Status, function, run

print("before")

class Noisy(Driver):
    """A driver that does what it likes."""

    power = Status[bool]("Whether it is on.")
    count = Status[int]("How often.")

    def start(self) -> None:
        print("hello")
        self.power = False

    @function
    def switch(self, state: bool) -> str:
        self.power = state
        logging.getLogger("elsewhere").info("seen")
        logging.getLogger("elsewhere").debug("not seen")
        return "done"

    @function
    def shout(self) -> None:
        print("to the log", flush=True)
        os.write(1, b"past Python\\n")
        subprocess.run(["echo", "a program"], check=True)

    @function
    def read(self) -> str:
        return sys.stdin.read()

    @function
    def count_to(self, number: int) -> None:
        for count in range(number + 1):
            self.count = count

    @function
    def log_lines(self, number: int) -> None:
        for line in range(number):
            self.log.info("line %d", line)

    @function
    def hang(self) -> None:
        print("hanging")
        threading.Event().wait()

    @function
    async def collapse(self) -> None:
        async def work() -> None:
            raise ValueError("the wire is cut")
        self.spawn(work())

    @function
    def leave(self) -> None:
        sys.exit(7)

    def stop(self) -> None:
        print("good night")

run(Noisy)
'''


class Gateway:
    """As much of a gateway as a driver needs: it starts the process, asks, and reads what comes."""

    def __init__(self, folder: str, source: str = DRIVER) -> None:
        program = Path(folder, "driver.py")
        program.write_text(source)
        self.process = subprocess.Popen(
            # As an installer's machine has it: without a variable that makes output unbuffered, and without site-packages.
            [sys.executable, "-S", str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(LIBRARY), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self.messages: list[dict[str, Any]] = []
        self.ended = False
        self.stderr = ""
        self._changed = threading.Condition()
        self._requests = 0
        self._may_read = threading.Event()
        self._may_read.set()
        self._threads = [threading.Thread(target=self._read), threading.Thread(target=self._read_stderr)]
        for thread in self._threads:
            thread.start()

    def send(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def begin(self, method: str, params: Any) -> int:
        """Sends a request and does not wait for its answer."""
        self._requests += 1
        message = {"jsonrpc": "2.0", "id": self._requests, "method": method, "params": params}
        self.send(json.dumps(message) + "\n")
        return self._requests

    def answer(self, identity: int) -> dict[str, Any]:
        return self.wait(lambda message: message.get("id") == identity and "method" not in message)

    def request(self, method: str, params: Any) -> Any:
        answer = self.answer(self.begin(method, params))
        return answer.get("result", answer.get("error"))

    def start(self) -> Any:
        return self.request("start", {"protocol": 1, "module": "mod-1", "uri": None, "settings": {}})

    def call(self, function: str, *arguments: Any) -> Any:
        return self.request("call", {"function": function, "arguments": list(arguments)})

    def wait(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message that fits, waited for if it has not come yet."""
        with self._changed:
            found: dict[str, Any] | None = self._changed.wait_for(
                lambda: next((message for message in self.messages if fits(message)), None)
                or ({} if self.ended else None),
                DEADLINE,
            )
        assert found, f"it has not come: {self.messages[-5:]} {self.stderr}"
        return found

    def wait_stderr(self, part: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: part in self.stderr, DEADLINE), f"{part} is not in {self.stderr}"

    def hold(self) -> None:
        """Reads nothing any more until :meth:`go_on`."""
        self._may_read.clear()

    def go_on(self) -> None:
        self._may_read.set()

    def close(self) -> int:
        """Closes the driver's standard input and waits for its end."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        return self.wait_end()

    def wait_end(self) -> int:
        code = self.process.wait(DEADLINE)
        for thread in self._threads:
            thread.join(DEADLINE)
        return code

    def end(self) -> None:
        self.go_on()
        if self.process.poll() is None:
            self.process.kill()
        self.close()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def statuses(self, name: str) -> list[Any]:
        found = [message["params"] for message in self.messages if message.get("method") == "status"]
        return [params["value"] for params in found if params["name"] == name]

    def lines(self) -> list[tuple[str, str]]:
        found = [message["params"] for message in self.messages if message.get("method") == "log"]
        return [(params["level"], params["message"]) for params in found]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                # A line that is no message fails the test by this thread's end.
                self.messages.append(json.loads(line))
                self._changed.notify_all()
            self._may_read.wait()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.stderr += line.decode()
                self._changed.notify_all()


class ProcessTest(unittest.TestCase):
    def gateway(self, source: str = DRIVER) -> Gateway:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        gateway = Gateway(folder.name, source)
        self.addCleanup(gateway.end)
        return gateway

    def started(self) -> Gateway:
        gateway = self.gateway()
        ready = gateway.start()
        self.assertEqual(ready["description"], "A driver that does what it likes.")
        self.assertEqual(ready["on_settings_change"], "restart")
        return gateway

    def test_a_module_lives_from_start_to_stop(self) -> None:
        gateway = self.started()
        self.assertEqual(gateway.call("switch", True), {"value": "done", "code": 200})
        self.assertEqual(gateway.statuses("power"), [False, True])
        self.assertEqual(gateway.lines(), [("info", "seen")])
        self.assertIsNone(gateway.request("ping", {}))
        self.assertIsNone(gateway.request("stop", {}))
        self.assertEqual(gateway.close(), 0)
        self.assertEqual(gateway.stderr, "before\nhello\ngood night\n")

    def test_whatever_is_printed_is_no_message(self) -> None:
        gateway = self.started()
        self.assertEqual(gateway.call("shout"), {"value": None, "code": 200})
        self.assertEqual(gateway.close(), 0)
        self.assertIn("to the log\npast Python\na program\n", gateway.stderr)

    def test_the_drivers_own_code_cannot_read_the_pipe(self) -> None:
        gateway = self.started()
        self.assertEqual(gateway.call("read"), {"value": "", "code": 200})

    def test_when_standard_input_ends_the_driver_stops_and_ends(self) -> None:
        gateway = self.started()
        self.assertEqual(gateway.close(), 0)
        self.assertIn("good night", gateway.stderr)

    def test_a_function_that_never_returns_keeps_no_process(self) -> None:
        gateway = self.started()
        hanging = gateway.begin("call", {"function": "hang", "arguments": []})
        gateway.wait_stderr("hanging")
        self.assertIsNone(gateway.request("ping", {}))
        # The plain `stop` cannot have its turn behind it, so there is a deadline for it.
        self.assertEqual(gateway.close(), 1)
        self.assertEqual(gateway.answer(hanging)["error"]["code"], 503)
        self.assertIn("stop was not done after 3 s", gateway.stderr)

    def test_a_call_that_has_not_begun_when_the_driver_stops_is_answered(self) -> None:
        gateway = self.started()
        call = json.dumps({"jsonrpc": "2.0", "id": 80, "method": "call", "params": {"function": "switch", "arguments": [True]}})
        stop = json.dumps({"jsonrpc": "2.0", "id": 81, "method": "stop", "params": {}})
        gateway.send(f"{call}\n{stop}\n")
        gateway.answer(80)
        self.assertIsNone(gateway.answer(81)["result"])

    def test_work_that_fails_ends_the_process_with_its_reason(self) -> None:
        gateway = self.started()
        gateway.call("collapse")
        self.assertEqual(gateway.wait_end(), 1)
        self.assertEqual(gateway.lines()[-1][0], "fatal")
        self.assertIn("riser_driver: ValueError: the wire is cut", gateway.stderr)

    def test_a_driver_that_exits_exits(self) -> None:
        gateway = self.started()
        gateway.begin("call", {"function": "leave", "arguments": []})
        self.assertEqual(gateway.wait_end(), 7)

    def test_a_gateway_that_does_not_read_gets_the_last_value_and_is_told_of_dropped_lines(self) -> None:
        gateway = self.started()
        gateway.hold()
        counting = gateway.begin("call", {"function": "count_to", "arguments": [20_000]})
        logging = gateway.begin("call", {"function": "log_lines", "arguments": [20_000]})
        gateway.begin("call", {"function": "shout", "arguments": []})
        # Plain functions run in their order, so both are done by then and none of it could be written.
        gateway.wait_stderr("to the log")
        gateway.go_on()
        gateway.answer(counting)
        gateway.answer(logging)
        gateway.call("log_lines", 1)
        self.assertTrue(any("log lines were dropped" in message for _, message in gateway.lines()))
        counts = gateway.statuses("count")
        self.assertEqual(counts[-1], 20_000)
        self.assertEqual(counts, sorted(counts))
        places = [
            index
            for index, message in enumerate(gateway.messages)
            if message.get("id") == counting or message.get("params", {}).get("value") == 20_000
        ]
        self.assertEqual(len(places), 2)
        self.assertIn("id", gateway.messages[places[1]], "the answer is behind the value")

    def test_nonsense_is_answered_and_ends_nothing(self) -> None:
        gateway = self.started()
        gateway.send('hello\n\n[]\n{"id": 70}\n{"jsonrpc": "2.0", "id": 71, "method": "dance"}\n\xff\n')
        gateway.send('{"jsonrpc": "2.0", "method": "news"}\n{"jsonrpc": "2.0", "id": {}, "method": "ping"}\n')
        self.assertEqual(gateway.answer(71)["error"]["code"], -32601)
        self.assertEqual(gateway.call("switch", False)["value"], "done")
        errors = [message["error"]["code"] for message in gateway.messages if "error" in message]
        self.assertEqual(errors, [-32700, -32600, -32600, -32601, -32700, -32600])
        self.assertIn(("warn", "the gateway sent 'news', which this version of the library does not know"), gateway.lines())

    def test_a_line_without_an_end_ends_the_driver(self) -> None:
        gateway = self.started()
        try:
            for _ in range(32):
                gateway.send("x" * 1024 * 1024)
        except BrokenPipeError:
            pass
        self.assertEqual(gateway.wait_end(), 1)
        self.assertIn("a line of more than 16777216 bytes", gateway.stderr)

    def test_another_version_of_the_protocol_is_refused(self) -> None:
        gateway = self.gateway()
        refused = gateway.request("start", {"protocol": 2, "module": "mod-1", "uri": None, "settings": {}})
        self.assertIn("version 1 of the protocol", refused["message"])
        self.assertEqual(gateway.close(), 0)

    def test_a_call_before_the_start_is_refused_and_a_ping_is_answered(self) -> None:
        gateway = self.gateway()
        self.assertEqual(gateway.call("switch", True), {"code": 503, "message": "the module does not run"})
        self.assertIsNone(gateway.request("ping", {}))

    def test_more_calls_than_a_module_can_have_are_refused_at_once(self) -> None:
        gateway = self.started()
        for _ in range(1_000):
            gateway.begin("call", {"function": "hang", "arguments": []})
        refused = gateway.call("switch", True)
        self.assertEqual(refused, {"code": 503, "message": "1000 calls of this module have no answer yet"})

    def test_a_mistake_in_the_class_is_told_to_the_gateway(self) -> None:
        gateway = self.gateway(
            "from riser_driver import *\n"
            "class Bad(Driver):\n"
            "    @function\n"
            "    def play(self, song): pass\n"
            "run(Bad)\n"
        )
        refused = gateway.start()
        self.assertEqual(refused["message"], "the parameter 'song' of 'play' has no annotation, such as song: float")
