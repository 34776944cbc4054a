"""What the page calls: every one for administrators only, checked against cross-site calls, and never waiting."""

from __future__ import annotations

import contextlib

import flask
import octoprint.plugin
from octoprint.access.permissions import Permissions

from . import published, webcams
from .diagnosis import diagnosis
from .faults import Fault

route = octoprint.plugin.BlueprintPlugin.route
admin_only = Permissions.ADMIN.require(403)

MQTT_FIELDS = (
    "enabled", "host", "port", "username", "password", "tls", "ca", "prefix", "qos", "retain", "publish", "interval",
)  # fmt: skip

# What the page may ask of the agent: its name → (method, path, limit in seconds, fields that are passed on).
CALLS = {
    "login": ("POST", "/v1/login", 60, ("email", "password", "code")),
    "logout": ("POST", "/v1/logout", 10, ()),
    "uuid": ("POST", "/v1/uuid", 10, ()),
    "uuid_use": ("POST", "/v1/uuid/use", 10, ("uuid",)),
    "camera_test": ("POST", "/v1/camera/test", 60, ("url",)),
    "camera_find": ("POST", "/v1/camera/find", 30, ()),
    "camera_save": ("PUT", "/v1/camera", 20, ("name", "stream_url", "rotation", "flip_h", "flip_v")),
    "register": ("POST", "/v1/register", 60, ("uuid", "name")),
    "unregister": ("POST", "/v1/unregister", 30, ()),
    "mqtt": ("GET", "/v1/mqtt", 10, ()),
    "mqtt_save": ("PUT", "/v1/mqtt", 20, MQTT_FIELDS),
    "mqtt_test": ("POST", "/v1/mqtt/test", 90, MQTT_FIELDS),
}


class Endpoints(octoprint.plugin.BlueprintPlugin):
    """Under /plugin/factor_mqtt/. The plugin has home, keeper, errands and updates."""

    def is_blueprint_csrf_protected(self):
        return True  # from OctoPrint 1.8.3 on; before, _body's JSON is what no other site can send

    @route("/state", methods=["GET"])
    @admin_only
    def get_state(self):
        server = self.home.server
        return _answer(
            {
                "version": self._plugin_version,
                "server": {"url": server.url if server else "", "packaged": self.home.packaged},
                "keeper": self.keeper.state(),
                "updates": self.updates.state(),
                "published": published.found(self._settings, self._plugin_manager),
            }
        )

    @route("/server", methods=["POST"])
    @admin_only
    def choose_server(self):
        def work(body):
            chosen = self.home.choose(
                str(body.get("url") or ""), str(body.get("fingerprint") or ""), body.get("unencrypted") is True
            )
            self.keeper.retry()
            return 200, chosen

        return self._send(work)

    @route("/call/<name>", methods=["POST"])
    @admin_only
    def call_agent(self, name):
        if name not in CALLS:
            return flask.abort(404)
        method, path, limit, fields = CALLS[name]

        def work(given):
            body = {f: given[f] for f in fields if f in given}
            if name == "login":
                server = self.home.require()
                body.update(server=server.url, ca_pem=server.ca_pem)
            answer = self.keeper.api.call(method, path, body if method != "GET" else None, timeout=limit)
            if method != "GET":
                self.keeper.look()  # the page asks for the state next, and is to see what has become of this
            return answer.status, answer.json()

        return self._send(work)

    @route("/webcams", methods=["POST"])
    @admin_only
    def list_webcams(self):
        return self._send(lambda body: (200, {"items": webcams.found(self._settings)}))

    @route("/retry", methods=["POST"])
    @admin_only
    def retry(self):
        def work(body):
            self.keeper.retry()
            with contextlib.suppress(Fault):  # it does not run: the keeper sees to that
                self.keeper.api.call("POST", "/v1/retry")
            return 204, None

        return self._send(work)

    @route("/diagnosis", methods=["POST"])
    @admin_only
    def get_diagnosis(self):
        return self._send(lambda body: (200, {"text": diagnosis(self)}))

    @route("/errand/<ticket>", methods=["GET"])
    @admin_only
    def collect(self, ticket):
        try:
            answer = self.errands.answer(ticket)
        except KeyError:
            return flask.abort(404)
        if answer is None:
            return _answer({"done": False})
        return _answer({"done": True, "status": answer[0], "body": answer[1]})

    def _send(self, work):
        """Starts work, a function of the request's body, and answers with its ticket."""
        try:
            body = _body()
            return _answer({"ticket": self.errands.send(lambda: work(body))}, 202)
        except Fault as fault:
            return _answer(fault.as_dict(), 429 if fault.code == "too_many" else 400)


def _body() -> dict:
    """The request's JSON object. Another site's page could make a browser send a form, but not this type."""
    if flask.request.mimetype != "application/json":
        raise Fault("not_json")
    body = flask.request.get_json(silent=True)
    if body is None and not flask.request.get_data():
        body = {}
    if not isinstance(body, dict):
        raise Fault("not_json")
    return body


def _answer(value: object, status: int = 200):
    response = flask.jsonify(value)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
