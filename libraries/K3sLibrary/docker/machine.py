"""The containers, the network and the volumes of one cluster, all found again by one label.

Flags and mounts as k3s' own docker-compose.yml has them: privileged, /run and /var/run in memory, the rest of what k3s
writes on a volume, which is not the daemon's own overlay.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from harness.failures import OperationFailed
from harness.progress import PROGRESS
from harness.rundir import private_directory
from harness.secrets import SECRETS

from .daemon import refusals

if TYPE_CHECKING:
    from python_on_whales import DockerClient

API_PORT = 6443
DATA = "/var/lib/rancher/k3s"
IMAGES = f"{DATA}/agent/images/given.tar"
REGISTRIES = "/etc/rancher/k3s/registries.yaml"
KUBECONFIG = "/etc/rancher/k3s/k3s.yaml"
RUN, CLUSTER = "e2e.cedana.ai/run", "e2e.cedana.ai/cluster"
LOG_LINES = 200


@dataclass(frozen=True)
class Plan:
    """One cluster, as it will be made.

    Attributes:
        name: of the server's container, its network, and the beginning of all other names.
        labels: on everything; `CLUSTER` tells this cluster from any other.
        image: of k3s.
        agents: nodes beside the server.
        images: a tarball of images that each node imports at its start.
        registries: a file for /etc/rancher/k3s/registries.yaml: mirrors and their credentials.
        cgroupns: `private` or `host`; None leaves it to the daemon.
    """

    name: str
    labels: dict[str, str]
    image: str
    agents: int = 0
    images: Path | None = None
    registries: Path | None = None
    cgroupns: str | None = None

    @property
    def nodes(self) -> list[str]:
        """The names of its containers, the server's first."""
        return [self.name, *(f"{self.name}-agent-{number}" for number in range(1, self.agents + 1))]


def pull(docker: DockerClient, image: str) -> None:
    """Fetches the image unless the daemon has it.

    Raises:
        OperationFailed: it cannot be had; cause `image-pull`.
    """
    with refusals(f"pull image {image}"):
        if not docker.image.exists(image):
            with PROGRESS.awaiting(f"image {image}", None, lambda: "Docker pulls it"):
                docker.image.pull(image, quiet=True)


def make(docker: DockerClient, plan: Plan) -> None:
    """Makes the network, the volumes and the containers; they start at once.

    Raises:
        OperationFailed: the daemon refuses.
    """
    with refusals(f"make the network {plan.name}"):
        docker.network.create(plan.name, labels=plan.labels)
    with _secret_environment(plan) as environment:
        for name in plan.nodes:
            _run(docker, plan, name, environment)


def _run(docker: DockerClient, plan: Plan, name: str, environment: Path) -> None:
    is_server = name == plan.name
    join = [f"--server=https://{plan.name}:{API_PORT}"]
    command = ["server", "--disable=traefik", "--tls-san=127.0.0.1"] if is_server else ["agent", *join]
    with refusals(f"run container {name}"):
        docker.volume.create(name, labels=plan.labels)
        docker.container.run(
            plan.image,
            [*command, f"--node-name={name}"],
            name=name,
            hostname=name,
            labels=plan.labels,
            networks=[plan.name],
            publish=[("127.0.0.1:", API_PORT)] if is_server else [],
            volumes=[(name, DATA), *_mounted(plan)],
            tmpfs=[Path("/run"), Path("/var/run")],
            privileged=True,
            cgroupns=plan.cgroupns,
            env_files=[environment],
            detach=True,
            pull="never",
        )


def _mounted(plan: Plan) -> Iterator[tuple[str, str, str]]:
    for source, place in ((plan.images, IMAGES), (plan.registries, REGISTRIES)):
        if source:
            yield str(source.resolve()), place, "ro"


@contextmanager
def _secret_environment(plan: Plan) -> Iterator[Path]:
    """A private file with what nodes join by: a command line can be read by everybody on this host."""
    token = secrets.token_hex(16)
    SECRETS.add(token)
    file = private_directory() / f"{plan.name}.env"
    file.touch(0o600)
    file.write_text(f"K3S_TOKEN={token}\n")
    try:
        yield file
    finally:
        file.unlink()


def kubeconfig(docker: DockerClient, plan: Plan, place: Path) -> bool:
    """Writes the server's kubeconfig, with the published port, to `place` (0600); false where there is none yet."""
    from python_on_whales.exceptions import DockerException

    copied = place.with_suffix(".k3s")
    try:
        docker.container.copy((plan.name, KUBECONFIG), copied)
        content = yaml.safe_load(copied.read_text())
    except DockerException:
        return False
    finally:
        copied.unlink(missing_ok=True)
    port = _port(docker, plan)
    if not content or not port:
        return False
    for cluster in content["clusters"]:
        cluster["cluster"]["server"] = f"https://127.0.0.1:{port}"
    place.touch(0o600)
    place.write_text(yaml.safe_dump(content))
    return True


def must_run(docker: DockerClient, plan: Plan) -> None:
    """Fails when one of the containers has ended.

    Raises:
        OperationFailed: says with which status, and its last lines; cause `cluster-start`.
    """
    with refusals("tell of its containers"):
        ended = [one for one in (docker.container.inspect(name) for name in plan.nodes) if not one.state.running]
    for container in ended:
        lines = logs(docker, container.name, 5).strip().splitlines()
        raise OperationFailed(
            f"container {container.name} to go on running",
            f"it ended with status {container.state.exit_code}: {' | '.join(lines) or 'it said nothing'}",
            f"the log of {container.name}, which is in the diagnostics",
            cause="cluster-start",
        )


def logs(docker: DockerClient, name: str, lines: int = LOG_LINES) -> str:
    """The end of a container's log."""
    with refusals(f"tell the log of {name}"):
        return SECRETS.redact(str(docker.container.logs(name, tail=lines)))


def _port(docker: DockerClient, plan: Plan) -> str:
    """The port on this host; empty where there is none, as of a container that has ended."""
    published = docker.container.inspect(plan.name).network_settings.ports or {}
    places = published.get(f"{API_PORT}/tcp") or [{}]
    return str(places[0].get("HostPort", ""))
