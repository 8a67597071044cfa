"""The Docker daemon: reached, looked at before anything is made, and its refusals as failures of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.failures import NotAsExpected, OperationFailed

if TYPE_CHECKING:
    from python_on_whales import DockerClient

LEAST_MEMORY = 2 * 1024**3
"""Bytes that k3s, Cedana and a workload need; k3s alone asks for 2 GiB on a server (docs.k3s.io, requirements)."""
_CAUSES = (
    (re.compile(r"pull access denied|manifest (unknown|for)|not found: manifest|no such host|toomanyrequests|"
                r"failed to (do request|resolve reference)|unauthorized|no such image", re.IGNORECASE), "image-pull"),
    (re.compile(r"no space left on device", re.IGNORECASE), "disk-full"),
)  # fmt: skip
_LOOK = {
    "image-pull": "K3S_DOCKER_IMAGE names the image; a registry that this daemon reaches must have it",
    "disk-full": "`docker system df`",
    "host-unfit": "`docker info`",
}


def client() -> DockerClient:
    """A client of the daemon that DOCKER_HOST or Docker's context names.

    Raises:
        OperationFailed: there is no `docker` command; cause `host-unfit`.
    """
    from python_on_whales import DockerClient
    from python_on_whales.client_config import ClientNotFoundError

    docker = DockerClient()
    try:
        _ = docker.client_config.docker_cmd
    except ClientNotFoundError:
        raise OperationFailed(
            "a `docker` command",
            "there is none on PATH",
            "install Docker's command line, or use another PROVIDER",
            cause="host-unfit",
        ) from None
    return docker


def check(docker: DockerClient) -> list[str]:
    """Looks whether the daemon can carry a k3s; what is doubtful, but no obstacle, is returned.

    Raises:
        NotAsExpected: names everything that is missing; cause `host-unfit`.
        OperationFailed: it does not answer, or refuses this user; cause `host-unfit`.
    """
    with refusals("answer"):
        info, version = docker.system.info(), docker.version()
    missing = list(_missing(info))
    if missing:
        raise NotAsExpected(
            "a Docker daemon that can carry a k3s", "; ".join(missing), _LOOK["host-unfit"], cause="host-unfit"
        )
    return list(_doubts(version))


@contextmanager
def refusals(doing: str) -> Iterator[None]:
    """Turns what python-on-whales raises into `OperationFailed`, with Docker's own words.

    Args:
        doing: what the daemon is asked for, as it follows "Docker to".
    """
    from python_on_whales.exceptions import DockerException

    try:
        yield
    except DockerException as problem:
        words = " ".join((problem.stderr or "").split()) or f"exit status {problem.return_code}"
        seen, cause, look = _explained(words)
        raise OperationFailed(f"Docker to {doing}", seen, look, cause=cause) from None


def _explained(words: str) -> tuple[str, str, str]:
    """What Docker's words mean: what was seen, the cause, what to look at next."""
    if "permission denied" in words.lower() and "socket" in words.lower():
        look = "add the user to the group docker, or run as root"
        return f"this user may not use the daemon's socket: {words}", "host-unfit", look
    if re.search(r"cannot connect to the docker daemon|is the docker daemon running|connection refused", words, re.I):
        return f"no daemon answers: {words}", "host-unfit", "start it, or set DOCKER_HOST to where it listens"
    cause = next((name for pattern, name in _CAUSES if pattern.search(words)), "cluster-start")
    return words[-1500:], cause, _LOOK.get(cause, "`docker info` and `docker ps --all`")


def _missing(info: Any) -> Iterator[str]:
    rootless = [option for option in info.security_options or [] if "rootless" in option]
    if rootless:
        yield "it runs rootless, and k3s with CRIU needs a daemon of root"
    if info.os_type and info.os_type != "linux":
        yield f"its containers are those of {info.os_type}, not of Linux"
    if info.mem_total and info.mem_total < LEAST_MEMORY:
        yield f"it has {info.mem_total / 1024**3:.1f} GiB of memory, and 2 GiB are needed"


def _doubts(version: Any) -> Iterator[str]:
    components = [str(one.name) for one in (version.server.components if version.server else None) or []]
    if any("podman" in name.lower() for name in components):
        yield "the socket is Podman's, with which this was not tried"
