"""Pushjet's own library and Apprise, both unmodified, driven by a test through standard input and output.

    python client.py URL

Standard input takes one command a line and standard output gives one event a line, both JSON objects.
`ref` is the test's own mark; it comes back in each answer: {"event":"result","ref","value"} or {"event":"error","ref","error"},
an error being {"type","text","is"}, where `is` has the names of the classes that it is of.

    {"cmd":"call","on","method","args","kwargs","as"}  a method; `on` is the name of an object, or absent for the API; `as` names what comes of it
    {"cmd":"get","on"}                                 what an object is now
    {"cmd":"find","url"}                               the API is elsewhere from here on
    {"cmd":"notify","url","title","body"}              Apprise; the value says whether it was content

An argument {"the":NAME} is that object. A service, device, subscription or message is told as its fields.
The program ends when its standard input does.
"""

import json
import sys

import apprise
import pushjet

api = pushjet.Api(sys.argv[1])
objects = {}

FIELDS = {
    "Service": ["name", "icon_url", "created", "secret_key", "public_key"],
    "Device": ["uuid"],
    "Subscription": ["service", "time_subscribed", "last_checked", "device_uuid"],
    "Message": ["message", "title", "link", "time_sent", "importance", "service"],
}


def fields_of(thing):
    for kind in type(thing).__mro__:
        if kind.__name__ in FIELDS:
            return FIELDS[kind.__name__]
    return None


def told(thing):
    if isinstance(thing, list):
        return [told(item) for item in thing]
    fields = fields_of(thing)
    if fields is None:
        return thing
    return {field: told(getattr(thing, field)) for field in fields}


def argument(value):
    return objects[value["the"]] if isinstance(value, dict) else value


def call(command):
    target = objects[command["on"]] if "on" in command else api
    for name in command["method"].split("."):
        target = getattr(target, name)
    args = [argument(value) for value in command.get("args", [])]
    kwargs = {name: argument(value) for name, value in command.get("kwargs", {}).items()}
    made = target(*args, **kwargs)
    if "as" in command:
        objects[command["as"]] = made
    return told(made)


def get(command):
    return told(objects[command["on"]])


def find(command):
    global api
    api = pushjet.Api(command["url"])


def notify(command):
    sender = apprise.Apprise()
    if not sender.add(command["url"]):
        raise ValueError("Apprise does not take that address")
    return bool(sender.notify(title=command["title"], body=command["body"]))


COMMANDS = {"call": call, "get": get, "find": find, "notify": notify}


def report(**event):
    print(json.dumps(event), flush=True)


for line in sys.stdin:
    command = json.loads(line)
    try:
        report(event="result", ref=command["ref"], value=COMMANDS[command["cmd"]](command))
    except Exception as error:  # Whatever it is, the test is told.
        kinds = [kind.__name__ for kind in type(error).__mro__]
        report(
            event="error",
            ref=command["ref"],
            error={"type": kinds[0], "text": str(error), "is": kinds},
        )
