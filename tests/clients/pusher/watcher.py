"""Pysher, unmodified, driven by a test through its standard input and output.

    python watcher.py URL KEY SECRET

Standard input takes one command a line and standard output gives one event a line, both JSON objects.
`ref` is the test's own mark; it comes back in each answer, {"event":"result","ref","value"}.

    {"cmd":"open","member"}                      connects; `member` is what presence channels are told
    {"cmd":"subscribe","channel","names"}        and listens there for events of these names
    {"cmd":"trigger","channel","name","data"}

It says {"event":"connected","data"}, {"event":"failed","data"}, {"event":"entered","channel"}, {"event":"refused","channel","data"} and {"event":"heard","channel","name","data"},
whose `data` is as the library has it: text.
It ends when its standard input does.
"""

import json
import os
import sys
from threading import Lock
from urllib.parse import urlsplit

import pysher

URL, KEY, SECRET = sys.argv[1:]

print_lock = Lock()
watcher = None


def report(**event):
    with print_lock:
        print(json.dumps(event), flush=True)


def open_watcher(command):
    global watcher
    place = urlsplit(URL)
    watcher = pysher.Pusher(
        KEY,
        secure=False,
        secret=SECRET,
        custom_host=place.hostname,
        port=place.port,
        user_data=command.get("member"),
    )
    for name, event in (("pusher:connection_established", "connected"), ("pusher:error", "failed")):
        watcher.connection.bind(name, lambda data, event=event: report(event=event, data=data))
    # The library subscribes before anybody can listen on the channel, so the success and an error are seen on their way there.
    hand_over = watcher.connection.event_handler

    def look(name, data, channel):
        if name == "pusher_internal:subscription_succeeded":
            report(event="entered", channel=channel)
        if name == "pusher:error":
            report(event="refused", channel=channel, data=data)
        hand_over(name, data, channel)

    watcher.connection.event_handler = look
    watcher.connect()


def subscribe(command):
    name = command["channel"]
    channel = watcher.subscribe(name)
    for event in command["names"]:
        channel.bind(event, lambda data, event=event: report(event="heard", channel=name, name=event, data=data))


def trigger(command):
    watcher.channel(command["channel"]).trigger(command["name"], command["data"])


COMMANDS = {"open": open_watcher, "subscribe": subscribe, "trigger": trigger}


def main():
    for line in sys.stdin:
        command = json.loads(line)
        COMMANDS[command["cmd"]](command)
        report(event="result", ref=command["ref"], value=None)
    # The library's threads would keep the process alive.
    os._exit(0)


if __name__ == "__main__":
    main()
