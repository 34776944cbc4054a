"""What can go wrong here, by code. The page has the words and the cure for each code, in both languages (words.js)."""

from __future__ import annotations

CODES = {
    # the server
    "no_server": "the address of a FACTOR server is not known yet",
    "bad_url": "not an address of a server",
    "has_path": "FACTOR below a path of another site is not supported",
    "not_factor": "no FACTOR server answers there",
    "redirected": "the server sends elsewhere",
    "name_not_found": "the server's name is not known on this network",
    "server_unreachable": "the server does not answer",
    "tls_untrusted": "the server's certificate is not one that is trusted here",
    "tls_expired": "the server's certificate has expired",
    "clock_wrong": "this machine's clock is wrong, so no certificate is valid yet",
    "fingerprint_wrong": "the server's certificate authority is another one than was confirmed",
    # what it hands out
    "no_agent_for_platform": "the server has no agent for this machine",
    "signature_wrong": "the server's list of versions is not signed by the key this plugin knows",
    "checksum_wrong": "what was fetched is not what the server's signed list says",
    "too_large": "the answer is larger than it can be",
    "older": "the server offers an older version than is installed",
    "not_importable": "the new version does not start on this machine",
    "pip_failed": "pip could not install the new version",
    # this machine
    "no_space": "no space is left on this machine",
    "no_permission": "OctoPrint may not write to its own data folder",
    "noexec": "programs may not run from OctoPrint's data folder",
    "wrong_platform": "the agent does not run on this machine's processor",
    # the agent
    "agent_crashed": "the agent ended by itself",
    "agent_silent": "the agent runs, but does not answer",
    "agent_busy": "another agent uses the same folder",
    "went_back": "the new agent did not work, the one before runs again",
    "agent_away": "the agent does not run",
    "octoprint_identity": "OctoPrint gave the agent no account",
    # the page
    "not_json": "the request is not JSON",
    "too_many": "too much at the same time",
    "internal": "something unexpected; octoprint.log says more",
}


class Fault(Exception):
    """Something that a person can do something about. The detail is for diagnosis and holds no secret."""

    def __init__(self, code: str, detail: object = ""):
        assert code in CODES, code
        super().__init__(code, str(detail))
        self.code = code
        self.detail = str(detail)

    def __str__(self) -> str:
        return f"{CODES[self.code]} ({self.code}{': ' + self.detail if self.detail else ''})"

    def as_dict(self) -> dict:
        return {"code": self.code, "message": str(self)}
