"""Uses a projector as pypjlink2 does, and prints what it sees as one line of JSON.

check.py PORT [PASSWORD]
"""

import json
import sys
import time

from pypjlink import MUTE_AUDIO, MUTE_VIDEO, Projector
from pypjlink.projector import ProjectorError

# How long the projector may take to warm up.
DEADLINE_SECONDS = 15


def wait_for_power(projector, expected):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while projector.get_power() != expected:
        if time.monotonic() > deadline:
            raise SystemExit(f"the projector is still {projector.get_power()}")
        time.sleep(0.02)


def refusal(action):
    try:
        action()
    except ProjectorError as error:
        return str(error)
    return None


def main(port, password):
    seen = {}
    with Projector.from_address("127.0.0.1", int(port)) as projector:
        seen["authenticated"] = projector.authenticate(password)
        if seen["authenticated"] is False:
            return seen
        seen["power"] = [projector.get_power()]
        seen["input_while_off"] = refusal(projector.get_input)
        projector.set_power("on")
        seen["power"].append(projector.get_power())
        wait_for_power(projector, "on")
        seen["inputs"] = projector.get_inputs()
        projector.set_input("RGB", 1)
        seen["input"] = projector.get_input()
        seen["no_such_input"] = refusal(lambda: projector.set_input("VIDEO", 9))
        seen["mute"] = [projector.get_mute()]
        for what, state in [
            (MUTE_VIDEO, True),
            (MUTE_AUDIO, True),
            (MUTE_VIDEO, False),
            (MUTE_VIDEO | MUTE_AUDIO, False),
        ]:
            projector.set_mute(what, state)
            seen["mute"].append(projector.get_mute())
        seen["errors"] = projector.get_errors()
        seen["lamps"] = projector.get_lamps()
        seen["name"] = projector.get_name()
        seen["manufacturer"] = projector.get_manufacturer()
        seen["model"] = projector.get_product_name()
        seen["other"] = projector.get_other_info()
        projector.set_power("off")
        seen["power"].append(projector.get_power())
    return seen


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)))
