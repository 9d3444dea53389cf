"""Uses a projector of class 2 as aiopjlink does, and prints what it sees as one line of JSON.

check.py PORT [PASSWORD]
"""

import asyncio
import json
import sys

from aiopjlink import PJClass, PJLink, PJLinkERR3, PJLinkException, PJLinkPassword


async def refusal(action):
    try:
        await action
    except PJLinkException as error:
        return type(error).__name__
    return None


async def look(link):
    seen = {}
    seen["power"] = (await link.power.get()).name
    seen["class"] = await link.transmit("CLSS", "?", PJClass.ONE)
    seen["inputs"] = [
        (mode.name, index, name)
        for mode, index, name in await link.sources.available_with_names()
    ]
    await link.sources.set("6", "1", pjclass=PJClass.TWO)
    mode, index = await link.sources.get(pjclass=PJClass.TWO)
    seen["input"] = (mode.name, index)
    seen["input_of_class_2_in_class_1"] = await refusal(link.sources.set("6", "1"))
    seen["resolution"] = await link.sources.resolution()
    seen["recommended_resolution"] = await link.sources.recommended_resolution()
    await link.mute.set(video=True, audio=False)
    seen["mute"] = await link.mute.status()
    errors = await link.errors.query()
    seen["errors"] = {part.value: level.name for part, level in errors.items()}
    seen["lamps"] = [(hours, state.name) for hours, state in await link.lamps.status()]
    seen["lamp_models"] = await link.lamps.replacement_models()
    seen["filter_hours"] = await link.filter.hours()
    seen["filter_models"] = await link.filter.replacement_models()
    seen["freeze"] = [await link.freeze.get()]
    await link.freeze.set(True)
    seen["freeze"].append(await link.freeze.get())
    await link.speaker.turn_up()
    seen["serial_number"] = await link.transmit("SNUM", "?", PJClass.TWO)
    seen["name"] = await link.transmit("NAME", "?", PJClass.ONE)
    await link.power.turn_off()
    seen["freeze_while_cooling"] = await refusal(link.freeze.get())
    seen["power_while_cooling"] = await refusal(link.power.turn_on())
    return seen


async def main(port, password):
    try:
        async with PJLink("127.0.0.1", port=int(port), password=password) as link:
            return await look(link)
    except PJLinkPassword as error:
        return {"password": str(error)}


if __name__ == "__main__":
    assert issubclass(PJLinkERR3, PJLinkException)
    arguments = sys.argv[1:] + [None]
    print(json.dumps(asyncio.run(main(arguments[0], arguments[1]))))
