"""The keywords: arguments, types, documentation and logging over plain Python."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api import logger
from robot.api.deco import keyword, library

from harness import VERSION
from harness.failures import NotAsExpected

from . import any_witness, collect
from .any_witness import AnyObservation
from .connection_keywords import ConnectionKeywords
from .control_keywords import ControlArmKeywords
from .noting_keywords import NotingKeywords
from .observation import Observation, Workload
from .sampled_keywords import SampledKeywords
from .several_keywords import SeveralKeywords
from .source_keywords import SourceKeywords
from .verdict import Kind, Verdict
from .wording import failure


@library(scope="GLOBAL", version=VERSION, doc_format="MARKDOWN")
class ContinuityLibrary(
    NotingKeywords, ControlArmKeywords, SourceKeywords, SampledKeywords, SeveralKeywords, ConnectionKeywords
):
    """Did the process go on where it was checkpointed?

    A workload carries a *witness*: a nonce that exists in the memory of its process only, and a counter whose every
    step is chained by a hash. It prints one line a step, and the container's log tells what became of it. That a
    restored pod is Ready proves nothing; a plain restart would be Ready, too.

    | verdict      | means |
    |--------------|-------|
    | continued    | its own steps follow on the checkpoint's, and keep coming |
    | restarted    | another nonce: a fresh start |
    | rewound      | an older state, or it went back again |
    | ahead        | not this checkpoint's state |
    | foreign      | the nonce of another workload of this run |
    | broken chain | a line's hash does not follow |
    | silent       | Ready, yet no step of its own |
    | original     | the pod is the source itself |
    | inconclusive | the evidence does not suffice; says what is missing |

    Nothing here touches such a workload: only the API server is asked, for the pod and its log. An exec, a port-forward
    or a connection of a test's own into the pod can make a checkpoint fail. Some workloads have no log to read but a
    memory of their own that can be asked for; `Observe Sampled Workload` asks long before a checkpoint, and the verdict
    asks the restored pod. It proves less: the nonce, if any, and that nothing that was counted before is forgotten.

    `cluster` is the alias of a cluster that was started or connected; the first one when it is not given. `timeout` is
    a duration such as `30 s`. Keywords that take an observation use that of the newest `Observe Workload` when none is
    given; those that note something take a list of observations, too.
    """

    def __init__(self) -> None:
        """Connects to nothing."""
        super().__init__()

    @keyword(tags=["continuity"])
    def observe_workload(
        self,
        pod: str,
        namespace: str = "default",
        *,
        container: str = "",
        steps: int = 5,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> Observation:
        """Waits until the witness of a pod's process has printed some steps, and remembers them.

        Args:
            pod: its name.
            namespace: where it is.
            container: whose log has the witness; needed where the pod has several.
            steps: how many steps it must have printed.
            timeout: for them.
            cluster: alias of the cluster.

        Returns:
            The observation: uid, nonce, step (the last one), steps (how many), log (lines).

        Raises:
            WaitTimedOut: it has not printed so many (cause `witness-missing`); says what was seen.

        ```robotframework
        ${before}=    Observe Workload    web    my-tests
        ```
        """
        place = self._cluster(cluster)
        workload = Workload(place.alias, namespace, pod, container)
        observation = collect.observe(place, workload, steps=steps, timeout=timeout.total_seconds())
        observation.others = self._nonces
        self._nonces[observation.nonce] = str(workload)
        self._newest = observation
        logger.info(str(observation))
        return observation

    @keyword(tags=["continuity", "assertion"])
    def workload_should_have_continued(
        self,
        before: AnyObservation | None = None,
        pod: str | None = None,
        namespace: str | None = None,
        *,
        container: str | None = None,
        ready: dict[str, Any] | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> Verdict:
        """Fails unless the restored pod's process is the one that was checkpointed and goes on.

        Args:
            before: the workload as it was observed; the newest observation when it is not given.
            pod: name of the restored pod; the observed pod's when it is not given.
            namespace: where it is; the observed pod's when it is not given.
            container: which container; the observed one when it is not given.
            ready: the restored pod as `Wait Until Restored Pod Is Ready` returned it; where it is given, it must have
                stayed Ready until the verdict, as the same pod and without a restart.
            timeout: for the steps that show it. It ends sooner when no further step can change the verdict.
            cluster: alias of the restored pod's cluster; the observed pod's when it is not given.

        Returns:
            The verdict: kind, b, r, a, nonce and more; as a text it is one sentence.

        Raises:
            NotAsExpected: any other verdict; its cause tells which (`process-restarted`, `process-rewound` ...). Or
                the pod did not stay `ready` (`restored-pod-unstable`).

        ```robotframework
        Workload Should Have Continued    ${before}    web-restored
        ```
        """
        restored = _restored(self._observation(before), pod, namespace, container, cluster)
        return self._demand(Kind.CONTINUED, before, restored, timeout, ready)

    @keyword(tags=["continuity", "assertion"])
    def workload_should_have_restarted(
        self,
        before: AnyObservation | None = None,
        pod: str | None = None,
        namespace: str | None = None,
        *,
        container: str | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> Verdict:
        """Fails unless the pod's process was started afresh. It is how a check is checked.

        Args:
            before: as `Workload Should Have Continued` has it, and so have all others.
            pod: name of the pod that was created again.
            namespace: where it is.
            container: which container.
            timeout: for its first step.
            cluster: alias of its cluster.

        Returns:
            The verdict.

        Raises:
            NotAsExpected: any other verdict; cause `check-broken`.

        ```robotframework
        Workload Should Have Restarted    ${before}
        ```
        """
        restored = _restored(self._observation(before), pod, namespace, container, cluster)
        return self._demand(Kind.RESTARTED, before, restored, timeout)

    @keyword(tags=["continuity"])
    def get_verdict(
        self,
        before: AnyObservation | None = None,
        pod: str | None = None,
        namespace: str | None = None,
        *,
        container: str | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> Verdict:
        """The verdict on a pod, whatever it is.

        Args:
            before: as `Workload Should Have Continued` has it, and so have all others.
            pod: name of the pod.
            namespace: where it is.
            container: which container.
            timeout: until which a verdict that is still open is waited for.
            cluster: alias of its cluster.

        Returns:
            The verdict: kind, b, r, a, nonce and more.

        Raises:
            BadInput: nothing was observed before.

        ```robotframework
        ${verdict}=    Get Verdict    ${before}
        Should Be Equal    ${verdict.kind}    continued
        ```
        """
        return self._judge(before, _restored(self._observation(before), pod, namespace, container, cluster), timeout)

    @keyword(tags=["continuity"])
    def get_verdicts(self, *, new: bool = False) -> list[dict[str, Any]]:
        """The verdicts that were reached so far, as plain values for an evidence file.

        Args:
            new: only those that no call of this keyword has returned yet.

        Returns:
            A list of dictionaries: workload, restored, verdict, sentence, b, r, a, nonce and more.

        ```robotframework
        ${verdicts}=    Get Verdicts    new=True
        ```
        """
        first, self._told = (self._told if new else 0), len(self._verdicts)
        return self._verdicts[first:]

    def _demand(
        self,
        wanted: Kind,
        before: AnyObservation | None,
        restored: Workload,
        timeout: timedelta,
        ready: dict[str, Any] | None = None,
    ) -> Verdict:
        verdict = self._judge(before, restored, timeout, ready)
        if wording := failure(verdict, wanted):
            raise NotAsExpected(wording.expected, wording.seen, wording.look, cause=wording.cause)
        return verdict

    def _judge(
        self,
        before: AnyObservation | None,
        restored: Workload,
        timeout: timedelta,
        ready: dict[str, Any] | None = None,
    ) -> Verdict:
        noted = self._observation(before)
        place = self._cluster(restored.cluster)
        verdict = any_witness.await_verdict(
            place,
            noted,
            restored,
            timeout=timeout.total_seconds(),
            source_cluster=self._cluster(noted.workload.cluster),
            ready=ready,
        )
        self._record(verdict, noted.workload, restored)
        logger.info(str(verdict))
        return verdict


def _restored(
    before: AnyObservation, pod: str | None, namespace: str | None, container: str | None, cluster: str | None
) -> Workload:
    """The workload that is judged: as it was observed, but for what is given."""
    was = before.workload
    return Workload(
        cluster or was.cluster,
        namespace or was.namespace,
        pod or was.pod,
        was.container if container is None else container,
    )
