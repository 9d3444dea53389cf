"""A foreign client of a CalDAV server: the library `caldav`, driven by lines of JSON.

    python client.py URL USERNAME PASSWORD CALENDAR

Each line on stdin is `{"do": ACTION, …}`, and each is answered by one line on stdout: `{"answer": …}` or `{"error": …}`.

| action | arguments | answer |
|---|---|---|
| make | | null; the calendar is made |
| save | text | null; the meeting of this iCalendar text is in the calendar |
| texts | | the iCalendar texts of all entries |
| search | start, end | `[[summary, start, end], …]` of the occurrences, as the library expands them |
| rename | uid, summary | null; the meeting has another title |
| move | uid, minutes | null; the meeting begins and ends so many minutes later |
| remove | uid | null; the meeting is gone |
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from typing import Any

import caldav


def main() -> int:
    url, username, password, name = sys.argv[1:]
    client = caldav.DAVClient(url=url, username=username, password=password)
    principal = client.principal()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = {"answer": act(principal, name, request)}
        except Exception as error:  # Whatever goes wrong is for the test to see.
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)
    return 0


def act(principal: caldav.Principal, name: str, request: dict[str, Any]) -> Any:
    action = request["do"]
    if action == "make":
        principal.make_calendar(cal_id=name)
        return None
    calendar = principal.calendar(cal_id=name)
    if action == "save":
        calendar.save_event(request["text"])
        return None
    if action == "texts":
        return [event.data for event in calendar.events()]
    if action == "search":
        start, end = (datetime.fromisoformat(request[key]) for key in ("start", "end"))
        found = calendar.search(start=start, end=end, event=True, expand=True)
        return sorted(summarise(event) for event in found)
    event = calendar.event_by_uid(request["uid"])
    if action == "remove":
        event.delete()
        return None
    component = event.icalendar_component
    if action == "rename":
        component["SUMMARY"] = request["summary"]
    elif action == "move":
        for key in ("DTSTART", "DTEND"):
            component[key].dt += timedelta(minutes=request["minutes"])
    else:
        raise ValueError(f"there is no action {action}")
    event.save()
    return None


def summarise(event: caldav.Event) -> list[str]:
    component = event.icalendar_component
    times = (component[key].dt.isoformat() for key in ("DTSTART", "DTEND"))
    return [str(component.get("SUMMARY", "")), *times]


if __name__ == "__main__":
    sys.exit(main())
