"""Keywords for Leases."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import BadInput
from harness.kube import CLUSTERS

from .. import leases


class LeaseKeywords:
    """What only one run at a time may do in a cluster."""

    def __init__(self) -> None:
        """Holds nothing."""
        self._held: dict[tuple[str, str], leases.Held] = {}

    @keyword(tags=["wait"])
    def acquire_lease(
        self,
        name: str,
        namespace: str = "default",
        *,
        duration: timedelta = timedelta(seconds=15),
        timeout: timedelta = timedelta(minutes=30),
        cluster: str | None = None,
    ) -> None:
        """Waits until no other run holds the Lease, and holds it until `Release Lease` or the run's clean-up.

        It is renewed meanwhile. A run that is no more renews nothing: when its Lease was not renewed for its duration,
        it is taken over.

        Args:
            name: of the Lease, the same for all who must agree.
            namespace: where it is; it must exist.
            duration: after which without a renewal others may take it.
            timeout: for another run to end.
            cluster: alias; the first started cluster by default.

        Raises:
            BadInput: this run holds it already, or the duration is shorter than 3 s.
            WaitTimedOut: another run holds it; says which, on which host, and since when; cause `cluster-in-use`.
            OperationFailed: the cluster refuses, as it does where the user may not write Leases.

        Example:

            Acquire Lease    my-turn
            Release Lease    my-turn
        """
        where = CLUSTERS.get(cluster)
        held = self._held.get((where.alias, name))
        if held is not None and held.is_owed:
            raise BadInput("Lease", name, "one that this run does not hold yet")
        if duration < timedelta(seconds=3):
            raise BadInput("duration", duration, "3 s or longer: it is renewed three times in it")
        self._held[where.alias, name] = leases.acquire(
            where,
            namespace,
            name,
            duration=duration.total_seconds(),
            timeout=timeout.total_seconds(),
        )
        logger.info(f"Holding Lease {name} as run {leases.identity()}.")

    @keyword
    def release_lease(
        self, name: str, *, timeout: timedelta = timedelta(seconds=30), cluster: str | None = None
    ) -> None:
        """Lets a Lease go that `Acquire Lease` took; fine when this run does not hold it.

        Args:
            name: of the Lease.
            timeout: until it is gone.
            cluster: alias; the first started cluster by default.

        Raises:
            OperationFailed: the cluster refuses.

        Example:

            Acquire Lease    my-turn
            Release Lease    my-turn
        """
        held = self._held.pop((CLUSTERS.get(cluster).alias, name), None) if self._held else None
        if held is not None:
            held.release(timeout.total_seconds())
