"""Keywords that hold the pod as it was against the pod as it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api import logger
from robot.api.deco import keyword

from harness.kube import CLUSTERS

from .. import facts, remembered, starts
from ..remembered import Look, RememberedPod
from .answers import dotted


class RememberedPodKeywords:
    """A restored pod must be the pod that it was, not only its process."""

    @keyword
    def remember_pod(
        self,
        name: str,
        namespace: str,
        *,
        inside: bool = False,
        files: list[str] | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> RememberedPod:
        """Remembers a pod as it is now, for `Restored Pod Should Match`.

        Args:
            name: of the pod.
            namespace: of the pod.
            inside: looks into its containers, too: of the process with PID 1 the user, groups, capabilities, seccomp
                mode and environment, and the host name. It runs `cat` and `hostname` there, so it is not for the time
                around a checkpoint.
            files: paths whose contents are remembered, such as a mounted ConfigMap's; with `inside` only.
            timeout: for each of those commands.
            cluster: alias; the first started cluster by default.

        Returns:
            What it was: `pod`, with the API's field names, and `inside`, what each container showed.

        Raises:
            NotAsExpected: there is no such pod, or a container does not tell.

        Example:

            ${before}=    Remember Pod    web    my-tests    inside=True
            Log    ${before.inside}[web][CapEff]
        """
        where = CLUSTERS.get(cluster)
        pod = facts.pod(where, namespace, name)
        look = Look(tuple(files or ()), timeout.total_seconds())
        shown = remembered.look_inside(where, pod, look) if inside else {}
        logger.info(f"Remembered pod {name}{' and what it shows inside' if inside else ''}.")
        return RememberedPod(dotted(pod), shown, look)

    @keyword(tags=["assertion"])
    def restored_pod_should_match(
        self,
        before: RememberedPod,
        restored: dict[str, Any],
        *,
        may_differ: list[str] | None = None,
        cluster: str | None = None,
    ) -> None:
        """Fails when the restored pod is not, field by field, what the pod was; shows the differences as a table.

        Compared are the whole spec (images, command, arguments, environment, ports, probes, resources, security
        contexts, volumes and mounts, references to ConfigMaps and Secrets, service account, node constraints, restart
        policy, host name, priority ...), namespace, labels, annotations and owners, and of the status image IDs and QoS
        class. No container may have restarted. The node must meet the pod's nodeSelector and required node affinity.
        Where `Remember Pod` looked inside, the containers must show the same as then.

        In each running container the process with PID 1 must have been started with it: not before the kubelet took the
        pod over (`status.startTime`), and not more than 5 s after the container's `startedAt`, which must not be that
        of the original. Its start is that of the restore, for the kernel has no older one for it: what lies before is
        a process that was never restored, and a `startedAt` before it was carried over. That is read by `cat` in the
        container, so this keyword is not for the time around a checkpoint. Where it cannot be known, the log says why,
        and it is left out: no `cat` in the image, a pod with `hostPID` or `shareProcessNamespace`, a node whose clock
        was set meanwhile.

        These may differ, and nothing else:

        - name, UID, times, resourceVersion, conditions, addresses: they are another pod's, and not compared
        - `metadata.labels` and `metadata.annotations` of `cedana.ai/...`, which are the product's own
        - `metadata.annotations` that the pod did not have, and those of the node's network and of kubectl
        - `spec.nodeName`: the scheduler chooses
        - `spec.runtimeClassName`, set to `cedana`, and what comes with that RuntimeClass: `spec.overhead`, and of
          `cedana.ai/...` in `spec.nodeSelector` and `spec.tolerations`
        - `spec.hostname`, set to the original's name, which the process knows
        - the generated name of the volume with the service account's token
        - `spec.ephemeralContainers`: containers to debug with are not restored
        - `spec.containers[*].image` and `imagePullPolicy`: a checkpoint image, which is one of another repository under
          which the node shows the very image ID of before
        - `status.containerStatuses[*].imageID`: another repository's name for that digest
        - `status.containerStatuses[*].restartCount`: 0, whatever it was

        Args:
            before: the pod as `Remember Pod` remembered it.
            restored: the pod that was restored, as `Wait Until Restored Pod Is Ready` returned it. It is read anew.
            may_differ: further fields that may differ, with all that is below them: `metadata.ownerReferences`,
                `spec.containers[*].image`; `*` stands for anything. The start of a container's process goes by the
                name `status.containerStatuses[*].state.running.startedAt`.
            cluster: alias of the restored pod's cluster; the first started cluster by default.

        Raises:
            NotAsExpected: it differs (cause `pod-changed`), or it is gone.
            BadInput: a path in `may_differ` cannot be one.

        Example:

            VAR    @{may_differ}    metadata.ownerReferences
            Restored Pod Should Match    ${before}    ${restored}    may_differ=${may_differ}
        """
        metadata = restored["metadata"]
        where = CLUSTERS.get(cluster)
        now = facts.pod(where, metadata["namespace"], metadata["name"])
        begun = starts.look(where, now, before.pod, before.at, before.look.timeout)
        for start in begun:
            logger.info(str(start))
        found = remembered.compare(where, before, now, begun, may_differ or [])
        if found:
            logger.info(remembered.as_html(found), html=True)
            raise remembered.changed(before, metadata["name"], found)
        logger.info(f"Pod {metadata['name']} is as pod {before.pod['metadata']['name']} was.")
