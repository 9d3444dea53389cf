"""Scripts that use the library, run as they stand."""

from __future__ import annotations

import os

from riser import Child, RiserError

from .support import NOTES, Folder

SEED = """
from platypush import run
from platypush.config import Config

# Optional. Defaults to the default config.yaml if missing
Config.init('/path/to/my/config.yaml')

# ...

run('light.hue.toggle', groups=['Living Room', 'Hall'])

# ...
"""

LIGHTS = """
systems: [{id: light, name: Lights, modules: [mod-hue]}]
modules: [{id: mod-hue, driver: {command: [python3, -S, hue.py]}, name: Hue}]
"""

HUE = """
from riser_driver import Driver, function, run

class Hue(Driver):
    @function
    def toggle(self, groups: list[str]) -> list[str]:
        with open("toggled", "a") as file:
            file.write(",".join(groups))
        return groups

run(Hue)
"""


class LibraryTest(Folder):
    maxDiff = None
    def test_a_script_for_platypush_runs_as_it_stands(self) -> None:
        self.save("hue.py", HUE)
        building = self.save("config.yaml", LIGHTS)
        ran = self.script(SEED.replace("/path/to/my/config.yaml", str(building)))
        self.assertEqual((ran.stderr, ran.stdout, ran.returncode), ("", "", 0))
        self.assertEqual((self.folder / "toggled").read_text(), "Living Room,Hall")

    def test_a_gateway_of_the_scripts_own_ends_with_the_script(self) -> None:
        self.save("building.yaml", NOTES)
        ran = self.script(
            """
            import riser
            from riser import _default
            riser.run("hall.notes.set", "a", 1)
            followed = riser.bind("sys-hall/Notes_1/a")
            print(_default._child.pid)
            raise SystemExit(3)
            """
        )
        self.assertEqual((ran.returncode, ran.stderr), (3, ""))
        with self.assertRaises(ProcessLookupError):
            os.kill(int(ran.stdout), 0)

    def test_a_script_uses_the_gateway_that_its_environment_names(self) -> None:
        child = Child(self.save("notes.yaml", NOTES))
        self.addCleanup(child.stop)
        ran = self.script(
            """
            import riser
            riser.run("hall.notes.set", "a", 1)
            print(next(riser.bind("sys-hall/Notes_1/a")), riser.exec("sys-hall/Notes", "get", "a"))
            """,
            RISER_URL=child.url,
            RISER_API_KEY=child.key,
        )
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "1 1\n", ""))

    def test_a_building_with_a_mistake_is_an_error_that_names_it(self) -> None:
        with self.assertRaisesRegex(RiserError, "there is no driver `virtua`"):
            Child(self.save("building.yaml", "modules: [{id: a, driver: virtua}]"))

    def test_a_building_that_is_not_there_is_said(self) -> None:
        with self.assertRaisesRegex(RiserError, "there is no building file"):
            Child(self.folder / "nothing.yaml")
        ran = self.script("import riser\nriser.run('a.b.c')")
        self.assertIn("RiserError: there is no building.yaml here; name a building file with Config.init", ran.stderr)

    def test_a_second_building_is_refused(self) -> None:
        for name in ("one.yaml", "two.yaml"):
            self.save(name, NOTES)
        ran = self.script(
            """
            from riser import Config, run
            Config.init("one.yaml")
            run("hall.notes.get", "a")
            Config.init("one.yaml")
            Config.init("two.yaml")
            """
        )
        self.assertIn("RuntimeError: the gateway of another building runs already", ran.stderr)

    def test_what_stands_around_a_gateway_of_the_scripts_own_does_not_matter(self) -> None:
        self.save("building.yaml", NOTES)
        self.save("riser.toml", "data = 'kept'\nlisten = '127.0.0.1:1'\n")
        ran = self.script("import riser\nprint(riser.run('hall.notes.get', 'a'))", RISER_DATA="kept")
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "None\n", ""))
        self.assertFalse((self.folder / "kept").exists())
