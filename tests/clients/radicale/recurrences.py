"""Expands recurrence rules with `dateutil`, for a comparison.

Each line on stdin is `{"rule": …, "start": …, "from": …, "to": …}` in local times, and each is answered by `{"first": …, "times": […]}`:
the first of all, and those from `from` to before `to`.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta

from dateutil.rrule import rrulestr


def main() -> int:
    for line in sys.stdin:
        request = json.loads(line)
        start, first, last = (datetime.fromisoformat(request[key]) for key in ("start", "from", "to"))
        rule = rrulestr(request["rule"], dtstart=start)
        found = rule.between(first, last - timedelta(seconds=1), inc=True)
        earliest = next(iter(rule), None)
        reply = {
            "first": earliest.isoformat() if earliest else None,
            "times": [moment.isoformat() for moment in found],
        }
        print(json.dumps(reply), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
