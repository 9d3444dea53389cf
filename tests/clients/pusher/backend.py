"""Pusher's server library for Python, unmodified, driven by a test through its standard input and output.

    python backend.py URL APP KEY SECRET

Standard input takes one command a line and standard output gives one event a line, both JSON objects.
`ref` is the test's own mark; it comes back in each answer: {"event":"result","ref","value"} or {"event":"error","ref","error"},
an error being {"type","text"}.

    {"cmd":"call","method","args","as"}       a method of the library; `as` is one of the clients below
    {"cmd":"client","as","options","backend"} another client; `options` are arguments of its own, `backend` may be "aiohttp"
    {"cmd":"trust","certificate"}             a file, the one way in which the library's HTTPS trusts an authority of one's own
    {"cmd":"clock","by"}                      the library's clock goes wrong by so many seconds
    {"cmd":"listen","statuses"}               a receiver of webhooks; the value is its port. The first requests get these statuses, the others 200

A receiver says {"event":"hook","status","valid"} for each request: `valid` is what the library makes of it, null if it is not valid.
It ends when its standard input does.
"""

import asyncio
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import urlsplit

import pusher
import pusher.aiohttp

URL, APP, KEY, SECRET = sys.argv[1:]
# 32 bytes, from 0 to 31.
MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

clients = {}
print_lock = Lock()


def report(**event):
    with print_lock:
        print(json.dumps(event, default=bytes.decode), flush=True)


def make_client(options, backend=None):
    place = urlsplit(URL)
    arguments = {
        "app_id": APP,
        "key": KEY,
        "secret": SECRET,
        "host": place.hostname,
        "port": place.port,
        "ssl": place.scheme == "https",
        "encryption_master_key_base64": MASTER_KEY,
        **options,
    }
    if backend == "aiohttp":
        arguments["backend"] = pusher.aiohttp.AsyncIOBackend
    return pusher.Pusher(**arguments)


def call(command):
    client = clients[command.get("as", "")]
    value = getattr(client, command["method"])(*command.get("args", []))
    return asyncio.run(value) if asyncio.iscoroutine(value) else value


def client(command):
    clients[command["as"]] = make_client(command.get("options", {}), command.get("backend"))


def trust(command):
    clients[""]._pusher_client.http.options["verify"] = command["certificate"]


def clock(command):
    right = time.time
    pusher.http.time.time = lambda: right() + command["by"]


def listen(command):
    statuses = iter(command.get("statuses", []))

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            shown = (self.headers.get("X-Pusher-Key", ""), self.headers.get("X-Pusher-Signature", ""))
            status = next(statuses, 200)
            report(event="hook", status=status, valid=clients[""].validate_webhook(*shown, body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=receiver.serve_forever, daemon=True).start()
    return receiver.server_port


COMMANDS = {"call": call, "client": client, "trust": trust, "clock": clock, "listen": listen}


def main():
    clients[""] = make_client({})
    for line in sys.stdin:
        command = json.loads(line)
        try:
            report(event="result", ref=command["ref"], value=COMMANDS[command["cmd"]](command))
        except Exception as error:
            problem = {"type": type(error).__name__, "text": str(error)}
            report(event="error", ref=command["ref"], error=problem)


if __name__ == "__main__":
    main()
