"""What a module costs as a process in Python, and linked in: the time to a client, and memory.

    python3 drivers/python/benches/driver_cost.py target/release/riser latency
    python3 drivers/python/benches/driver_cost.py target/release/riser memory

It starts the gateway with a building of its own, and is its client over the websocket. It needs Linux and the standard
library. What `benches/load` measures, the gateway with many clients, is not measured here.
"""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

#: How many changes each latency is the median of.
CHANGES = 2_000

#: How far changes are apart, in seconds: far enough for each to travel alone.
PERIOD = 0.005

#: How long modules may take to start, in seconds: a hundred processes start on two cores.
START_DEADLINE = 120.0

_HERE = Path(__file__).resolve().parent
_SECRET = "a-secret-of-the-measurement"


class Gateway:
    """A gateway with these modules, all in one system."""

    def __init__(self, program: str, modules: list[dict[str, Any]]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        building = Path(self._folder.name) / "building.yaml"
        # JSON is YAML.
        building.write_text(
            json.dumps(
                {
                    "systems": [{"id": "sys-1", "name": "Room", "modules": [module["id"] for module in modules]}],
                    "modules": modules,
                    "users": [{"id": "user-1", "email": "one@example.test", "level": "admin"}],
                    "api_keys": [{"id": "one", "secret": _SECRET, "user": "user-1", "level": "admin"}],
                }
            )
        )
        environment = dict(os.environ, PYTHONPATH=str(_HERE.parent), RISER_LISTEN="127.0.0.1:0")
        log = open(Path(self._folder.name) / "log", "w")
        command = [program, "--building", str(building)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True)
        assert self._process.stdout is not None, "it is a pipe"
        ready = self._process.stdout.readline()
        found = re.match(r"riser ready http://([\d.]+):(\d+)", ready)
        if found is None:
            raise SystemExit(f"the gateway did not start: {ready!r}")
        self._address = (found[1], int(found[2]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def client(self) -> Client:
        return Client(self._address)

    def processes(self) -> tuple[int, list[int]]:
        """The gateway, and what it has started."""
        gateway = self._process.pid
        children = Path(f"/proc/{gateway}/task").glob("*/children")
        return gateway, [int(child) for path in children for child in path.read_text().split()]


class Client:
    """A client of the real-time websocket, as simple as can be: one frame a message, none of them long."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        host = f"{address[0]}:{address[1]}"
        head = (
            f"GET /api/engine/v2/systems/control?api-key=one.{_SECRET} HTTP/1.1\r\nHost: {host}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        self._input = self._socket.makefile("rb")
        status = self._input.readline()
        if b" 101 " not in status:
            raise SystemExit(f"the gateway refused the websocket: {status!r}")
        while self._input.readline() != b"\r\n":
            pass
        self._requests = 0

    def ask(self, command: str, module: str, name: str, arguments: list[Any] | None = None) -> int:
        """Sends a request about a module of the system, and gives its id."""
        self._requests += 1
        place = {"sys": "sys-1", "mod": module, "index": 1, "name": name}
        request = {"id": self._requests, "cmd": command, **place, "args": arguments or []}
        self._send(0x81, json.dumps(request).encode())
        return self._requests

    def _send(self, kind: int, payload: bytes) -> None:
        length = [0x80 | len(payload)] if len(payload) < 126 else [0xFE, *len(payload).to_bytes(2)]
        # A mask of nothing leaves the payload as it is.
        self._socket.sendall(bytes([kind, *length]) + bytes(4) + payload)

    def messages(self) -> Iterator[dict[str, Any]]:
        """What the gateway sends. An error ends the measurement."""
        while head := self._input.read(2):
            length = head[1]
            if length == 126:
                length = int.from_bytes(self._input.read(2))
            payload = self._input.read(length)
            if head[0] == 0x81:
                message = json.loads(payload)
                if message["type"] == "error":
                    raise SystemExit(f"the gateway answered {message}")
                yield message
            elif head[0] == 0x89:
                # Whoever does not answer a ping is not there any more.
                self._send(0x8A, payload)

    def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next message that fits."""
        for message in self.messages():
            if fits(message):
                return message
        raise SystemExit("the gateway closed the websocket")

    def bind(self, module: str, name: str) -> None:
        bound = self.ask("bind", module, name)
        self.until(lambda it: it.get("id") == bound and it["type"] == "success")

    def wait_connected(self, module: str) -> None:
        self.bind(module, "connected")
        self.until(lambda it: it["type"] == "notify" and it["meta"]["mod"] == module and it["value"] is True)


def measure_latency(program: str) -> None:
    stamper = {"id": "mod-process", "driver": {"command": [sys.executable, str(_HERE / "stamper.py")]}, "name": "Process"}
    virtual = {"id": "mod-linked-in", "driver": "virtual", "name": "LinkedIn"}
    with Gateway(program, [stamper, virtual]) as gateway:
        client = gateway.client()
        client.wait_connected("Process")
        client.bind("Process", "stamp")
        say("from a process's assignment to the notify", set_to_notify(client))
        for module in ["LinkedIn", "Process"]:
            client.bind(module, "level")
            say(f"from an exec of {module}'s `set` to the notify", exec_to_notify(client, module))


def set_to_notify(client: Client) -> list[int]:
    call = client.ask("exec", "Process", "stamp_often", [CHANGES, PERIOD])
    times: list[int] = []
    # The answer comes behind the last change; where the machine is busy, some of those before it are merged.
    for message in client.messages():
        now = time.monotonic_ns()
        if message.get("id") == call:
            break
        if message["type"] == "notify" and message["meta"]["name"] == "stamp" and message["value"]:
            times.append(now - message["value"])
    return times


def exec_to_notify(client: Client, module: str) -> list[int]:
    times = []
    for number in range(1, CHANGES + 1):
        began = time.monotonic_ns()
        call = client.ask("exec", module, "set", ["level", number])
        seen = set()
        # The answer and the notify, in whichever order.
        while seen != {"success", "notify"}:
            message = client.until(
                lambda it: it.get("id") == call or it["type"] == "notify" and it.get("value") == number
            )
            seen.add(message["type"])
            if message["type"] == "notify":
                times.append(time.monotonic_ns() - began)
        time.sleep(PERIOD)
    return times


def say(what: str, nanoseconds: list[int]) -> None:
    steps = statistics.quantiles(nanoseconds, n=100)
    print(f"{what}: median {steps[49] / 1000:.0f} µs, p99 {steps[98] / 1000:.0f} µs, of {len(nanoseconds)}")


def measure_memory(program: str) -> None:
    def processes(count: int) -> tuple[int, int, int]:
        command = [sys.executable, str(_HERE / "stamper.py")]
        return memory_with(program, [{"id": f"mod-{n}", "driver": {"command": command}, "name": f"M{n}"} for n in range(count)])

    def linked_in(count: int) -> tuple[int, int, int]:
        return memory_with(program, [{"id": f"mod-{n}", "driver": "virtual", "name": f"M{n}"} for n in range(count)])

    few, many = processes(10), processes(110)
    gateway, resident, own = ((after - before) / 100 for before, after in zip(few, many, strict=True))
    print(f"a process module: {resident:.0f} kB resident, {own:.0f} kB of them its own, and {gateway:.0f} kB in the gateway")
    few, many = linked_in(1), linked_in(1_001)
    print(f"a linked-in module: {(many[0] - few[0]) / 1000:.1f} kB")


def memory_with(program: str, modules: list[dict[str, Any]]) -> tuple[int, int, int]:
    """What the gateway has resident with these modules, what their processes have, and what of that is shared with nobody, in kB."""
    with Gateway(program, modules) as gateway:
        client = gateway.client()
        deadline = time.monotonic() + START_DEADLINE
        for module in modules:
            client.wait_connected(module["name"])
            if time.monotonic() > deadline:
                raise SystemExit("the modules did not start in time")
        pid, children = gateway.processes()
        own = sum(memory(child, "Private_Clean") + memory(child, "Private_Dirty") for child in children)
        return memory(pid, "Rss"), sum(memory(child, "Rss") for child in children), own


def memory(pid: int, kind: str) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(size) for size in re.findall(rf"^{kind}:\s+(\d+) kB", rollup, re.MULTILINE))


if __name__ == "__main__":
    match sys.argv[1:]:
        case [program, "latency"]:
            measure_latency(program)
        case [program, "memory"]:
            measure_memory(program)
        case _:
            sys.exit(__doc__)
