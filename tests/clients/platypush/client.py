"""`requests` and `websocket-client`, unmodified, whose answers are read by Platypush's own classes; driven by a test through standard input and output.

    python client.py URL TOKEN

Standard input takes one command a line and standard output gives one event a line, both JSON objects.
`ref` is the test's own mark; it comes back in each answer: {"event":"result","ref","value"} or {"event":"error","ref","error"}.

    {"cmd":"execute","message"}  posts a message to /execute
    {"cmd":"request","message"}  sends it on /ws/requests and waits for the response
    {"cmd":"publish","message"}  sends it on /ws/events and waits for the event

A value is what Platypush makes of the answer: {"class","args"}.
The program ends when its standard input does.
"""

import json
import sys

import requests
import websocket
from platypush.message import Message

url, token = sys.argv[1].rstrip("/"), sys.argv[2]
headers = {"Authorization": f"Bearer {token}"}


def read(text):
    message = Message.build(text)
    return {
        "class": type(message).__name__,
        "args": getattr(message, "args", None),
    }


def execute(command):
    answer = requests.post(f"{url}/execute", json=command["message"], headers=headers, timeout=10)
    answer.raise_for_status()
    return read(answer.text)


def over(path, command):
    socket = websocket.create_connection(
        url.replace("http", "ws", 1) + path,
        header=[f"Authorization: Bearer {token}"],
        timeout=10,
    )
    try:
        socket.send(json.dumps(command["message"]))
        while True:
            text = socket.recv()
            # What modules say comes in between.
            if "EntityUpdateEvent" not in text:
                return read(text)
    finally:
        socket.close()


COMMANDS = {
    "execute": execute,
    "request": lambda command: over("/ws/requests", command),
    "publish": lambda command: over("/ws/events", command),
}


def report(**event):
    print(json.dumps(event), flush=True)


for line in sys.stdin:
    command = json.loads(line)
    try:
        report(event="result", ref=command["ref"], value=COMMANDS[command["cmd"]](command))
    except Exception as error:  # Whatever it is, the test is told.
        report(event="error", ref=command["ref"], error={"type": type(error).__name__, "text": str(error)})
