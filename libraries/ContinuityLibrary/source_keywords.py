"""Keywords about the source: what its checkpoint did to it, and how it lives on beside its copy."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import NotAsExpected

from . import any_witness, source
from .any_witness import AnyObservation
from .observation import Observation, Workload
from .records import Records
from .witness import short


class SourceKeywords(Records):
    """The pod that a checkpoint was taken of."""

    @keyword(tags=["continuity", "assertion"])
    def source_should_have_gone_on(
        self, before: AnyObservation | list[AnyObservation] | None = None, *, timeout: timedelta = timedelta(seconds=30)
    ) -> int | list[int]:
        """Fails unless the source goes on after its checkpoint: the same pod and process, without a restart.

        A checkpoint copies a process; the process itself must not notice more than a short pause.

        Args:
            before: the workload as it was observed, or a list of several; the newest observation when none is given.
            timeout: for its next step, and so for the pause that is borne.

        Returns:
            The step that it has reached; the count, of a witness that is sampled; a list for a list.

        Raises:
            NotAsExpected: its pod is gone, its container was restarted or ended; cause `source-harmed`.
            WaitTimedOut: it runs, but takes no further step; the same cause.

        ```robotframework
        Source Should Have Gone On    ${before}
        ```
        """

        def go_on(noted: AnyObservation) -> int:
            return any_witness.should_go_on(
                self._cluster(noted.workload.cluster), noted, timeout=timeout.total_seconds()
            )

        return self._each(before, go_on, "all sources to go on after their checkpoints")

    @keyword(tags=["continuity", "assertion"])
    def source_and_copy_should_go_their_own_ways(
        self,
        before: Observation | None = None,
        pod: str = "",
        namespace: str | None = None,
        *,
        steps: int = 3,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> source.Parting:
        """Fails unless the source and the pod restored from it both go on, each with steps of its own.

        They have the same nonce, for they were one process until the checkpoint. What tells them apart is that steps
        of the same numbers are taken twice, at different times.

        Args:
            before: the source as it was observed; the newest observation when it is not given.
            pod: name of the restored pod.
            namespace: where it is; the source's when it is not given.
            steps: how many steps both of them must have taken.
            timeout: for these steps.
            cluster: alias of the restored pod's cluster; the source's when it is not given.

        Returns:
            What was seen: nonce, taken_twice (step numbers), source_last, copy_last.

        Raises:
            NotAsExpected: the source is harmed (cause `source-harmed`), or `pod` is the source itself.
            WaitTimedOut: one of the two does not go on.

        ```robotframework
        Source And Copy Should Go Their Own Ways    ${before}    web-restored
        ```
        """
        noted = self._printed(before)
        was = noted.workload
        copy = Workload(cluster or was.cluster, namespace or was.namespace, pod or was.pod, was.container)
        parting = source.parted(
            self._cluster(was.cluster),
            noted,
            copy,
            copy_cluster=self._cluster(copy.cluster),
            steps=steps,
            timeout=timeout.total_seconds(),
        )
        logger.info(str(parting))
        return parting

    @keyword(tags=["continuity", "assertion"])
    def should_be_the_same_process(self, first: Observation, then: Observation) -> str:
        """Fails unless two observations are of one process, however often it was restored in between.

        Args:
            first: the earlier observation.
            then: the later one.

        Returns:
            The nonce of both.

        Raises:
            NotAsExpected: their nonces differ (cause `process-restarted`), or the later one is further back
                (`process-rewound`).

        ```robotframework
        Should Be The Same Process    ${before}    ${after}
        ```
        """
        expected = f"{then.workload} to be the process with nonce {short(first.nonce)} of {first.workload}, further on"
        if then.nonce != first.nonce:
            raise NotAsExpected(expected, f"its nonce is {short(then.nonce)}", cause="process-restarted")
        if then.step < first.step:
            seen = f"it is at step {then.step}, and was at step {first.step} before"
            raise NotAsExpected(expected, seen, cause="process-rewound")
        return first.nonce
