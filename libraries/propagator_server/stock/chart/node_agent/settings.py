"""How an agent is set: by its environment, as the chart writes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Address:
    """Where a server listens; port 0: any that is free."""

    host: str
    port: int

    @staticmethod
    def parse(text: str) -> Address:
        """An address of the form `host:port`. Raises ValueError."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"{text!r} is no address; host:port is allowed")
        return Address(host.strip("[]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Settings:
    """All of it.

    Attributes:
        node: the node's name.
        kubelet: where its kubelet listens.
        account: the folder with the ServiceAccount's token.
        secret: the folder with `token`, `tls.crt` and `tls.key`, which all agents of the cluster share.
        checkpoints: the kubelet's folder of checkpoint archives.
        cgroups: the node's cgroups; not there where containers are not to be frozen.
        content: containerd's content store, read only; it need not be there.
        service: where the server and the other agents ask, over TLS.
        registry: where the node's runtime asks.
        registry_name: the registry's name in references of images.
        dump_timeout: seconds that the kubelet gives its runtime for a dump; it heeds what is longer than its own.
        remove_on_stop: whether the archives go when the agent is told to end.
    """

    node: str
    kubelet: Address
    account: Path
    secret: Path
    checkpoints: Path
    cgroups: Path
    content: Path
    service: Address
    registry: Address
    registry_name: str
    dump_timeout: int
    remove_on_stop: bool

    @property
    def token(self) -> str:
        """What a request must carry."""
        return (self.secret / "token").read_text().strip()


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment. Raises ValueError naming the variable that is wrong."""

    def port(name: str, default: int) -> str:
        return environment.get(name) or str(default)

    def address(name: str, default: str) -> Address:
        try:
            return Address.parse(environment.get(name) or default)
        except ValueError as wrong:
            raise ValueError(f"{name}: {wrong}") from None

    def seconds(name: str, default: int) -> int:
        text = environment.get(name) or str(default)
        if not text.isdigit() or not int(text):
            raise ValueError(f"{name}: {text!r} are no seconds; a whole number from 1 on is allowed")
        return int(text)

    for name in ("NODE_NAME", "HOST_IP"):
        if not environment.get(name):
            raise ValueError(f"{name} is not set")
    host = environment["HOST_IP"]
    own = f"[{host}]" if ":" in host else host
    registry_name = f"127.0.0.1:{port('REGISTRY_PORT', 5999)}"
    return Settings(
        node=environment["NODE_NAME"],
        kubelet=address("KUBELET", f"{own}:{port('KUBELET_PORT', 10250)}"),
        account=Path(environment.get("ACCOUNT_DIR") or "/var/run/secrets/kubernetes.io/serviceaccount"),
        secret=Path(environment.get("SECRET_DIR") or "/secret"),
        checkpoints=Path(environment.get("CHECKPOINT_DIR") or "/checkpoints"),
        cgroups=Path(environment.get("CGROUP_DIR") or "/cgroup"),
        content=Path(environment.get("CONTENT_DIR") or "/content"),
        service=address("SERVICE_LISTEN", f"{own}:{port('SERVICE_PORT', 5998)}"),
        registry=address("REGISTRY_LISTEN", registry_name),
        registry_name=registry_name,
        dump_timeout=seconds("DUMP_TIMEOUT", 120),
        remove_on_stop=environment.get("REMOVE_ON_STOP") == "true",
    )
