"""The keywords for the control arm."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import BadInput
from harness.kube import CLUSTERS

from . import control
from .records import Records
from .sampled_keywords import LEAST, way_to
from .verdict import Verdict


class ControlArmKeywords(Records):
    """Starts, joins and stops control arms."""

    def __init__(self) -> None:
        super().__init__()
        self._arms: dict[str, control.ControlArm] = {}

    @keyword(tags=["continuity"])
    def start_control_arm(
        self,
        manifest: Path,
        namespace: str = "default",
        *,
        image: str | None = None,
        images: dict[str, str] | None = None,
        container: str = "",
        witness: Literal["log", "http", "stub_status", "redis"] = "log",
        port: str | None = None,
        path: str | None = None,
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
            witness: `log` where its steps are printed, or what `Observe Sampled Workload` calls it; then it is asked
                by port-forward.
            port: of a witness that is asked; by default as `Observe Sampled Workload` has it.
            path: of a witness that is asked over HTTP; by default as `Observe Sampled Workload` has it.
            ready_timeout: until its pod is Ready, each time.
            witness_timeout: for the steps of its witness before, and for the verdict after.
            delete_timeout: until its pod is gone, each time.
            cluster: alias of the cluster.

        Raises:
            BadInput: the manifest cannot be used, or an arm of its pod is going on already.

        ```robotframework
        Start Control Arm    ${CURDIR}/nginx.yaml    my-tests
        ```
        """
        pod = control.control_pod(manifest, image, images)
        name = pod["metadata"]["name"].removesuffix(control.SUFFIX)
        if name in self._arms:
            raise BadInput("control arm", name, "joined or stopped before another one is started for this pod")
        seconds = witness_timeout.total_seconds()
        limits = control.Limits(ready_timeout.total_seconds(), seconds, delete_timeout.total_seconds(), verdict=seconds)
        self._arms[name] = control.ControlArm(
            CLUSTERS.get(cluster),
            namespace,
            pod,
            container=container,
            others=self._nonces,
            limits=limits,
            way=None if witness == "log" else way_to(witness, port=port, path=path),
            least=LEAST.get(witness, 0),
        )
        self._arms[name].start()

    @keyword(tags=["continuity", "assertion"])
    def control_arm_should_have_restarted(self, pod: str = "", *, timeout: timedelta = timedelta(minutes=2)) -> Verdict:
        """Joins the control arm and fails unless it came out as restarted: else no verdict of this run can be trusted.

        Args:
            pod: name of the pod in the arm's manifest; needed where several arms are going on.
            timeout: for what is left of it.

        Returns:
            Its verdict.

        Raises:
            NotAsExpected: it came out otherwise (cause `check-broken`), or one of its steps failed; says which.
            WaitTimedOut: it is not done; says at which step it is.
            BadInput: no such arm was started.

        ```robotframework
        Control Arm Should Have Restarted
        ```
        """
        name = pod or (next(iter(self._arms)) if len(self._arms) == 1 else "")
        if name not in self._arms:
            known = f"one of {', '.join(self._arms)}" if self._arms else "started before it is joined"
            raise BadInput("control arm", name, known, cause="harness-error")
        arm = self._arms.pop(name)
        try:
            verdict = arm.result(timeout.total_seconds())
        finally:
            if arm.verdict is not None:
                self._record(arm.verdict, arm.workload, arm.workload, control_arm=True)
        return verdict

    @keyword(tags=["continuity"])
    def stop_control_arm(self, *, timeout: timedelta = timedelta(minutes=1)) -> None:
        """Ends all control arms that nobody waited for; fine where there is none. What they made stands in the ledger.

        Args:
            timeout: for the step that each is at.

        ```robotframework
        Stop Control Arm
        ```
        """
        while self._arms:
            _, arm = self._arms.popitem()
            if not arm.stop(timeout.total_seconds()):
                logger.warn(f"the control arm {arm.workload} is still at the step: {arm.step}")
