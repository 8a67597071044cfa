"""The keywords for the control arm."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import BadInput
from harness.kube import CLUSTERS

from . import control
from .records import Records
from .verdict import Verdict


class ControlArmKeywords(Records):
    """Starts, joins and stops the one control arm."""

    def __init__(self) -> None:
        super().__init__()
        self._arm: control.ControlArm | None = None

    @keyword(tags=["continuity"])
    def start_control_arm(
        self,
        manifest: Path,
        namespace: str = "default",
        *,
        image: str | None = None,
        images: dict[str, str] | None = None,
        container: str = "",
        ready_timeout: timedelta = timedelta(minutes=1),
        witness_timeout: timedelta = timedelta(seconds=30),
        delete_timeout: timedelta = timedelta(minutes=1),
        cluster: str | None = None,
    ) -> None:
        """Starts the control arm: the manifest's pod under another name, created, observed, deleted and created again.

        No restore takes place. It goes on beside the test; `Control Arm Should Have Restarted` joins it.

        Args:
            manifest: file with the pod. Its Services and the rest are not applied, and none of them selects the arm.
            namespace: where to.
            image: another image for its first container.
            images: other images by the last part of their repository, such as `nginx`.
            container: whose log has the witness; needed where the pod has several.
            ready_timeout: until its pod is Ready, each time.
            witness_timeout: for the steps of its witness before, and for the verdict after.
            delete_timeout: until its pod is gone, each time.
            cluster: alias of the cluster.

        Raises:
            BadInput: the manifest cannot be used, or an arm is going on already.

        ```robotframework
        Start Control Arm    ${CURDIR}/nginx.yaml    my-tests
        ```
        """
        if self._arm is not None:
            raise BadInput("control arm", self._arm.workload, "joined or stopped before another is started")
        pod = control.control_pod(manifest, image, images)
        witness = witness_timeout.total_seconds()
        limits = control.Limits(ready_timeout.total_seconds(), witness, delete_timeout.total_seconds(), verdict=witness)
        self._arm = control.ControlArm(
            CLUSTERS.get(cluster), namespace, pod, container=container, others=self._nonces, limits=limits
        )
        self._arm.start()

    @keyword(tags=["continuity", "assertion"])
    def control_arm_should_have_restarted(self, *, timeout: timedelta = timedelta(minutes=2)) -> Verdict:
        """Joins the control arm and fails unless it came out as restarted: else no verdict of this run can be trusted.

        Args:
            timeout: for what is left of it.

        Returns:
            Its verdict.

        Raises:
            NotAsExpected: it came out otherwise (cause `check-broken`), or one of its steps failed; says which.
            WaitTimedOut: it is not done; says at which step it is.
            BadInput: no arm was started.

        ```robotframework
        Control Arm Should Have Restarted
        ```
        """
        if self._arm is None:
            raise BadInput("control arm", None, "started before it is joined", cause="harness-error")
        arm, self._arm = self._arm, None
        try:
            verdict = arm.result(timeout.total_seconds())
        finally:
            if arm.verdict is not None:
                self._record(arm.verdict, arm.workload, arm.workload, control_arm=True)
        return verdict

    @keyword(tags=["continuity"])
    def stop_control_arm(self, *, timeout: timedelta = timedelta(minutes=1)) -> None:
        """Ends a control arm that nobody waited for; fine where there is none. What it made stands in the ledger.

        Args:
            timeout: for the step that it is at.

        ```robotframework
        Stop Control Arm
        ```
        """
        arm, self._arm = self._arm, None
        if arm is not None and not arm.stop(timeout.total_seconds()):
            logger.warn(f"the control arm {arm.workload} is still at the step: {arm.step}")
