"""Scripts with hooks, as modules of a gateway that runs."""

from __future__ import annotations

import json
import unittest
import urllib.error
import urllib.request
from typing import Any

from riser import Child, Gateway, RiserError
from riser._webhook import WebhookEvent, when, written

from .support import DEADLINE, Folder, Relay

BUILDING = """
systems:
  - {id: sys-home, name: My Home, modules: [mod-script, mod-notes]}
modules:
  - {id: mod-script, driver: {command: [python3, -S, -m, riser.hooks, hooks.py]}, name: Script}
  - {id: mod-notes, driver: virtual, name: Notes}
"""

#: The hook of the script of Platypush's own document.
HOOK = """
hooks:
  - {name: at_home, call: sys-home/Script_1/webhook, args: {event: "{{ event }}"}, header: {X-Token: abcdefabcdef}}
"""

#: The procedure that the script runs, and the key with which it does.
PROCEDURE = """
procedures:
  - {id: at_home, steps: [{call: sys-home/Notes_1/set, args: [where, home]}]}
users:
  - {id: script, email: script@example.test, name: Script}
api_keys:
  - {id: script, secret: secret-s, user: script, level: user}
"""

#: The script of Platypush's own document, as it stands there.
SEED = """
from platypush import run, when
from platypush.events.http.hook import WebhookEvent

hook_token = "abcdefabcdef"

# Expose the hook under the /hook/at_home endpoint
@when(WebhookEvent, hook="at_home")
def at_home_webhook(event: WebhookEvent):
    # Unlike the calls to /execute, custom web hooks are unauthenticated.
    # If you want authentication, you'll need to implement your custom logic by
    # parsing the event headers
    if event.headers.get("X-Token") != hook_token:
        # Tuple with <response, http-code, [response-headers]>
        event.send_response(("Unauthorized", 401))
        return

    run('procedure.at_home')

    # Return anything back to the client
    return {'status': 'ok'}
"""

#: Everything else that a script does.
OTHER = """
import time
from beside import GREETING
from platypush import run, when
from platypush.events.http.hook import WebhookEvent

@when(WebhookEvent, hook="greet", method="POST")
def greet(event):
    run("sys-home.notes.set", "who", event.data["who"])
    return GREETING + run("sys-home.Notes_1.GET", name="who"), 201, {"X-Door": event.args["door"]}

@when(WebhookEvent, hook="early")
def early(event):
    event.send_response("on the way")
    run("sys-home.notes.sleep", 200)
    run("sys-home.notes.set", "early", True)
    return "too late"

@when(WebhookEvent, hook="mistake")
def mistake(event):
    run("sys-home.notes.gt", "who")

@when(WebhookEvent, hook="by_name")
def by_name(event):
    return run("my_home.notes.get", "who")

@when(WebhookEvent, hook="nothing")
def nothing(event):
    pass
"""


def event(hook: str, **fields: Any) -> dict[str, Any]:
    return {"hook": hook, "method": "GET", "args": {}, "data": "", "headers": {}} | fields


class HooksTest(Folder):
    def start(self, script: str, building: str = BUILDING) -> None:
        self.save("hooks.py", script)
        self.child = Child(self.save("building.yaml", building))
        self.addCleanup(self.child.stop)
        self.gateway = Gateway(self.child.url, self.child.key)
        self.addCleanup(self.gateway.close)
        with self.gateway.bind("sys-home/Script_1/connected") as connected:
            while connected.next(DEADLINE) is not True:
                pass

    def call(self, called: dict[str, Any]) -> Any:
        return self.gateway.run("my_home.script.webhook", event=called)

    def test_the_script_of_platypushs_document_runs_as_it_stands(self) -> None:
        self.start(SEED)
        self.assertEqual(next(self.gateway.bind("sys-home/Script_1/hooks")), ["at_home"])
        self.assertEqual(
            self.call(event("at_home")),
            {"status": 401, "headers": {"Content-Type": "text/html; charset=utf-8"}, "body": "Unauthorized"},
        )
        with self.assertRaisesRegex(RiserError, "procedure.at_home: a procedure is run by the gateway that RISER_URL"):
            self.call(event("at_home", headers={"x-token": "abcdefabcdef"}))

    def test_a_hook_of_the_building_runs_the_script_and_the_script_a_procedure(self) -> None:
        # The gateway's own address, which the building has to name before there is one.
        relay = Relay()
        self.addCleanup(relay.close)
        env = f"env: {{RISER_URL: '{relay.url}', RISER_API_KEY: script.secret-s}}"
        self.start(SEED, BUILDING.replace("hooks.py]", f"hooks.py], {env}") + HOOK + PROCEDURE)
        relay.lead_to(self.child.url)
        self.assertEqual(self.fetch("/hook/at_home"), (401, "Unauthorized"))
        with self.gateway.bind("sys-home/Notes_1/where") as where:
            called = self.fetch("/hook/at_home", headers={"X-Token": "abcdefabcdef"})
            self.assertEqual((called[0], json.loads(called[1])), (200, {"status": "ok"}))
            self.assertEqual(where.next(DEADLINE), "home")

    def fetch(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        request = urllib.request.Request(self.child.url + path, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def test_a_script_calls_other_modules_and_answers_as_it_likes(self) -> None:
        self.save("beside.py", "GREETING = 'hello '\n")
        self.start(OTHER)
        greeted = self.call(event("greet", method="POST", args={"door": "2"}, data={"who": "Ann"}))
        headers = {"Content-Type": "text/html; charset=utf-8", "X-Door": "2"}
        self.assertEqual(greeted, {"status": 201, "headers": headers, "body": "hello Ann"})
        nothing = {"status": 200, "headers": {"Content-Type": "text/html; charset=utf-8"}, "body": ""}
        self.assertEqual(self.call(event("nothing")), nothing)

        with self.gateway.bind("sys-home/Notes_1/early") as done:
            self.assertEqual(self.call(event("early"))["body"], "on the way")
            self.assertIs(done.next(DEADLINE), True)

        for hook, text in (
            ("mistake", "has no function 'gt'; did you mean 'get'"),
            ("by_name", "there is no system with the id 'my_home'; for other names of systems, give the module env"),
            ("other", "the script has no handler for the hook 'other'"),
        ):
            with self.subTest(hook), self.assertRaisesRegex(RiserError, text):
                self.call(event(hook))
        with self.assertRaisesRegex(RiserError, "no handler for the hook 'greet'"):
            self.call(event("greet"))

    def test_what_a_module_cannot_ask_goes_to_the_gateway_that_its_environment_names(self) -> None:
        self.save("beside.py", "GREETING = ''\n")
        other = Child(self.save("other.yaml", BUILDING.replace("[mod-script, ", "[")))
        self.addCleanup(other.stop)
        Gateway(other.url, other.key).run("my_home.notes.set", "who", "from there")
        env = f"env: {{RISER_URL: '{other.url}', RISER_API_KEY: '{other.key}'}}"
        self.start(OTHER, BUILDING.replace("hooks.py]", f"hooks.py], {env}"))
        self.assertEqual(self.call(event("by_name"))["body"], "from there")


class ResponseTest(unittest.TestCase):
    def test_a_response_is_a_body_with_or_without_a_status_and_headers(self) -> None:
        html, json = {"Content-Type": "text/html; charset=utf-8"}, {"Content-Type": "application/json"}
        for response, expect in (
            ({"a": 1}, (200, json, {"a": 1})),
            ([1], (200, json, [1])),
            (False, (200, json, False)),
            ("text", (200, html, "text")),
            (b"text", (200, html, "text")),
            (None, (200, html, "")),
            (("gone", 410), (410, html, "gone")),
            (({"a": 1}, 201, {"x-a": 2}), (201, json | {"X-A": "2"}, {"a": 1})),
            (("a,b", 200, {"content-type": "text/csv"}), (200, {"Content-Type": "text/csv"}, "a,b")),
        ):
            status, headers, body = expect
            self.assertEqual(written(response), {"status": status, "headers": headers, "body": body})

    def test_what_is_no_response_is_refused(self) -> None:
        for response in ((), ("a", 200, {}, 1), object(), ("a", "b"), ("a", 99), ("a", True), b"\xff"):
            with self.subTest(response), self.assertRaises((TypeError, ValueError)):
                written(response)

    def test_the_first_response_counts(self) -> None:
        called = WebhookEvent(event("at_home"))
        called.send_response("first")
        called.send_response("second")
        self.assertEqual(called.answer.result()["body"], "first")

    def test_a_condition_names_a_field_of_the_event(self) -> None:
        for conditions in ({"hok": "at_home"}, {"answer": 1}):
            with self.assertRaises(TypeError):
                when(WebhookEvent, **conditions)
        with self.assertRaises(TypeError):
            when(str)  # type: ignore[arg-type]
