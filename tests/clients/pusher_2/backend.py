"""Pusher's server library for Python in version 2, the last with notifications for phones, unmodified, driven by a test through its standard input and output.

    python backend.py URL APP KEY SECRET

Standard input takes one command a line and standard output gives one event a line, both JSON objects.
`ref` is the test's own mark; it comes back in each answer: {"event":"result","ref","value"} or {"event":"error","ref","error"},
an error being {"type","text"}.

    {"cmd":"call","method","args"}       a method of the library

It ends when its standard input does.
"""

import json
import sys
from urllib.parse import urlsplit

import pusher

URL, APP, KEY, SECRET = sys.argv[1:]


def make_client():
    place = urlsplit(URL)
    is_secure = place.scheme == "https"
    return pusher.Pusher(
        app_id=APP,
        key=KEY,
        secret=SECRET,
        host=place.hostname,
        port=place.port,
        ssl=is_secure,
        notification_host=place.hostname,
        notification_ssl=is_secure,
    )


def main():
    client = make_client()
    for line in sys.stdin:
        command = json.loads(line)
        answer = {"ref": command["ref"]}
        try:
            value = getattr(client, command["method"])(*command.get("args", []))
            answer.update(event="result", value=value)
        except Exception as error:
            problem = {"type": type(error).__name__, "text": str(error)}
            answer.update(event="error", error=problem)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
