"""Actions and bindings against a gateway that runs."""

from __future__ import annotations

import queue
import unittest
from typing import Any

from riser import Child, Gateway, RiserError

from .support import DEADLINE, NOTES, Folder, Relay


PROCEDURES = """
procedures:
  - {id: note, parameters: [value], steps: [{call: sys-Board/Notes_1/set, args: [text, "{{ value }}"]}]}
  - {id: greet, parameters: [who], steps: [{return: {said: "hello {{ who }}"}}]}
"""


class GatewayTest(Folder):
    def setUp(self) -> None:
        super().setUp()
        self.child = Child(self.save("building.yaml", NOTES + PROCEDURES))
        self.addCleanup(self.child.stop)
        self.gateway = Gateway(self.child.url, self.child.key)
        self.addCleanup(self.gateway.close)

    def fails(self, text: str, action: str, *args: Any, **kwargs: Any) -> RiserError:
        with self.assertRaisesRegex(RuntimeError, text) as caught:
            self.gateway.run(action, *args, **kwargs)
        assert isinstance(caught.exception, RiserError)
        return caught.exception

    def test_actions_are_run_by_their_names(self) -> None:
        run = self.gateway.run
        self.assertIsNone(run("board_room.notes.set", "text", {"a": [1, None, "ü"]}))
        self.assertEqual(run("SYS-BOARD.Notes_1.GET", "text"), {"a": [1, None, "ü"]})
        self.assertEqual(run("sys-Board/Notes/get", name="text"), {"a": [1, None, "ü"]})
        run("board_room.notes_2.set", "text", value="second")
        self.assertEqual(run("hall.notes.get", "text"), "second")
        self.assertEqual(self.gateway.exec("sys-Board/Notes_2", "get", "text"), "second")

    def test_a_procedure_gives_what_it_returns_and_none_for_nothing(self) -> None:
        run = self.gateway.run
        self.assertIsNone(run("procedure.note", "first"))
        self.assertEqual(run("board_room.notes.get", "text"), "first")
        self.assertEqual(run("procedure.greet", who="Ann"), {"said": "hello Ann"})
        self.fails("did you mean note", "procedure.noet", "x")
        self.fails("positional or named", "procedure.note", "x", value="y")

    def test_blocks_end_what_they_begin(self) -> None:
        with Child(self.save("more.yaml", NOTES)) as child, Gateway(child.url, child.key) as gateway:
            values = gateway.bind("sys-Board/Notes_1/text")
        self.assertEqual(list(values), [])
        with self.assertRaisesRegex(RiserError, "cannot be reached"):
            gateway.run("board_room.notes.get", "text")

    def test_an_answer_that_does_not_come_in_time_is_an_error(self) -> None:
        hasty = Gateway(self.child.url, self.child.key, timeout=0.1)
        with self.assertRaisesRegex(RiserError, "did not answer: .*whether the call had its effect is not known") as caught:
            hasty.exec("sys-Board/Notes_1", "sleep", 60_000)
        self.assertFalse(caught.exception.did_not_run)

    def test_a_failure_says_what_is_wrong(self) -> None:
        failed = self.fails("^sys-Board/Notes_1/fail: .*out of paper", "board_room.notes.fail", "out of paper")
        self.assertEqual(failed.code, 500)
        self.fails("^there is no system 'bord_room'; did you mean 'board_room'", "bord_room.notes.get", "text")
        self.fails("has no module 'note_3'; did you mean 'Notes_", "board_room.note_3.get", "text")
        self.fails("has no function 'gt'; did you mean 'get'", "board_room.notes.gt", "text")
        self.fails("missing argument 'name'", "board_room.notes.get")
        self.fails("the argument 'name' was given twice", "board_room.notes.set", "text", name="text")
        self.fails("names no function", "notes.get")

    def test_what_cannot_be_sent_is_not_sent(self) -> None:
        with self.assertRaises(TypeError):
            self.gateway.run("board_room.notes.set", "text", float("nan"))
        with self.assertRaises(TypeError):
            self.gateway.run("board_room.notes.set", "text", object())
        self.assertIsNone(self.gateway.run("board_room.notes.get", "text"))

    def test_a_wrong_key_is_said(self) -> None:
        with self.assertRaises(RiserError) as caught:
            Gateway(self.child.url, "riser-admin.wrong").run("board_room.notes.get", "text")
        self.assertEqual(caught.exception.code, 401)
        with self.assertRaises(RiserError) as caught:
            Gateway(self.child.url, "riser-admin.wrong").bind("sys-Board/Notes_1/text")
        self.assertEqual(caught.exception.code, 401)

    def test_a_binding_gives_the_value_and_each_change(self) -> None:
        self.gateway.run("board_room.notes.set", "text", "first")
        with self.gateway.bind("sys-Board/Notes_1/text") as values:
            self.assertEqual(values.next(DEADLINE), "first")
            self.gateway.run("board_room.notes.set", "text", 2)
            self.assertEqual(values.next(DEADLINE), 2)
            self.gateway.run("board_room.notes.remove", "text")
            self.assertIsNone(values.next(DEADLINE))
            with self.assertRaises(TimeoutError):
                values.next(0.01)
        self.assertEqual(list(values), [])

    def test_several_bindings_share_a_connection_and_one_may_follow_what_is_not_there_yet(self) -> None:
        with self.gateway.bind("sys-Board/Notes_1/a") as a, self.gateway.bind("sys-hall/Notes/b") as b:
            self.gateway.run("hall.notes.set", "b", True)
            self.gateway.run("board_room.notes.set", "a", False)
            self.assertIs(a.next(DEADLINE), False)
            self.assertIs(b.next(DEADLINE), True)
            with self.gateway.bind("sys-hall/Notes_1/b") as again:
                self.assertIs(again.next(DEADLINE), True)

    def test_a_function_is_called_with_each_value_and_what_it_raises_does_not_end_that(self) -> None:
        seen: queue.Queue[Any] = queue.Queue()

        def take(value: Any) -> None:
            seen.put(value)
            if value == 1:
                raise ValueError("one is too few")

        with self.gateway.bind("sys-Board/Notes_1/text", take):
            with self.assertLogs("riser", "ERROR"):
                self.gateway.run("board_room.notes.set", "text", 1)
                self.assertEqual(seen.get(timeout=DEADLINE), 1)
                self.gateway.run("board_room.notes.set", "text", 2)
                self.assertEqual(seen.get(timeout=DEADLINE), 2)

    def test_what_is_followed_is_right_again_after_the_connection_was_lost(self) -> None:
        relay = Relay()
        self.addCleanup(relay.close)
        relay.lead_to(self.child.url)
        beyond = Gateway(relay.url, self.child.key)
        self.addCleanup(beyond.close)
        self.gateway.run("board_room.notes.set", "same", 1)
        self.gateway.run("board_room.notes.set", "other", 1)
        with beyond.bind("sys-Board/Notes_1/same") as same, beyond.bind("sys-Board/Notes_1/other") as other:
            self.assertEqual((same.next(DEADLINE), other.next(DEADLINE)), (1, 1))
            with self.assertLogs("riser", "WARNING"):
                relay.cut()
                self.gateway.run("board_room.notes.set", "other", 2)
                self.assertEqual(other.next(DEADLINE), 2)
            self.gateway.run("board_room.notes.set", "same", 3)
            # What did not change meanwhile is not said again.
            self.assertEqual(same.next(DEADLINE), 3)

    def test_a_gateway_that_is_gone_is_said(self) -> None:
        self.child.stop()
        self.fails("cannot be reached", "sys-Board.notes.get", "text")
        with self.assertRaisesRegex(RiserError, "could not follow"):
            self.gateway.bind("sys-Board/Notes_1/text")


class AddressTest(unittest.TestCase):
    def test_what_is_no_address_is_refused(self) -> None:
        for url in ("", "127.0.0.1:3000", "ftp://a", "http://", "http://a:b", "http://u:p@a", "http://a?b"):
            with self.assertRaises(RiserError):
                Gateway(url)
