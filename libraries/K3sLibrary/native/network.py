"""The cluster's way out: a pair of links into its network, and the rules by which this host passes its packets on."""

from __future__ import annotations

import ipaddress
import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.failures import OperationFailed

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
RANGE = ipaddress.ip_network("198.18.0.0/15")
"""Addresses that no network uses: RFC 2544 keeps them for measurements."""
OUTER = re.compile(r"ce[0-9a-f]{8}h")
"""The end of a cluster's links that is on the host."""


@dataclass(frozen=True)
class Way:
    """A way out. `link`: the end on this host; `inner`: the other; both at most 15 characters."""

    name: str
    link: str
    inner: str
    gateway: str
    address: str

    @property
    def subnet(self) -> str:
        """Both addresses together."""
        return str(ipaddress.ip_network(f"{self.gateway}/30", strict=False))


def plan(name: str, mark: str) -> Way:
    """A way with names and addresses that nothing on this host has."""
    taken = [ipaddress.ip_network(text) for text in _addresses()]
    start = int(mark[:8], 16)
    size = RANGE.num_addresses // 4
    for step in range(size):
        base = RANGE.network_address + 4 * ((start + step) % size)
        subnet = ipaddress.ip_network(f"{base}/30")
        if not any(subnet.overlaps(other) for other in taken):
            gateway, address = map(str, subnet.hosts())
            return Way(name, f"ce{mark[:8]}h", f"ce{mark[:8]}c", gateway, address)
    raise OperationFailed("a free network in 198.18.0.0/15", "all are in use", cause="host-unfit")


def forwarding() -> str:
    """Whether this host passed packets on before there was any cluster: `0` or `1`.

    The first of several clusters notes it on its link, for the last one to put it back.
    """
    for link in links():
        if OUTER.fullmatch(link["ifname"]) and (words := link.get("ifalias", "").split()):
            return str(words[-1])
    return FORWARDING.read_text().strip()


def restore_forwarding(value: str) -> None:
    """Puts it back when there is no cluster any more, nor a bridge, for which somebody else needs it by now."""
    needed = any(OUTER.fullmatch(link["ifname"]) or _is_bridge(link) for link in links())
    if value == "0" and not needed:
        FORWARDING.write_text(value)


def _is_bridge(link: dict[str, Any]) -> bool:
    return bool(link.get("linkinfo", {}).get("info_kind") == "bridge")


def links() -> list[dict[str, Any]]:
    """Every link, as `ip` tells them: `ifname`, `master`, `ifalias` among others."""
    found: list[dict[str, Any]] = json.loads(run("ip", "-json", "-details", "link", "show", check=False) or "[]")
    return found


def lay(way: Way, pid: int, forwarded: str) -> None:
    """Makes the links, one end of them in the network namespace of process `pid`, and the rules.

    Args:
        forwarded: what `forwarding` said.

    Raises:
        OperationFailed: a command failed; with its words.
    """
    mtu = ["mtu", str(_mtu())]
    pair = ["type", "veth", "peer", "name", way.inner, *mtu, "netns", str(pid)]
    run("ip", "link", "add", way.link, *mtu, *pair)
    run("ip", "address", "add", f"{way.gateway}/30", "dev", way.link)
    run("ip", "link", "set", way.link, "alias", f"ip_forward was {forwarded}", "up")
    FORWARDING.write_text("1")
    for command in _rules("-I", way.link, way.subnet, way.name) if _has_iptables() else [_table(way)]:
        run(*command)


def remove(name: str, link: str, subnet: str) -> None:
    """Removes links and rules; what is gone already is no error."""
    if _has_iptables():
        for command in _rules("-D", link, subnet, name):
            run(*command, check=False)
    if shutil.which("nft"):
        run("nft", "delete", "table", "ip", name, check=False)
    run("ip", "link", "delete", link, check=False)


def left(name: str, link: str) -> list[str]:
    """What there is of links and rules, by name."""
    found = [f"link {link}" for one in links() if one["ifname"] == link]
    return found + [f"rule {line}" for line in rules() if name in line or link in line]


def rules() -> list[str]:
    """Every packet rule of this host, as the tools print them."""
    lines = []
    if shutil.which("iptables-save"):
        lines += run("iptables-save", check=False).splitlines()
    if shutil.which("nft"):
        lines += run("nft", "list", "tables", check=False).splitlines()
    chains = [f"chain {line[1:].split()[0]}" for line in lines if line.startswith(":")]
    return chains + [line for line in lines if line and not line.startswith(("#", ":", "*", "COMMIT"))]


def run(*command: str, check: bool = True) -> str:
    """What a command prints.

    Raises:
        OperationFailed: it failed, or is not there; only with `check`.
    """
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        if not check:
            return ""
        raise OperationFailed(f"`{' '.join(command)}` to work", str(problem), cause="cluster-start") from None
    if check and ended.returncode:
        raise OperationFailed(f"`{' '.join(command)}` to work", ended.stderr.strip(), cause="cluster-start")
    return ended.stdout


def _has_iptables() -> bool:
    return shutil.which("iptables") is not None


def _rules(operation: str, link: str, subnet: str, name: str) -> Iterable[list[str]]:
    """Packets to and from the cluster pass, also where the host forwards none otherwise, as with Docker on it."""
    told = ["-m", "comment", "--comment", name]
    for chain in (["FORWARD", "-i", link], ["FORWARD", "-o", link]):
        yield ["iptables", "-w", operation, *chain, *told, "-j", "ACCEPT"]
    masked = ["-s", subnet, "!", "-o", link, *told, "-j", "MASQUERADE"]
    yield ["iptables", "-w", "-t", "nat", operation, "POSTROUTING", *masked]


def _table(way: Way) -> list[str]:
    """The same in the words of nft, where there is no iptables: a table of its own goes as a whole."""
    chain = "type nat hook postrouting priority 100 ;"
    rule = f'ip saddr {way.subnet} oifname != "{way.link}" masquerade'
    return ["nft", f"table ip {way.name} {{\nchain out {{\n{chain}\n{rule}\n}}\n}}"]


def _addresses() -> list[str]:
    """The networks that this host has routes to."""
    listed = json.loads(run("ip", "-4", "-json", "route", "show", "table", "all") or "[]")
    named = [route["dst"] for route in listed if route.get("dst") not in (None, "default")]
    return [text for text in named if text[0].isdigit()]


def _mtu() -> int:
    """That of the link by which this host's packets leave."""
    routes = json.loads(run("ip", "-4", "-json", "route", "show", "default", check=False) or "[]")
    for route in routes:
        file = Path("/sys/class/net", route.get("dev", ""), "mtu")
        if file.is_file():
            return int(file.read_text())
    return 1500
