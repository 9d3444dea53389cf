"""Uses a server as HomeAssistant-API does, and prints what it sees as one line of JSON.

    python check.py URL TOKEN ENTITY

ENTITY is a switch. The library is tried over HTTP, plainly and with asyncio, and over the websocket.
"""

import asyncio
import itertools
import json
import sys

from homeassistant_api import AsyncClient, Client, WebsocketClient
from homeassistant_api.errors import HomeassistantAPIError


def refusal(action):
    try:
        action()
    except HomeassistantAPIError as error:
        return type(error).__name__
    return None


def over_http(url, token, entity):
    seen = {}
    with Client(f"{url}/api/", token) as client:
        seen["running"] = client.check_api_running()
        seen["config"] = sorted(client.get_config())
        seen["components"] = "websocket_api" in client.get_components()
        seen["entities"] = sorted(state.entity_id for state in client.get_states())
        seen["before"] = client.get_state(entity_id=entity).state
        changed = client.trigger_service("switch", "turn_on", entity_id=entity)
        seen["changed"] = [(state.entity_id, state.state) for state in changed]
        seen["after"] = client.get_state(entity_id=entity).state
        seen["services"] = sorted(client.get_domain("switch").services)
        seen["fired"] = client.fire_event("from_python", way="http")
        seen["events"] = "state_changed" in (event.event for event in client.get_events())
        seen["nothing"] = refusal(lambda: client.get_state(entity_id="switch.nobody"))
    seen["stranger"] = refusal(lambda: Client(f"{url}/api/", "x").get_config())
    return seen


async def over_http_without_waiting(url, token, entity):
    async with AsyncClient(f"{url}/api/", token) as client:
        state = await client.get_state(entity_id=entity)
        return {"running": await client.check_api_running(), "state": state.state}


def over_the_websocket(url, token, entity):
    seen = {}
    with WebsocketClient(f"{url.replace('http', 'ws', 1)}/api/websocket", token) as client:
        seen["ping"] = client.ping_latency() > 0
        seen["config"] = sorted(client.get_config())
        seen["entities"] = sorted(state.entity_id for state in client.get_states())
        with client.listen_events("state_changed") as events:
            client.trigger_service("switch", "turn_off", entity_id=entity)
            mine = (event.data for event in events if event.data["entity_id"] == entity)
            data = next(iter(mine))
            seen["change"] = [data[side]["state"] for side in ("old_state", "new_state")]
        with client.listen_events("from_python") as events:
            context = client.fire_event("from_python", way="websocket")
            event = next(itertools.islice(events, 1))
            seen["event"] = [event.data, event.origin, event.context.id == context.id]
        seen["services"] = sorted(client.get_domains()["switch"].services)
    return seen


def main(url, token, entity):
    return {
        "http": over_http(url, token, entity),
        "async": asyncio.run(over_http_without_waiting(url, token, entity)),
        "websocket": over_the_websocket(url, token, entity),
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
