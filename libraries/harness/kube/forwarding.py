"""Connections to a pod's ports through the API server, as `kubectl port-forward` makes them.

The kubelet connects to the port on the loopback of the pod's own network, so that the process sees an ordinary TCP
connection for as long as this one is open: an established connection can make a checkpoint fail.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward

from ..waiting import Done, Pending, wait_until
from .connection import Cluster, TimedApiClient
from .errors import handshake_refusal
from .plain import Plain

CLOSING = 5.0
"""Seconds for the API server to end a connection that was closed."""


class Forwarded:
    """An open connection to a port of a pod.

    Args:
        timeout: seconds for each read.

    Raises:
        ApiException: there is no such pod, it does not run, or the API refuses.
    """

    def __init__(self, cluster: Cluster, namespace: str, pod: str, port: int, timeout: float) -> None:
        # The client's websocket support puts another transport into the ApiClient for the time of the call.
        api = Plain(TimedApiClient(cluster.api_client.configuration), "CoreV1Api")
        try:
            self._forward: Any = portforward(
                api.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port), _request_timeout=timeout
            )
        except ApiException as problem:
            raise handshake_refusal(problem) from None
        self._port = port
        self.socket: socket.socket = self._forward.socket(port)
        self.socket.settimeout(timeout)

    @property
    def refusal(self) -> str:
        """What the kubelet says when it cannot connect to the port; empty where it said nothing."""
        return str(self._forward.error(self._port) or "")

    def close(self) -> None:
        """Closes it and waits until the other side knows, for an open connection is in a checkpoint's way.

        Raises:
            WaitTimedOut: it is still open.
        """
        with contextlib.suppress(OSError):  # the other side may have closed it
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        wait_until(
            lambda: Pending("it is open") if self._forward.connected else Done(None),
            timeout=CLOSING,
            expected="the forwarded connection to be closed",
        )


@contextlib.contextmanager
def forwarded(cluster: Cluster, namespace: str, pod: str, port: int, timeout: float) -> Iterator[Forwarded]:
    """A connection to a port of a pod, closed at the end; see `Forwarded`."""
    connection = Forwarded(cluster, namespace, pod, port, timeout)
    try:
        yield connection
    finally:
        connection.close()
