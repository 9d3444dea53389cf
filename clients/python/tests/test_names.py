"""What an action is called, by the same cases as in the gateway."""

from __future__ import annotations

import unittest

from riser import RiserError
from riser._names import Place, function_of, heads, module_of, place_of, slots_of, slug, status_of, system_of

SYSTEMS = [("sys-Alpha", "Board Room"), ("sys.2", "Büro – 2.OG"), ("sys-3", "Hall"), ("sys-4", "hall")]

MODULES = {
    "sys-Alpha": {"Display": 2, "Big Screen": 1},
    "sys.2": {"Display": 1, "lamp": 1, "Lamp": 1, "v1.2": 1},
    "sys-3": {"Display": 1},
    "sys-4": {"Display": 1},
}


def found(action: str) -> str:
    readings = heads(action)
    word, system = system_of([word for word, _ in readings], SYSTEMS)
    place, function = module_of(system, dict(readings)[word], slots_of(MODULES[system]))
    return f"{place}/{function_of(place, function, ['echo', 'wait'])}"


class NamesTest(unittest.TestCase):
    def check_error(self, action: str, text: str) -> None:
        with self.assertRaises(RiserError) as caught:
            found(action)
        self.assertEqual(str(caught.exception), text)

    def test_a_system_goes_by_its_id_or_name_and_case_does_not_matter(self) -> None:
        for action in (
            "sys-Alpha.Display_1.echo",
            "sys-alpha.display.ECHO",
            "Board_Room.display_1.echo",
            "sys-alpha/display/echo",
            "board_room/Display_1/Echo",
        ):
            self.assertEqual(found(action), "sys-Alpha/Display_1/echo", action)

    def test_dots_and_other_characters_may_stand_in_each_part(self) -> None:
        self.assertEqual(found("sys.2.display.echo"), "sys.2/Display_1/echo")
        self.assertEqual(found("büro_2_og.v1.2.echo"), "sys.2/v1.2_1/echo")
        self.assertEqual(found("board_room.big_screen.echo"), "sys-Alpha/Big Screen_1/echo")

    def test_what_is_written_as_it_is_wins_and_what_means_two_is_an_error(self) -> None:
        self.assertEqual(found("sys.2.Lamp.echo"), "sys.2/Lamp_1/echo")
        self.assertEqual(found("sys.2.lamp.echo"), "sys.2/lamp_1/echo")
        self.check_error(
            "sys.2.LAMP.echo",
            "several modules of the system 'sys.2' are called so; write one as it is: Lamp_1, lamp_1",
        )
        self.check_error("hall.display.echo", "several systems are called 'hall'; name one by its id: sys-3, sys-4")

    def test_what_is_not_there_is_named_with_what_is_like_it(self) -> None:
        self.check_error("bord_room.display.echo", "there is no system 'bord_room'; did you mean 'board_room'?")
        self.check_error("kitchen.display.echo", "there is no system 'kitchen'")
        self.check_error(
            "board_room.dsplay_2.echo",
            "the system 'sys-Alpha' has no module 'dsplay_2'; did you mean 'Display_2'?",
        )
        self.check_error(
            "board_room.display.eco",
            "Display_1 of the system 'sys-Alpha' has no function 'eco'; did you mean 'echo'?",
        )

    def test_what_is_no_name_is_refused(self) -> None:
        for action in ("", "echo", "display.echo"):
            with self.assertRaises(RiserError):
                found(action)
        with self.assertRaises(RiserError):
            found("sys-3/Display_1")

    def test_a_place_ends_in_an_index_or_is_the_first(self) -> None:
        self.assertEqual(place_of("sys-1/My_Display_12"), Place("sys-1", "My_Display", 12))
        self.assertEqual(place_of("sys-1/My_Display"), Place("sys-1", "My_Display", 1))
        self.assertEqual(status_of("a%2Fb/M_1/50%25"), (Place("a/b", "M", 1), "50%"))
        for text in ("Lamp", "/Lamp", "sys-1/", "a/b/c"):
            with self.assertRaises(RiserError):
                place_of(text)
        for text in ("sys-1/Lamp_1", "power", "a/b/c/d"):
            with self.assertRaises(RiserError):
                status_of(text)

    def test_a_name_as_a_word(self) -> None:
        for name, word in (("Board Room", "board_room"), ("_x_", "x"), ("a__b", "a_b"), ("会議室", "会議室"), ("", "")):
            self.assertEqual(slug(name), word)
