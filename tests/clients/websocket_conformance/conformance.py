"""Checks that a gateway keeps every rule of RFC 6455 that a server must keep, as a client of another make sees it.

    python conformance.py URL API_KEY [--ca FILE] [--limit BYTES] [--only GROUP]… [--threads N]

With a URL of https: the connections are by TLS, and `--ca` is the certificate that the gateway must show, or its authority's.
The building must have a system `sys-1` with a module `Virtual` of the driver `virtual`.
Each case has a connection of its own. Frames come from wsproto and are read by it; broken ones are made by hand.
Prints one line a case and a count, and exits 1 when a case failed, 2 when it was called wrongly.

The groups: 1 messages, 2 pings, 3 reserved bits, 4 opcodes, 5 fragments, 6 UTF-8, 7 closing, 8 lengths, 9 limits,
10 automatic fragments, 11 masks, 12 the opening handshake. `--only 6.9` takes the cases whose names begin so.
"""

from __future__ import annotations

import argparse
import ssl
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from cases import closing, fragments, handshake, heads, limits, messages, pings, unicode
from cases.peer import Door, Mismatch
from cases.steps import Case

SOCKET_PATH = "/api/engine/v2/systems/control"

# The gateway's default for one message.
DEFAULT_LIMIT = 2 * 1024 * 1024


def main() -> int:
    arguments = parse_arguments()
    url = urlsplit(arguments.url)
    tls = ssl.create_default_context(cafile=arguments.ca) if url.scheme == "https" else None
    door = Door(url.hostname or "", url.port or 80, SOCKET_PATH, arguments.api_key, arguments.limit, tls)
    chosen = [case for case in all_cases(door.limit) if is_chosen(case, arguments.only)]
    if not chosen:
        print(f"no case begins with {' or '.join(arguments.only)}", file=sys.stderr)
        return 2
    began = time.monotonic()
    failed = 0
    with ThreadPoolExecutor(arguments.threads) as pool:
        problems = pool.map(lambda case: check(case, door), chosen)
        for case, problem in zip(chosen, problems, strict=True):
            failed += problem is not None
            end = f" {problem}" if problem else ""
            print(
                f"{'FAIL' if problem else 'ok'} {case.name} {case.title}{':' if end else ''}{end}", flush=True
            )
    seconds = time.monotonic() - began
    print(f"{len(chosen)} cases in {seconds:.1f} s: {len(chosen) - failed} ok, {failed} failed")
    return 1 if failed else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("url", metavar="URL")
    parser.add_argument("api_key", metavar="API_KEY")
    parser.add_argument("--ca", metavar="FILE")
    parser.add_argument("--limit", type=int, default=DEFAULT_LIMIT, metavar="BYTES")
    parser.add_argument("--only", action="append", default=[], metavar="GROUP")
    parser.add_argument("--threads", type=int, default=4, metavar="N")
    return parser.parse_args()


def all_cases(limit: int) -> list[Case]:
    groups = [messages, pings, heads, fragments, unicode, closing, limits, handshake]
    cases = [case for group in groups for case in group.cases(limit)]
    cases.sort(key=lambda case: numbers(case.name))
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"two cases have the name {sorted(twice)}"
    return cases


def is_chosen(case: Case, only: list[str]) -> bool:
    return not only or any(numbers(case.name)[: len(group)] == group for group in map(numbers, only))


def numbers(name: str) -> list[int]:
    return [int(part) for part in name.split(".")]


def check(case: Case, door: Door) -> str | None:
    """What is wrong, if anything is."""
    try:
        case.run(door)
    except Mismatch as mismatch:
        return str(mismatch)
    except OSError as error:
        return f"expected a connection, got {type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - a mistake in one case hides no other
        return f"a mistake of this script:\n{traceback.format_exc()}"
    return None


if __name__ == "__main__":
    sys.exit(main())
