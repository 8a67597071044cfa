"""Commands in a container: stdout, stderr and exit code apart."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL, STDERR_CHANNEL, STDOUT_CHANNEL

from harness.durations import lasting
from harness.failures import NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster, api_errors
from harness.kube.connection import TimedApiClient
from harness.kube.errors import handshake_refusal
from harness.kube.plain import Plain


@dataclass(frozen=True)
class Execution:
    """What a command did.

    Attributes:
        command: as it was given; no shell came near it.
        exit_code: 0 is success.
        stdout: text; bytes that are no UTF-8 are replaced.
        stderr: the same.
    """

    command: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        said = " ".join((self.stderr or self.stdout).split())[-200:]
        return f"exit code {self.exit_code}{f', it said {said!r}' if said else ''}"


@dataclass(frozen=True)
class Place:
    """Where a command runs; `container` may be None where the pod has only one."""

    namespace: str
    pod: str
    container: str | None = None

    def __str__(self) -> str:
        return f"pod {self.namespace}/{self.pod}{f' container {self.container}' if self.container else ''}"


def execute(
    cluster: Cluster, place: Place, command: Sequence[str], timeout: float, exit_code: int | None = None
) -> Execution:
    """Runs a command in a container, without a shell and without stdin.

    Args:
        timeout: seconds.
        exit_code: what it must end with; None: anything.

    Raises:
        NotAsExpected: another exit code.
        WaitTimedOut: it does not end; the connection to it is closed.
        OperationFailed: no such pod or container, or the command cannot be started.
    """
    with api_errors(f"run {command[0]} in {place}"):
        socket = _connect(cluster, place, command, timeout)
    try:
        ended = _run(socket, timeout)
        stdout, stderr, error = (socket.read_channel(n) for n in (STDOUT_CHANNEL, STDERR_CHANNEL, ERROR_CHANNEL))
    finally:
        socket.close()
    shown = f"{' '.join(command)} in {place}"
    if not ended:
        said = " ".join((stderr or stdout).split())[-200:] or "nothing"
        raise WaitTimedOut(
            f"{shown} to end within {lasting(timeout)}", f"it runs on; it said {said!r}", cause="unknown"
        )
    result = Execution(tuple(command), _exit_code(error, shown), stdout, stderr)
    if exit_code is not None and result.exit_code != exit_code:
        raise NotAsExpected(f"{shown} to end with exit code {exit_code}", str(result))
    return result


def _connect(cluster: Cluster, place: Place, command: Sequence[str], timeout: float) -> Any:
    # The client's websocket support puts another transport into the ApiClient for the time of the call.
    api = Plain(TimedApiClient(cluster.api_client.configuration), "CoreV1Api")
    options = {"container": place.container} if place.container else {}
    try:
        return stream(
            api.connect_get_namespaced_pod_exec,
            place.pod,
            place.namespace,
            command=list(command),
            stdin=False,
            stdout=True,
            stderr=True,
            tty=False,
            _preload_content=False,
            _request_timeout=timeout,
            **options,
        )
    except ApiException as problem:
        raise handshake_refusal(problem) from None


def _run(socket: Any, timeout: float) -> bool:
    """Reads until the command ends; whether it did."""
    deadline = time.monotonic() + timeout
    while socket.is_open():
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        socket.update(timeout=left)
    return True


def _exit_code(error: str, shown: str) -> int:
    """The exit code in the Status that ends the connection (on channel 3 of v4.channel.k8s.io and v5)."""
    try:
        status = json.loads(error)
    except ValueError:
        raise OperationFailed(f"{shown} to end", "the connection ended without an exit code") from None
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or []
    for cause in causes:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise OperationFailed(f"{shown} to start", str(status.get("message") or error), cause="cluster-refused")
