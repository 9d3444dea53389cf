"""The drivers that the documents show, run as they stand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from .test_process import DEADLINE, LIBRARY, Gateway


README = LIBRARY / "README.md"
TUTORIAL = LIBRARY.parents[1] / "docs" / "writing-a-driver.md"


def blocks(document: Path, kind: str) -> list[str]:
    """The code of a document's blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)


def without_interface(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same messages, without the part that the tutorial has cut short."""
    for message in messages:
        if isinstance(message.get("result"), dict):
            message["result"].pop("interface", None)
    return messages


class DocumentsTest(unittest.TestCase):
    def run_tests(self, files: dict[str, str]) -> None:
        """Runs the tests among the files as a reader would."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                Path(folder, name).write_text(text)
            ran = subprocess.run(
                [sys.executable, "-S", "-m", "unittest"],
                cwd=folder,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(LIBRARY), "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                timeout=DEADLINE,
                check=False,
            )
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("Ran 1 test", ran.stderr)

    def started(self, driver: str, settings: dict[str, Any]) -> tuple[Gateway, Any]:
        """A driver that runs as it stands, and its answer to the start."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        gateway = Gateway(folder.name, driver)
        self.addCleanup(gateway.end)
        start = {"protocol": 1, "module": "mod-thermometer", "uri": None, "settings": settings}
        return gateway, gateway.request("start", start)

    def test_the_driver_of_the_readme_passes_its_test(self) -> None:
        driver, test = blocks(README, "python")
        self.run_tests({"heater.py": driver, "test_heater.py": test})

    def test_the_first_driver_of_the_tutorial_passes_its_test(self) -> None:
        driver, _, test = blocks(TUTORIAL, "python")
        self.run_tests({"thermometer.py": driver, "test_thermometer.py": test})

    def test_the_first_driver_of_the_tutorial_says_on_the_wire_what_the_tutorial_shows(self) -> None:
        driver = blocks(TUTORIAL, "python")[0]
        gateway, ready = self.started(driver, {})
        self.assertEqual(list(ready["interface"]["statuses"]), ["temperature"])
        self.assertEqual(gateway.call("calibrate", 0.5), {"value": 22.0, "code": 200})
        self.assertIsNone(gateway.request("ping", {}))
        shown = blocks(TUTORIAL, "text")[0]
        told = [json.loads(line[2:]) for line in shown.splitlines() if line.startswith("< ")]
        self.assertEqual(without_interface(gateway.messages), without_interface(told))
        refused = gateway.call("calibrate", "warmer")
        self.assertEqual(refused["message"], "argument 'degrees' of 'calibrate': expected a number")
        self.assertIsNone(gateway.request("stop", {}))
        self.assertEqual(gateway.close(), 0)

    def test_the_real_thing_of_the_tutorial_reads_a_file_and_says_when_it_is_gone(self) -> None:
        driver = blocks(TUTORIAL, "python")[1]
        with tempfile.TemporaryDirectory() as folder:
            sensor = Path(folder, "temp")
            sensor.write_text("48312\n")
            gateway, _ = self.started(driver, {"path": str(sensor), "poll_seconds": 0.1})
            gateway.wait(lambda message: message.get("params") == {"name": "temperature", "value": 48.3})
            self.assertIs(gateway.call("exceeds", 40)["value"], True)
            sensor.unlink()
            gateway.wait(lambda message: message.get("params") == {"name": "connected", "value": False})
            self.assertEqual(gateway.call("exceeds", 40), {"code": 503, "message": "the sensor cannot be read"})
            sensor.write_text("21000\n")
            gateway.wait(lambda message: message.get("params") == {"name": "temperature", "value": 21.0})
        self.assertEqual([level for level, _ in gateway.lines()], ["warn"])

    def test_a_wrong_setting_of_the_real_thing_is_named(self) -> None:
        _, refused = self.started(blocks(TUTORIAL, "python")[1], {"poll_seconds": "often", "pth": "x"})
        self.assertEqual(
            refused["message"],
            "the module's settings do not fit: poll_seconds: expected a number, 0.1 or more; "
            "pth: is not known; expected one of `path`, `poll_seconds`",
        )
