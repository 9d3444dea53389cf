"""A foreign client at an MQTT broker beside the driver: publishes and listens by paho-mqtt.

    python client.py PORT [USER PASSWORD]

It subscribes to all topics and prints `ready`, then each message as a line of JSON:
`{"topic": …, "payload": …, "retain": …}`, the payload as text, or `null` if it is none.
`retain` is whether the broker had kept the message when this client came.
Each line of its input is a message that it publishes, `{"topic": …, "payload": …, "retain": …}`, a payload that is no text as `hex`,
or `{"flood": TOPIC, "count": N}`, which publishes the numbers 1 to N as fast as it can. It ends when its input does.
"""

import json
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def say(line: object) -> None:
    print(line if isinstance(line, str) else json.dumps(line), flush=True)


def told(client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
    try:
        payload = message.payload.decode()
    except UnicodeDecodeError:
        payload = None
    if not message.topic.startswith("flood/"):
        say({"topic": message.topic, "payload": payload, "retain": message.retain})


def main(port: str, *login: str) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    if login:
        client.username_pw_set(*login)
    client.on_message = told
    client.on_connect = lambda *_: client.subscribe("#", qos=1)
    client.on_subscribe = lambda *_: say("ready")
    client.connect("127.0.0.1", int(port))
    client.loop_start()
    for line in sys.stdin:
        order = json.loads(line)
        if "flood" in order:
            for number in range(1, order["count"] + 1):
                sent = client.publish(order["flood"], str(number))
            sent.wait_for_publish()
            continue
        payload = bytes.fromhex(order["hex"]) if "hex" in order else order["payload"]
        client.publish(order["topic"], payload, qos=1, retain=order.get("retain", False)).wait_for_publish()
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
