"""Keywords about an open TCP connection: held on purpose, so that it is recorded what becomes of it."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import BadInput

from .connection import Fate, HeldConnection
from .observation import Workload
from .records import Records


class ConnectionKeywords(Records):
    """Holds connections open."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[HeldConnection] = []

    @keyword(tags=["continuity"])
    def hold_connection(
        self,
        pod: str,
        namespace: str = "default",
        port: int = 6379,
        *,
        say: str = "PING\r\n",
        every: timedelta = timedelta(seconds=0.1),
        cluster: str | None = None,
    ) -> HeldConnection:
        """Opens a TCP connection to a pod's port, by port-forward, and asks over it again and again beside the test.

        An open connection can make a checkpoint fail (cause `open-connection`): CRIU refuses to dump one unless it is
        told how to treat it. So this is for tests that want to see just that.

        Args:
            pod: its name.
            namespace: where it is.
            port: of the pod.
            say: what is sent each time, and is answered with something; `PING` of redis by default.
            every: from an answer to the next question.
            cluster: alias of the cluster.

        Returns:
            The connection, for the keywords beside this one.

        Raises:
            OperationFailed: the port cannot be forwarded.
            BadInput: no such port.

        ```robotframework
        ${connection}=    Hold Connection    db    my-tests    6379
        ```
        """
        if not 0 < port < 65536:
            raise BadInput("port", port, "a number from 1 to 65535")
        place = self._cluster(cluster)
        workload = Workload(place.alias, namespace, pod)
        held = HeldConnection(place, workload, port, say=say.encode(), every=every.total_seconds())
        self._held.append(held)
        return held

    @keyword(tags=["continuity", "assertion"])
    def connection_should_go_on(
        self, connection: HeldConnection, *, timeout: timedelta = timedelta(seconds=30)
    ) -> Fate:
        """Fails unless a held connection is still open and answers once more.

        Args:
            connection: as `Hold Connection` returned it.
            timeout: for the answer, and so for the stall that is borne.

        Returns:
            What has become of it: alive, exchanges, stall (seconds of the longest wait for an answer), end.

        Raises:
            NotAsExpected: it has ended; cause `source-harmed`.
            WaitTimedOut: nobody answers; the same cause.

        ```robotframework
        ${fate}=    Connection Should Go On    ${connection}
        Log    ${fate.stall}
        ```
        """
        fate = connection.should_go_on(timeout.total_seconds())
        logger.info(f"the {connection}: {fate}")
        return fate

    @keyword(tags=["continuity"])
    def get_fate_of_connection(self, connection: HeldConnection, *, timeout: timedelta = timedelta(seconds=10)) -> Fate:
        """Tells what becomes of a held connection: it goes on, it ends, or nobody answers. Nothing is demanded.

        Args:
            connection: as `Hold Connection` returned it.
            timeout: until which it may answer once more, or end.

        Returns:
            What has become of it: alive, exchanges, stall (seconds of the longest wait for an answer), end.

        ```robotframework
        ${fate}=    Get Fate Of Connection    ${connection}
        Log    ${fate}
        ```
        """
        fate = connection.settled(timeout.total_seconds())
        logger.info(f"the {connection}: {fate}")
        return fate

    @keyword(tags=["continuity"])
    def release_connections(self) -> None:
        """Closes all held connections; fine where there is none.

        ```robotframework
        Release Connections
        ```
        """
        while self._held:
            self._held.pop().close()
