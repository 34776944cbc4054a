#!/usr/bin/env python3
"""A small internet of network namespaces on this machine: a server, a printer behind one NAT, a viewer behind another.

    network.py COMMAND …    makes it, runs the command where the viewer is, and takes it away again

    viewer 192.168.2.2 ── office (NAT) ──┐
                                     internet ── server 203.0.113.2
    printer 192.168.1.2 ─── home (NAT) ──┘

The command finds the namespaces' names in FACTOR_NETWORK_* and makes faults there with nft and tc. It needs root.
"""

from __future__ import annotations

import os
import subprocess
import sys

SERVER = "203.0.113.2"
RELAY = "203.0.113.1"  # the router in the middle has room for a TURN server
NAMES = ("internet", "server", "home", "printer", "office", "viewer")

# Which namespace is tied to which, and what each end is called and has as its address.
LINKS = (
    ("internet", "server", "203.0.113.1/30", "wan", "203.0.113.2/30"),
    ("internet", "home", "198.51.100.1/30", "wan", "198.51.100.2/30"),
    ("internet", "office", "198.51.100.5/30", "wan", "198.51.100.6/30"),
    ("home", "printer", "192.168.1.1/24", "wan", "192.168.1.2/24"),
    ("office", "viewer", "192.168.2.1/24", "wan", "192.168.2.2/24"),
)

# A home router: everybody inside goes out under its address, nobody comes in.
NAT = """
table ip home {
  chain out { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }
  chain in { type filter hook forward priority filter; iifname "wan" ct state new drop; }
}
"""


class Network:
    """The namespaces, from with until its end. Their names are this process's own."""

    def __init__(self) -> None:
        self.prefix = f"fn{os.getpid()}-"

    def name(self, of: str) -> str:
        return self.prefix + of

    def __enter__(self) -> Network:
        try:
            for name in NAMES:
                run("ip", "netns", "add", self.name(name))
                self.inside(name, "ip", "link", "set", "lo", "up")
            for above, below, gateway, wan, address in LINKS:
                run(
                    "ip",
                    "link",
                    "add",
                    f"to-{below}",
                    "netns",
                    self.name(above),
                    "type",
                    "veth",
                    "peer",
                    "name",
                    wan,
                    "netns",
                    self.name(below),
                )
                self.inside(above, "ip", "address", "add", gateway, "dev", f"to-{below}")
                self.inside(above, "ip", "link", "set", f"to-{below}", "up")
                self.inside(below, "ip", "address", "add", address, "dev", wan)
                self.inside(below, "ip", "link", "set", wan, "up")
                self.inside(below, "ip", "route", "add", "default", "via", gateway.split("/")[0])
            for router in ("internet", "home", "office"):
                self.inside(router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
            for router in ("home", "office"):
                self.inside(router, "nft", "-f", "-", input=NAT)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in NAMES:
            subprocess.run(["ip", "netns", "delete", self.name(name)], capture_output=True)

    def inside(self, name: str, *command: str, input: str | None = None) -> None:
        run("ip", "netns", "exec", self.name(name), *command, input=input)

    @property
    def env(self) -> dict[str, str]:
        names = {f"FACTOR_NETWORK_{n.upper()}": self.name(n) for n in NAMES}
        return {"FACTOR_NETWORK_SERVER_ADDRESS": SERVER, "FACTOR_NETWORK_RELAY_ADDRESS": RELAY, **names}

    def command(self, *words: str) -> list[str]:
        """The command, run where the viewer is."""
        return ["ip", "netns", "exec", self.name("viewer"), *words]


def hindrance() -> str:
    """Why there can be no such network here; empty for nothing."""
    if os.geteuid() != 0:
        return "only root may make network namespaces; run it as root"
    try:
        with Network() as network:
            network.inside(
                "home", "tc", "qdisc", "add", "dev", "wan", "root", "tbf", "rate", "1mbit", "burst", "8k", "latency", "200ms"
            )
    except (OSError, subprocess.CalledProcessError) as fault:
        said = getattr(fault, "stderr", "") or str(fault)
        return f"this kernel does not let us: {said.strip()}"
    return ""


def run(*command: str, input: str | None = None) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, input=input)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    why = hindrance()
    if why:
        sys.exit(f"no network: {why}")
    with Network() as network:
        sys.exit(subprocess.run(network.command(*sys.argv[1:]), env={**os.environ, **network.env}).returncode)
