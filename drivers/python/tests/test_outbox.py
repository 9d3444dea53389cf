"""The queue to the gateway: order, bounds, and what gives way."""

from __future__ import annotations

import unittest

from riser_driver._limits import OUTBOX_BYTES_MAX, OUTBOX_MESSAGES_MAX
from riser_driver._outbox import Outbox


def tell_dropped(count: int) -> bytes:
    return f"dropped {count}, ".encode()


class OutboxTest(unittest.TestCase):
    def test_all_is_taken_in_order_while_there_is_room(self) -> None:
        outbox = Outbox()
        outbox.put_status("a", b"a=1 ")
        outbox.put(b"answer ")
        outbox.put_status("a", b"a=2 ")
        outbox.put_line(b"line ", tell_dropped)
        self.assertEqual(outbox.take(), b"a=1 answer a=2 line ")

    def test_a_value_that_waits_takes_the_newer_one_in_its_place(self) -> None:
        outbox = Outbox()
        outbox.put_status("a", b"a=1 ")
        outbox.put_status("b", b"b" * OUTBOX_BYTES_MAX)
        outbox.put(b" answer ")
        outbox.put_status("a", b"a=2 ")
        outbox.put_status("c", b"c=1 ")
        self.assertEqual(outbox.take(), b"a=2 " + b"b" * OUTBOX_BYTES_MAX + b" answer c=1 ")

    def test_lines_are_dropped_and_counted_and_answers_are_not(self) -> None:
        outbox = Outbox()
        for _ in range(OUTBOX_MESSAGES_MAX + 3):
            outbox.put_line(b".", tell_dropped)
        outbox.put(b"answer")
        self.assertEqual(outbox.take(), b"." * OUTBOX_MESSAGES_MAX + b"answer")
        outbox.put_line(b"next", tell_dropped)
        outbox.put_line(b" one", tell_dropped)
        self.assertEqual(outbox.take(), b"dropped 3, next one")

    def test_what_waits_is_still_taken_when_it_is_closed(self) -> None:
        outbox = Outbox()
        outbox.put(b"last")
        outbox.close()
        outbox.put(b"too late")
        outbox.put_status("a", b"too late")
        self.assertEqual(outbox.take(), b"last")
        self.assertIsNone(outbox.take())
