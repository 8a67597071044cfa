"""Keywords that note what happens to the source: its checkpoint is asked for, is done, the source is deleted."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from . import any_witness, collect
from .any_witness import AnyObservation
from .records import Records


class NotingKeywords(Records):
    """Each takes one observation, or a list of them, whose logs are then read side by side."""

    @keyword(tags=["continuity"])
    def note_checkpoint_request(
        self, observation: AnyObservation | list[AnyObservation] | None = None
    ) -> int | list[int]:
        """Reads the workload's log just before its checkpoint is asked for.

        The last step in it is the lower bound *b*: a restored process must begin after it. A witness that is sampled is
        not asked now, for that could be in the checkpoint's way; its last sample is the lower bound.

        Args:
            observation: of the workload, or a list of those of several; the newest one when it is not given.

        Returns:
            The step *b*; a list for a list.

        Raises:
            NotAsExpected: the observed pod is not there any more.

        ```robotframework
        Note Checkpoint Request    ${before}
        ${action}=    Checkpoint Pod    ${pod.metadata.uid}
        ```
        """
        return self._each(observation, self._asked, "the logs of the sources before their checkpoints")

    @keyword(tags=["continuity"])
    def note_checkpoint_done(
        self,
        observation: AnyObservation | list[AnyObservation] | None = None,
        *,
        timeout: timedelta = timedelta(seconds=5),
    ) -> int | list[int | None] | None:
        """Reads the source's log to its end when its checkpoint was reported ready, before the source is deleted.

        The last step in it is the upper bound *r*: a restored process must begin at *r* + 1 or before. The source goes
        on after a checkpoint; its next step is waited for, since it shows how long the process stood still. A witness
        that is sampled gives no upper bound.

        Args:
            observation: of the workload, or a list of those of several; the newest one when it is not given.
            timeout: for the source's next step. That none comes is a warning in the log, not a failure; whether the
                source is well is told by `Source Should Have Gone On`. With 0 that keyword is left to wait for it.

        Returns:
            The step *r*; None when the source could not be read any more, or is sampled; a list for a list.

        Raises:
            BadInput: nothing was observed before.

        ```robotframework
        Wait Until Action Completes    ${action}
        Note Checkpoint Done    ${before}
        ```
        """
        silent: list[AnyObservation] = []

        def done(noted: AnyObservation) -> int | None:
            place = self._cluster(noted.workload.cluster)
            reached, went_on = any_witness.note_ready(place, noted, timeout=timeout.total_seconds())
            if not went_on and timeout:
                silent.append(noted)
            return reached

        reached = self._each(observation, done, "the logs of the sources after their checkpoints")
        for noted in silent:
            logger.warn(f"the source {noted.workload} printed no step after its checkpoint was ready")
        return reached

    @keyword(tags=["continuity"])
    def note_deletion(self, observation: AnyObservation | list[AnyObservation] | None = None) -> None:
        """Notes that the source is deleted now, so that the verdict can tell the downtime.

        Args:
            observation: of the workload, or a list of those of several; the newest one when it is not given.

        Raises:
            BadInput: nothing was observed before.

        ```robotframework
        Note Deletion    ${before}
        Delete Pod    web    my-tests
        ```
        """

        def deleted(noted: AnyObservation) -> None:
            any_witness.read_on(self._cluster(noted.workload.cluster), noted)
            noted.deleted_at = collect.now()

        self._each(observation, deleted, "the logs of the sources before their deletion")

    @keyword(tags=["continuity"])
    def note_restore_request(self, observation: AnyObservation | list[AnyObservation] | None = None) -> None:
        """Notes that a restore is asked for now, so that the verdict can tell how long the process took to go on.

        Args:
            observation: of the workload, or a list of those of several; the newest one when it is not given.

        Raises:
            BadInput: nothing was observed before.

        ```robotframework
        Note Restore Request    ${before}
        ```
        """

        def asked(noted: AnyObservation) -> None:
            noted.restore_asked_at = collect.now()

        self._each(observation, asked, "the times of the restores")

    def _asked(self, noted: AnyObservation) -> int:
        any_witness.note_request(self._cluster(noted.workload.cluster), noted)
        return noted.step
