"""What an action is called: ``board_room.display_1.power``, read as the gateway itself reads it.

A system goes by its id or by its name as a word, the first module of a name needs no index, and case does not matter. Nothing
here asks anyone: what there is comes in as arguments.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ._errors import RiserError

#: How alike two words are of which one may be meant by the other.
_ALIKE = 0.75

_INDEX = re.compile(r"(?s)(.+)_([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class Place:
    """A module: the id of its system, its name, and its index there."""

    system: str
    name: str
    index: int

    @property
    def slot(self) -> str:
        """``Display_1``."""
        return f"{self.name}_{self.index}"

    def __str__(self) -> str:
        return f"{self.system}/{self.slot}"


@dataclass(frozen=True)
class Rest:
    """What stands behind the system in an action: the module as it is written, and the function."""

    module: str
    function: str


def heads(action: str) -> list[tuple[str, list[Rest]]]:
    """What may be the system of an action and what then follows, the longest first, since ids may have dots.

    A path, ``sys-board/Display_1/power``, has one reading alone.
    """
    if "/" in action:
        parts = action.split("/")
        if len(parts) != 3 or not all(parts):
            raise RiserError(f"{action!r} names no function; a path has three parts, such as sys-board/Display_1/power")
        system, module, function = map(unescaped, parts)
        return [(system, [Rest(module, function)])]
    dots = [place for place, character in enumerate(action) if character == "."]
    found = []
    for at, dot in enumerate(dots[:-1]):
        rests = [Rest(action[dot + 1 : next], action[next + 1 :]) for next in dots[at + 1 :]]
        found.append((action[:dot], rests))
    if not found:
        raise RiserError(f"{action!r} names no function; write SYSTEM.MODULE.FUNCTION, such as sys-board.display_1.power")
    return found[::-1]


def system_of(words: Sequence[str], systems: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Which of the words a system is called, and the system's id; ``systems`` are ids with names."""
    known = list(systems)
    spellings: list[Callable[[str], list[str]]] = [
        lambda word: [id for id, _ in known if word == id],
        lambda word: [id for id, _ in known if word.lower() == id.lower()],
        lambda word: [id for id, name in known if word.lower() == slug(name)],
    ]
    for called in spellings:
        for word in words:
            found = called(word)
            if len(found) > 1:
                raise RiserError(f"several systems are called {word!r}; name one by its id: {', '.join(found)}")
            if found:
                return word, found[0]
    word = words[-1]
    like = [spelling for id, name in known for spelling in (id.lower(), slug(name))]
    raise RiserError(f"there is no system {word!r}{_near(word.lower(), like)}")


def module_of(system: str, rests: Sequence[Rest], modules: Iterable[tuple[str, int]]) -> tuple[Place, str]:
    """The module that is meant and the function behind it; ``modules`` are names with indices."""
    best: list[tuple[int, Place, str]] = []
    known = [Place(system, name, index) for name, index in modules]
    for place in known:
        for rest in rests:
            likeness = _likeness(rest.module, place)
            if likeness is not None:
                best.append((likeness, place, rest.function))
    if not best:
        word = rests[0].module
        slots = {place.slot.lower(): place.slot for place in known}
        raise RiserError(f"the system {system!r} has no module {word!r}{_near(word.lower(), slots)}")
    first = min(likeness for likeness, _, _ in best)
    found = {place: function for likeness, place, function in best if likeness == first}
    if len(found) > 1:
        slots_found = ", ".join(sorted(place.slot for place in found))
        raise RiserError(f"several modules of the system {system!r} are called so; write one as it is: {slots_found}")
    return next(iter(found.items()))


def function_of(place: Place, word: str, functions: Iterable[str]) -> str:
    """The function in the case in which the module writes it."""
    known = list(functions)
    if word in known:
        return word
    for name in known:
        if name.lower() == word.lower():
            return name
    raise RiserError(f"{place.slot} of the system {place.system!r} has no function {word!r}{_near(word, known)}")


def place_of(text: str) -> Place:
    """``sys-board/Display_1``; without a number the first is meant."""
    parts = text.split("/")
    if len(parts) != 2 or not all(parts):
        raise RiserError(f"{text!r} is no module, which is written sys-board/Display_1")
    system, module = map(unescaped, parts)
    numbered = _INDEX.fullmatch(module)
    name, index = (numbered[1], int(numbered[2])) if numbered else (module, 1)
    return Place(system, name, index)


def status_of(text: str) -> tuple[Place, str]:
    """``sys-board/Display_1/power``."""
    module, _, name = text.rpartition("/")
    if module.count("/") != 1 or not name:
        raise RiserError(f"{text!r} is no status, which is written sys-board/Display_1/power")
    return place_of(module), unescaped(name)


def slots_of(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The names and indices of a system's modules, of which it is known how many have each name."""
    return [(name, index) for name, count in counts.items() for index in range(1, count + 1)]


def slug(name: str) -> str:
    """A name as one word: in lower case, with one ``_`` for what is neither a letter nor a digit, and none at an end."""
    return "_".join(re.findall(r"[^\W_]+", name.lower()))


def unescaped(part: str) -> str:
    """A part of a path, in which ``%2F`` stands for ``/`` and ``%25`` for ``%``."""
    return re.sub("%(2[Ff]|25)", lambda code: "%" if code[1] == "25" else "/", part)


def _likeness(word: str, place: Place) -> int | None:
    """How well a word names a module, the best first."""
    lower, name, slot, index = word.lower(), place.name, place.slot, place.index
    ways = [
        word == slot,
        lower == slot.lower(),
        index == 1 and word == name,
        index == 1 and lower == name.lower(),
        lower == f"{slug(name)}_{index}",
        index == 1 and lower == slug(name),
    ]
    return ways.index(True) if True in ways else None


def _near(word: str, known: Iterable[str] | Mapping[str, str]) -> str:
    """What a mistyped word may have been meant to be; a mapping says how that is shown."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=_ALIKE)
    if not found:
        return ""
    shown = known[found[0]] if isinstance(known, Mapping) else found[0]
    return f"; did you mean {shown!r}?"
