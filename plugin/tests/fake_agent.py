"""An agent for tests: the command line and the local API of factor-agent, with faults on demand.

VERSION and FAULT are replaced when a test makes a program of this file. Faults: "crash" at the start, "no_api" never
answers, "stubborn" does not end when asked, "wrong_answer" answers with an error.
"""

import http.server
import json
import os
import signal
import socketserver
import sys
import threading
import time

VERSION = "1.0.0"
FAULT = ""


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class LoopbackServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True


class Handler(http.server.BaseHTTPRequestHandler):
    server_version = "factor-agent"

    def address_string(self):
        return "local"

    def log_message(self, *arguments):
        pass

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        state = self.server.state
        if state["secret"] and self.headers.get("Authorization") != "Bearer " + state["secret"]:
            return self.answer(401, {"code": "not_allowed", "message": "no secret"})
        with state["lock"], open(os.path.join(state["data"], "calls.jsonl"), "a") as f:
            f.write(json.dumps({"call": self.command + " " + self.path, "body": body}) + "\n")
        if FAULT == "wrong_answer":
            return self.answer(500, {"code": "internal", "message": "no"})
        path = os.path.join(state["data"], "answers.json")
        answers = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                answers = json.load(f)
        given = answers.get(self.command + " " + self.path)
        if given is not None:
            return self.answer(given["status"], given["body"])
        if self.path == "/v1/status":
            status = {
                "state": "no_instance_id",
                "agent": {"version": VERSION, "uptime": 1, "rss_bytes": 1, "pid": os.getpid(), "os": "linux", "arch": "amd64"},
            }
            return self.answer(200, status)
        return self.answer(204, None)

    do_GET = do_POST = do_PUT = handle_any

    def answer(self, status, body):
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(arguments):
    if arguments == ["version"]:
        print(VERSION)
        return 0
    assert arguments[0] == "run", arguments
    options = dict(zip(arguments[1::1], arguments[2::1]))
    data = options["--data"]
    with open(os.path.join(data, "runs.jsonl"), "a") as f:
        f.write(json.dumps({"pid": os.getpid(), "version": VERSION, "nice": os.nice(0), "arguments": arguments}) + "\n")
    print('time=2026-01-01T00:00:00Z level=INFO msg="agent ' + VERSION + ' up"', file=sys.stderr, flush=True)
    if FAULT == "crash":
        print('level=ERROR msg="cannot go on"', file=sys.stderr, flush=True)
        return 3
    if FAULT == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if FAULT != "no_api":
        if "--socket" in options:
            if os.path.exists(options["--socket"]):
                os.remove(options["--socket"])
            server = UnixServer(options["--socket"], Handler)
            secret = ""
        else:
            server = LoopbackServer(("127.0.0.1", 0), Handler)
            secret = "s3cret"
            with open(os.path.join(data, "local.json.new"), "w") as f:
                json.dump({"port": server.server_address[1], "secret": secret}, f)
            os.replace(os.path.join(data, "local.json.new"), os.path.join(data, "local.json"))
        server.state = {"data": data, "secret": secret, "lock": threading.Lock()}
        threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.buffer.read()
    while FAULT == "stubborn":
        time.sleep(60)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
