"""A device by Python's paho-mqtt 2, the library of the published plugin.

Arguments: host port ca-file-or-dash uuid token-or-dash. Without a token it connects as the plugin does out of the box.
It subscribes its topics, publishes a status and an event, prints each command as "command <payload>", and goes without
a DISCONNECT on the command "die", so that its will speaks.
"""

import os
import sys

import paho.mqtt.client as mqtt

host, port, ca, uuid, token = sys.argv[1:6]


def on_connect(client, userdata, flags, reason, properties):
    print("connack", reason.value, flush=True)
    if reason.value:
        os._exit(0)
    client.subscribe(
        [
            ("control/" + uuid, 1),
            ("octoprint/gcode_in/" + uuid, 1),
            ("camera/" + uuid + "/cmd", 1),
            ("device/" + uuid + "/registration", 1),
        ]
    )


def on_subscribe(client, userdata, mid, codes, properties):
    print("suback", *[c.value for c in codes], flush=True)
    client.publish("octoprint/status/" + uuid, '{"by":"python"}', qos=0)
    client.publish("octoprint/event/" + uuid, '{"by":"python"}', qos=1)
    client.publish("octoprint/gcode_out/" + uuid, '{"by":"python"}', qos=2)


def on_publish(client, userdata, mid, reason, properties):
    print("published", flush=True)


def on_message(client, userdata, message):
    text = message.payload.decode()
    print("command", text, flush=True)
    if text == "die":
        os._exit(0)
    if message.topic.endswith("/registration"):
        client.publish("device/" + uuid + "/registration/ack", '{"status":"confirmed"}', qos=1)
        client.unsubscribe(message.topic)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="", clean_session=True, protocol=mqtt.MQTTv311)
if token != "-":
    client.username_pw_set(uuid, token)
    client.will_set("device/" + uuid + "/presence", '{"online":false}', qos=1)
if ca != "-":
    client.tls_set(ca_certs=ca)
client.on_connect, client.on_subscribe = on_connect, on_subscribe
client.on_publish, client.on_message = on_publish, on_message
client.connect(host, int(port), keepalive=60)
client.loop_forever()
