"""What k3s is given, and what is made of what it gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.failures import OperationFailed
from K3sLibrary.native import network, server
from K3sLibrary.native.network import Way

WAY = Way("cedana-e2e-00000000-abcd", "ceabcd0123h", "ceabcd0123c", "198.18.0.1", "198.18.0.2")


def machine(folder: Path) -> server.Machine:
    """One whose files lie in that folder."""
    (folder / "cluster").mkdir()
    return server.Machine(folder, Path("/bin/true"), WAY, "0123456789abcdef", keep=False)


def test_the_kubeconfig_leads_from_this_host_into_the_cluster(tmp_path: Path) -> None:
    one, target = machine(tmp_path), tmp_path / "kubeconfig"
    assert server.kubeconfig(one, target) is False
    one.written.write_text("")
    assert server.kubeconfig(one, target) is False
    inside = {"clusters": [{"name": "default", "cluster": {"server": "https://127.0.0.1:6443"}}], "users": []}
    one.written.write_text(yaml.safe_dump(inside))
    assert server.kubeconfig(one, target) is True
    assert yaml.safe_load(target.read_text())["clusters"][0]["cluster"]["server"] == "https://198.18.0.2:6443"
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["clusters: 3\n", "- a\n", "{", "clusters: [{}]\n"])
def test_what_is_no_kubeconfig_is_told(text: str, tmp_path: Path) -> None:
    one = machine(tmp_path)
    one.written.write_text(text)
    with pytest.raises(OperationFailed, match="k3s to write a kubeconfig"):
        server.kubeconfig(one, tmp_path / "kubeconfig")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["nameserver 10.0.0.2\nsearch lan\n"], "nameserver 10.0.0.2\nsearch lan\n"),
        (["nameserver 127.0.0.53\noptions edns0\n", "nameserver 10.0.0.2\n"], "nameserver 10.0.0.2\n"),
        (["nameserver 127.0.0.1\nnameserver 10.0.0.3\n"], "nameserver 10.0.0.3\n"),
        (["nameserver 127.0.0.53\nsearch lan\n"], "search lan\n"),
        ([], ""),
    ],
)
def test_name_servers_on_the_hosts_loopback_are_not_passed_on(texts: list[str], expected: str, tmp_path: Path) -> None:
    places = [tmp_path / f"resolv-{number}" for number in range(len(texts))]
    for place, text in zip(places, texts, strict=True):
        place.write_text(text)
    assert server.resolver(tuple(places)) == expected


def test_secrets_and_what_would_change_k3s_are_kept_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("K3S_TOKEN", "CEDANA_AUTH_TOKEN", "AWS_SECRET_ACCESS_KEY", "INVOCATION_ID", "KUBECONFIG"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    given = server._environment("mark")
    assert not {"K3S_TOKEN", "CEDANA_AUTH_TOKEN", "AWS_SECRET_ACCESS_KEY", "INVOCATION_ID", "KUBECONFIG"} & set(given)
    assert given["HTTPS_PROXY"] == "http://proxy:3128"


def test_a_network_is_taken_that_no_route_leads_to(monkeypatch: pytest.MonkeyPatch) -> None:
    free = network.plan("name", "0" * 16)
    assert (free.gateway, free.address, free.subnet) == ("198.18.0.1", "198.18.0.2", "198.18.0.0/30")
    monkeypatch.setattr(network, "_addresses", lambda: ["198.18.0.0/29", "10.0.0.0/8", "198.18.0.9"])
    assert network.plan("name", "0" * 16).subnet == "198.18.0.12/30"
    monkeypatch.setattr(network, "_addresses", lambda: ["198.0.0.0/8"])
    with pytest.raises(OperationFailed, match="a free network"):
        network.plan("name", "0" * 16)
