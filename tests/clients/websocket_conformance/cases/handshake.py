"""12: the opening handshake, and everything that is none."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .exchange import KEY, Answer, Changes, accept_of, plain, read_answer, upgrade
from .frames import binary, close, ping, raw, text
from .peer import END_DEADLINE, Cut, Door, End, Mismatch, Peer
from .steps import (
    Case,
    Step,
    alive,
    call_of,
    goodbye,
    hear_close,
    hear_echo,
    hear_pong,
    ponged,
    send,
)

# The gateway may have its reason for a status among these; that it is no upgrade is what counts.
REFUSED = range(400, 506)

# An ordinary path that anybody may ask, and one that takes a body.
HEALTH = "/healthz"
ECHO = "/api/engine/v2/systems/sys-1/Virtual_1/echo"


def cases(_limit: int) -> Iterator[Case]:
    yield from forms()
    yield from in_one_packet()
    yield from broken()
    yield from not_13()
    yield from credentials()
    yield from elsewhere()


def accepts(
    name: str,
    title: str,
    changes: Changes | None = None,
    key: str = KEY,
    chop: int | None = None,
    **request: str,
) -> Case:
    """This handshake succeeds, and then the websocket works."""

    def run(door: Door) -> None:
        target = target_of(request, door)
        with door.connect() as stream:
            peer = Peer(stream)
            peer.send(upgrade(door, filled(changes, door), target=target), chop)
            answer = read_answer(stream)
            check_upgrade(answer, key)
            follow(stream, answer, alive(), goodbye())

    return Case(name, title, run)


def refuses(
    name: str,
    title: str,
    statuses: int | Collection[int],
    changes: Changes | None = None,
    **request: str,
) -> Case:
    """This request is answered by one of these statuses, and the connection goes on or ends as the answer says."""

    def run(door: Door) -> None:
        method = request.get("method", "GET")
        target = target_of(request, door)
        version = request.get("version", "HTTP/1.1")
        body = request.get("body", "").encode()
        changed = filled(changes, door)
        data = upgrade(door, changed, method=method, target=target, version=version, body=body)
        with door.connect() as stream:
            stream.sendall(data)
            answer = read_answer(stream, method=method)
            check_refusal(answer, statuses)
            check_aftermath(door, Peer(stream), answer, version)

    return Case(name, title, run)


def target_of(request: dict[str, str], door: Door) -> str:
    target = request.get("target", "{path}")
    return target.format(path=door.path, key=door.key, authority=door.authority)


def filled(changes: Changes | None, door: Door) -> Changes:
    """The changes of a table, which knows neither the key nor the address."""
    return {
        name: value.format(key=door.key, scheme=door.scheme, authority=door.authority)
        if isinstance(value, str)
        else value
        for name, value in (changes or {}).items()
    }


def check_upgrade(answer: Answer, key: str = KEY) -> None:
    if answer.status != 101:
        raise Mismatch("status 101", f"{answer.status} {answer.body!r}")
    for name, expected in [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-accept", accept_of(key)),
        ("sec-websocket-protocol", None),
        ("sec-websocket-extensions", None),
        ("content-length", None),
        ("transfer-encoding", None),
    ]:
        got = answer.header(name)
        if got != expected and (name.startswith("sec-") or (got or "").lower() != (expected or "")):
            raise Mismatch(f"{name}: {expected}", got)


def check_refusal(answer: Answer, statuses: int | Collection[int]) -> None:
    allowed = [statuses] if isinstance(statuses, int) else statuses
    if answer.status not in allowed:
        raise Mismatch(f"status {statuses}", f"{answer.status} {answer.body!r}")
    if answer.status == 426:
        # RFC 6455 section 4.4 and RFC 9110 section 15.5.22.
        for name, expected in [("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")]:
            if answer.header(name) != expected:
                raise Mismatch(f"{name}: {expected} in a 426", answer.header(name))


def check_aftermath(door: Door, peer: Peer, answer: Answer, version: str) -> None:
    """After an answer the stream ends, or takes the next request."""
    if answer.rest:
        raise Mismatch("nothing behind the answer", answer.rest)
    if answer.says_close() or version == "HTTP/1.0":
        # Where the request could not be read the stream ends and TLS does not; the answer says how long it is.
        end = peer.receive(END_DEADLINE)
        if end not in (End(), Cut()):
            raise Mismatch(End(), end)
        return
    expected = f"an answer that says close, or one to {HEALTH} on the same connection"
    peer.send(plain(door, HEALTH))
    try:
        following = read_answer(peer.stream)
    except Mismatch as mismatch:
        raise Mismatch(
            expected, f"Connection: {answer.header('connection')}, then {mismatch.got}"
        ) from mismatch
    if following.status != 200:
        raise Mismatch(expected, following)


def follow(stream, answer: Answer, *steps: Step) -> None:
    """The websocket begins with what came behind the answer."""
    peer = Peer(stream, answer.rest)
    for step in steps:
        step(peer)


def forms() -> Iterator[Case]:
    """What the rules leave to the client."""
    names = ["Host", "X-API-Key", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"]
    values = ["{authority}", "{key}", "websocket", "Upgrade", KEY, "13"]
    usual = dict(zip(names, values, strict=True))
    without: Changes = dict.fromkeys(names)
    table: list[tuple[str, Changes]] = [
        ("as everybody does it", {}),
        ("names in small letters", without | {name.lower(): usual[name] for name in names}),
        ("names in capital letters", without | {name.upper(): usual[name] for name in names}),
        ("Upgrade: WebSocket", {"Upgrade": "WebSocket"}),
        ("Upgrade: WEBSOCKET", {"Upgrade": "WEBSOCKET"}),
        ("Connection: upgrade", {"Connection": "upgrade"}),
        ("Connection: UPGRADE", {"Connection": "UPGRADE"}),
        ("Connection: keep-alive, Upgrade", {"Connection": "keep-alive, Upgrade"}),
        ("Connection: Upgrade,keep-alive", {"Connection": "Upgrade,keep-alive"}),
        ("Connection in two lines", {"Connection": ["keep-alive", "Upgrade"]}),
        ("blanks around the values", {"Upgrade": " websocket ", "Sec-WebSocket-Version": "\t13 "}),
        ("a sub-protocol is offered", {"Sec-WebSocket-Protocol": "chat, superchat"}),
        (
            "compression is offered",
            {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"},
        ),
        ("an unknown extension is offered", {"Sec-WebSocket-Extensions": "x-unknown; a=1, x-other"}),
        ("headers that nobody knows", {"X-Unknown": "a", "Pragma": "no-cache", "Cookie": "a=b; c=d"}),
        ("an origin from elsewhere, with a key in a header", {"Origin": "http://elsewhere.test"}),
    ]
    for turn, (title, changes) in enumerate(table, 1):
        yield accepts(f"12.1.{turn}", title, changes)
    other_key = "AAAAAAAAAAAAAAAAAAAAAA=="
    yield accepts("12.1.17", "another key", {"Sec-WebSocket-Key": other_key}, key=other_key)
    yield accepts("12.1.18", "in writes of 1", chop=1)
    yield accepts("12.1.19", "in writes of 50", chop=50)
    yield accepts("12.1.20", "the path ends in a slash", target="{path}/")
    yield accepts("12.1.21", "a query", target="{path}?fixed_device=true")
    yield accepts("12.1.22", "the key in the query", {"X-API-Key": None}, target="{path}?api-key={key}")
    yield accepts("12.1.23", "the whole URL as the target", target="http://{authority}{path}")
    yield accepts("12.1.24", "a websocket among other offers", {"Upgrade": "h2c, websocket"})


def in_one_packet() -> Iterator[Case]:
    """What comes before and behind the handshake in the same write."""
    message, value = call_of(500)
    behind: list[tuple[str, bytes, list[Step]]] = [
        ("a message", text("ping"), [hear_pong(), goodbye()]),
        ("a call", text(message), [hear_echo(value), goodbye()]),
        ("a large message", binary(bytes(200_000)), [alive(), goodbye()]),
        (
            "messages and a ping",
            text("ping") + ping(b"a") + binary(b"b") + text("ping"),
            [hear_pong(), ponged(b"a"), hear_pong(), goodbye()],
        ),
        ("a close", close(1001), [hear_close(1001)]),
        ("a broken frame", raw(0x1, b"x", rsv=4), [hear_close(1002)]),
        ("text that is none", raw(0x1, b"\xff"), [hear_close(1007)]),
    ]
    for turn, (title, data, steps) in enumerate(behind, 1):
        yield packed(f"12.2.{turn}", f"{title} behind the handshake", data, steps)
    ping_text = text("ping")
    yield packed(
        "12.2.8",
        "half a message behind the handshake",
        ping_text[:8],
        [send(ping_text[8:]), hear_pong(), goodbye()],
    )
    for turn, before in enumerate([1, 2, 10], 1):
        yield pipelined(f"12.3.{turn}", f"{before} plain requests before the handshake", before)
    yield pipelined("12.3.4", "a plain request before the handshake, in writes of 1", 1, chop=1)


def packed(name: str, title: str, data: bytes, steps: list[Step]) -> Case:
    def run(door: Door) -> None:
        with door.connect() as stream:
            stream.sendall(upgrade(door) + data)
            answer = read_answer(stream)
            check_upgrade(answer)
            follow(stream, answer, *steps)

    return Case(name, title, run)


def pipelined(name: str, title: str, before: int, chop: int | None = None) -> Case:
    def run(door: Door) -> None:
        with door.connect() as stream:
            data = plain(door, HEALTH) * before + upgrade(door) + text("ping")
            Peer(stream).send(data, chop)
            rest = b""
            for _ in range(before):
                answer = read_answer(stream, rest)
                if answer.status != 200:
                    raise Mismatch("status 200", answer)
                rest = answer.rest
            answer = read_answer(stream, rest)
            check_upgrade(answer)
            follow(stream, answer, hear_pong(), alive(), goodbye())

    return Case(name, title, run)


def broken() -> Iterator[Case]:
    """RFC 6455 section 4.2.1: what a handshake must have."""
    table: list[tuple[str, int | Collection[int], Changes]] = [
        ("no key", 400, {"Sec-WebSocket-Key": None}),
        ("an empty key", 400, {"Sec-WebSocket-Key": ""}),
        ("a key of 15 bytes", 400, {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA"}),
        ("a key of 17 bytes", 400, {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAA="}),
        ("a key that is no base64", 400, {"Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!=="}),
        ("a key without its padding", 400, {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA"}),
        ("two keys", 400, {"Sec-WebSocket-Key": [KEY, "AAAAAAAAAAAAAAAAAAAAAA=="]}),
        ("no Upgrade", 426, {"Upgrade": None}),
        ("an empty Upgrade", 426, {"Upgrade": ""}),
        ("Upgrade: websockets", 426, {"Upgrade": "websockets"}),
        (
            "Upgrade: h2c",
            426,
            {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAAQAAP__"},
        ),
        ("Upgrade: something", 426, {"Upgrade": "something"}),
        ("Upgrade: h2c, something", 426, {"Upgrade": "h2c, something"}),
        ("no Connection", [400, 426], {"Connection": None}),
        ("Connection: keep-alive", [400, 426], {"Connection": "keep-alive"}),
        ("Connection: upgrades", [400, 426], {"Connection": "upgrades"}),
        ("no Host", 400, {"Host": None}),
    ]
    for turn, (title, statuses, changes) in enumerate(table, 1):
        yield refuses(f"12.4.{turn}", title, statuses, changes)
    for turn, method in enumerate(["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"], 1):
        no_body: Changes = {"Content-Length": "0"} if method in ("POST", "PUT", "PATCH") else {}
        allowed = range(200, 506) if method == "OPTIONS" else REFUSED
        yield refuses(f"12.5.{turn}", f"the method {method}", allowed, no_body, method=method)
    yield refuses("12.5.8", "HTTP/1.0", REFUSED, version="HTTP/1.0")
    yield refuses(
        "12.5.9",
        "HTTP/1.0 with keep-alive",
        REFUSED,
        {"Connection": "keep-alive, Upgrade"},
        version="HTTP/1.0",
    )
    with_length, chunked = {"Content-Length": "5"}, {"Transfer-Encoding": "chunked"}
    for turn, (title, changes, body) in enumerate(
        [
            ("a body", with_length, b"hello"),
            ("a body that looks like a frame", {"Content-Length": "10"}, text("ping")),
            ("a body in chunks", chunked, b"5\r\nhello\r\n0\r\n\r\n"),
        ],
        10,
    ):
        title += " is refused, or skipped and not taken for frames"
        yield Case(f"12.5.{turn}", title, lambda door, c=changes, b=body: run_with_body(door, c, b))


def run_with_body(door: Door, changes: Changes, body: bytes) -> None:
    with door.connect() as stream:
        stream.sendall(upgrade(door, changes, body=body))
        answer = read_answer(stream)
        if answer.status == 101:
            check_upgrade(answer)
            follow(stream, answer, alive(), goodbye())
        else:
            check_refusal(answer, REFUSED)
            check_aftermath(door, Peer(stream), answer, "HTTP/1.1")


def not_13() -> Iterator[Case]:
    """RFC 6455 section 4.4: the answer to another version says which one would do."""
    for turn, version in enumerate(
        [None, "", "0", "7", "8", "12", "14", "255", "thirteen", "13, 8", "013"], 1
    ):
        title = "no version" if version is None else f"the version '{version}'"
        yield refuses(f"12.6.{turn}", title, 426, {"Sec-WebSocket-Version": version})
    for turn, versions in enumerate([["13", "8"], ["8", "13"], ["13", "13"]], 12):
        title = f"the versions {' and '.join(versions)} in two lines"
        yield refuses(f"12.6.{turn}", title, [400, 426], {"Sec-WebSocket-Version": versions})


def credentials() -> Iterator[Case]:
    """Who may come in is asked before what for."""
    nobody: Changes = {"X-API-Key": None}
    no_upgrade: Changes = {"Upgrade": None, "Connection": None}
    cookie: Changes = nobody | {"Cookie": "api-key={key}"}
    table: list[tuple[str, int, Changes]] = [
        ("nobody", 401, nobody),
        ("a wrong key", 401, {"X-API-Key": "wrong.key"}),
        ("a key that is none", 401, {"X-API-Key": "wrong"}),
        ("nobody, without an upgrade", 401, nobody | no_upgrade),
        ("a wrong key, without an upgrade", 401, {"X-API-Key": "wrong.key"} | no_upgrade),
        ("a key, without an upgrade", 426, no_upgrade),
        ("nobody, with another version", 401, nobody | {"Sec-WebSocket-Version": "8"}),
        ("a cookie, from a page of elsewhere", 403, cookie | {"Origin": "http://elsewhere.test"}),
        ("a cookie, from a page without an origin", 403, cookie | {"Origin": "null"}),
        ("a cookie, from the right host on another port", 403, cookie | {"Origin": "http://127.0.0.1:1"}),
    ]
    for turn, (title, status, changes) in enumerate(table, 1):
        yield refuses(f"12.7.{turn}", title, status, changes)
    yield accepts("12.7.11", "a cookie, from nowhere", cookie)
    yield accepts("12.7.12", "a cookie, from a page of ours", cookie | {"Origin": "{scheme}://{authority}"})


def elsewhere() -> Iterator[Case]:
    """An upgrade where there is nothing to upgrade to is an ordinary request."""
    no_key: Changes = {"X-API-Key": None}
    table: list[tuple[str, int | Collection[int], Changes, dict[str, str]]] = [
        ("a path that is no websocket", 200, {}, {"target": HEALTH}),
        ("the same without credentials", 200, no_key, {"target": HEALTH}),
        ("the same with HEAD", [200, 404, 405], {}, {"target": HEALTH, "method": "HEAD"}),
        ("the same with POST", REFUSED, {"Content-Length": "0"}, {"target": HEALTH, "method": "POST"}),
        ("the same over HTTP/1.0", 200, {}, {"target": HEALTH, "version": "HTTP/1.0"}),
        ("the same with Upgrade: h2c", 200, {"Upgrade": "h2c"}, {"target": HEALTH}),
        ("the same with two upgrades", 200, {"Upgrade": "h2c, websocket"}, {"target": HEALTH}),
        ("a path that is not there", 404, {}, {"target": "/nowhere"}),
        ("CONNECT to elsewhere", REFUSED, {}, {"target": "elsewhere.test:443", "method": "CONNECT"}),
        (
            "CONNECT without an upgrade",
            REFUSED,
            {"Upgrade": None, "Connection": None},
            {"target": "{authority}", "method": "CONNECT"},
        ),
        (
            "a request with a body",
            200,
            {"Content-Length": "5"},
            {"target": ECHO, "method": "POST", "body": '["x"]'},
        ),
        (
            "a request with a body in chunks",
            200,
            {"Transfer-Encoding": "chunked"},
            {"target": ECHO, "method": "POST", "body": '5\r\n["x"]\r\n0\r\n\r\n'},
        ),
    ]
    for turn, (title, statuses, changes, request) in enumerate(table, 1):
        yield refuses(f"12.8.{turn}", title, statuses, changes, **request)
