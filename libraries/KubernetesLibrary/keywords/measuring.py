"""Keywords that measure a phase of a test: its time, and what is used meanwhile."""

from __future__ import annotations

from typing import Any

from robot.api import logger
from robot.api.deco import keyword

from harness.durations import lasting
from harness.failures import BadInput
from harness.kube import CLUSTERS

from ..phases import Phases
from ..usage import Wanted


class MeasuringKeywords:
    """Time and resource use of phases, beside the test."""

    def __init__(self) -> None:
        super().__init__()
        self._phases = Phases()

    @keyword
    def start_measuring_resource_use(
        self,
        phase: str,
        pod: str = "",
        namespace: str = "",
        *,
        node: str = "",
        helper_namespace: str = "cedana-system",
        helper_selector: str = "app.kubernetes.io/component=helper",
        cluster: str | None = None,
    ) -> None:
        """Begins a phase: its time is taken, and processor and memory are sampled in the background until it ends.

        Measured are the workload's pod, Cedana's helper and the node, as the cluster itself tells them: by its metrics
        API, else by the kubelet's summary. Nothing connects to the workload, and nothing waits for a measurement.
        A phase that is still going on ends where the next one begins.

        Args:
            phase: its name, such as `checkpoint`.
            pod: the workload; none where there is no pod in this phase.
            namespace: of the pod; needed with it.
            node: that the pod is on, or was.
            helper_namespace: where Cedana's helpers are.
            helper_selector: label selector of the helpers' pods.
            cluster: alias; the first started cluster by default.

        Raises:
            BadInput: the phase has no name, or a pod is given without its namespace.

        Example:

            Start Measuring Resource Use    checkpoint    web    my-tests    node=${pod.spec.nodeName}
        """
        if not phase.strip():
            raise BadInput("phase", phase, "the name of a phase")
        if pod and not namespace:
            raise BadInput("namespace", namespace, f"the namespace of pod {pod}")
        wanted = Wanted(pod, namespace, node, helper_namespace, helper_selector)
        self._phases.start(phase, CLUSTERS.get(cluster), wanted)

    @keyword
    def stop_measuring_resource_use(self, *, node: str = "") -> float:
        """Ends the phase that is going on. A measurement of it that comes later still counts.

        Args:
            node: only what was used there counts, of helpers and nodes; that of `Start Measuring Resource Use` and all
                where a helper is by default.

        Returns:
            How long the phase took, in seconds.

        Raises:
            BadInput: no phase is going on.

        Example:

            ${seconds}=    Stop Measuring Resource Use
        """
        ended = self._phases.stop(node)
        if ended is None:
            raise BadInput("phase", None, "begun before by `Start Measuring Resource Use`", cause="harness-error")
        seconds = ended.stop()
        logger.info(f"{ended.name}: {lasting(seconds)}")
        return seconds

    @keyword
    def get_resource_use(self, *, new: bool = False) -> list[dict[str, Any]]:
        """The phases so far, with what was measured in each by now; nothing more is measured of them afterwards.

        Where a cluster does not tell, `unmeasured` says why.

        Args:
            new: only those that no call of this keyword has returned yet.

        Returns:
            A list of dictionaries: phase, start, seconds, complete, source, use (for each of workload, helper and node:
            samples, window_seconds, cpu_cores_mean, cpu_cores_most, memory_bytes_mean, memory_bytes_most), unmeasured.

        Example:

            ${phases}=    Get Resource Use    new=True
        """
        found = self._phases.results(new=new)
        for phase in found:
            used = [
                f"{one['of']} {one['cpu_cores_most']:.3g} cores, {one['memory_bytes_most'] / 1e6:.1f} MB"
                for one in phase["use"]
            ]
            logger.info(f"{phase['phase']}: {lasting(phase['seconds'])}; {'; '.join(used) or phase['unmeasured']}")
        return found
