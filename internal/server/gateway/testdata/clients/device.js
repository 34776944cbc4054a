// A device by MQTT.js. Arguments: module-folder url uuid token [protocol-version].
// It subscribes its topics, publishes a status and an event, prints each command as "command <payload>", and goes
// without a DISCONNECT on the command "die".
const [modules, url, uuid, token, version] = process.argv.slice(2);
const mqtt = require(require.resolve("mqtt", { paths: [modules] }));

const client = mqtt.connect(url, {
  username: uuid, password: token, protocolVersion: Number(version || 4), reconnectPeriod: 0, keepalive: 60,
  will: { topic: `device/${uuid}/presence`, payload: '{"online":false}', qos: 1, retain: false },
});
client.on("connect", async (connack) => {
  console.log("connack", connack.returnCode);
  const granted = await client.subscribeAsync({ [`control/${uuid}`]: { qos: 1 }, [`octoprint/gcode_in/${uuid}`]: { qos: 1 } });
  console.log("suback", ...granted.map((g) => g.qos));
  await client.publishAsync(`octoprint/status/${uuid}`, '{"by":"js"}', { qos: 0 });
  await client.publishAsync(`octoprint/event/${uuid}`, '{"by":"js"}', { qos: 1 });
  await client.publishAsync(`octoprint/gcode_out/${uuid}`, '{"by":"js"}', { qos: 2 });
  console.log("published");
});
client.on("message", (topic, payload) => {
  console.log("command", payload.toString());
  if (payload.toString() === "die") process.exit(0);
});
client.on("error", (e) => { console.log("error", e.code ?? e.message); process.exit(0); });
client.on("close", () => { console.log("closed"); process.exit(0); });
