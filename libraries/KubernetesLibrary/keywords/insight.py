"""Keywords that look into pods and nodes."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword
from robot.utils import DotDict

from harness.kube import CLUSTERS, api_errors, pods

from .. import facts, logs
from ..execution import Execution, Place, execute
from .answers import all_dotted


class InsightKeywords:
    """Logs, events, commands in containers, nodes."""

    @keyword
    def get_pod_logs(
        self,
        name: str,
        namespace: str,
        *,
        container: str | None = None,
        previous: bool = False,
        timestamps: bool = False,
        cluster: str | None = None,
    ) -> str:
        """Reads the log of a pod's container.

        Args:
            name: of the pod.
            namespace: of the pod.
            container: needed where the pod has more than one.
            previous: of the container before its last restart.
            timestamps: each line with the container runtime's timestamp in front.
            cluster: alias; the first started cluster by default.

        Returns:
            The log as text.

        Raises:
            OperationFailed: no such pod, or the container has no such log.

        Example:

            ${log}=    Get Pod Logs    web    my-tests
            Should Contain    ${log}    witness/1
        """
        with api_errors(f"read the log of pod {namespace}/{name}"):
            lines = pods.read_log(
                CLUSTERS.get(cluster), namespace, name, container, previous=previous, timestamps=timestamps
            )
        logger.info(f"{len(lines)} lines of the log of pod {name}.")
        return "\n".join(lines)

    @keyword
    def wait_until_pod_log_matches(
        self,
        name: str,
        namespace: str,
        pattern: str,
        *,
        container: str | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> list[str]:
        """Waits until a line in the log of a pod's container matches.

        Args:
            name: of the pod.
            namespace: of the pod.
            pattern: a regular expression for a part of a line.
            container: needed where the pod has more than one.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            The last line that matches: the part of it that does, and after that what is in each pair of parentheses.

        Raises:
            WaitTimedOut: none does; tells the last line (cause `evidence-missing`).
            BadInput: the pattern is no regular expression.
            OperationFailed: the cluster refuses.

        Example:

            ${found}=    Wait Until Pod Log Matches    web    my-tests    step=([0-9]+)
            Log    ${found}[1]
        """
        place = Place(namespace, name, container)
        found = logs.wait_until_matches(CLUSTERS.get(cluster), place, pattern, timeout.total_seconds())
        logger.info(f"In the log of pod {name}: {found[0]}")
        return found

    @keyword
    def get_pod_events(self, name: str, namespace: str, *, cluster: str | None = None) -> list[DotDict]:
        """Lists the events of a pod, the latest last. It need not exist any more.

        Args:
            name: of the pod.
            namespace: of the pod.
            cluster: alias; the first started cluster by default.

        Returns:
            The events, with the API's field names: `type`, `reason`, `message`, `count` ...

        Raises:
            OperationFailed: the cluster refuses.

        Example:

            ${events}=    Get Pod Events    web    my-tests
            Log    ${events}[-1][reason]
        """
        found = facts.events(CLUSTERS.get(cluster), namespace, name)
        for event in found:
            logger.info(f"{event.get('type')} {event.get('reason')}: {event.get('message')}")
        return all_dotted(found)

    @keyword
    def execute_in_pod(
        self,
        name: str,
        namespace: str,
        *command: str,
        container: str | None = None,
        exit_code: int | None = 0,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> Execution:
        """Runs a command in a container of a pod, without a shell.

        An established connection into a pod makes a checkpoint of it fail, so this is not for the time around one.

        Args:
            name: of the pod.
            namespace: of the pod.
            command: the program and each of its arguments.
            container: needed where the pod has more than one.
            exit_code: what the command must end with; `${NONE}` for anything.
            timeout: how long it may run.
            cluster: alias; the first started cluster by default.

        Returns:
            What it did: `exit_code`, `stdout`, `stderr`.

        Raises:
            NotAsExpected: another exit code; says what the command said.
            WaitTimedOut: it runs on.
            OperationFailed: no such pod or container, or the command cannot be started.

        Example:

            ${result}=    Execute In Pod    web    my-tests    cat    /etc/hostname
            Log    ${result.stdout}
        """
        place = Place(namespace, name, container)
        result = execute(CLUSTERS.get(cluster), place, command, timeout.total_seconds(), exit_code)
        logger.info(f"{' '.join(command)}: {result}")
        return result

    @keyword
    def get_node_facts(self, *, cluster: str | None = None) -> list[DotDict]:
        """Asks what the cluster's nodes are, by name.

        Args:
            cluster: alias; the first started cluster by default.

        Returns:
            For each node `name`, `ready`, `emulated`, `unschedulable`, `conditions` (status by type), `capacity` and
            `nodeInfo` (the API's: `kubeletVersion`, `containerRuntimeVersion`, `kernelVersion`, `osImage` ...).

        Raises:
            OperationFailed: the cluster refuses.

        Example:

            ${nodes}=    Get Node Facts
            Log    ${nodes[0].nodeInfo.containerRuntimeVersion}
        """
        found = facts.nodes(CLUSTERS.get(cluster))
        for node in found:
            logger.info(f"Node {node['name']} is {'Ready' if node['ready'] else 'not Ready'}.")
        return all_dotted(found)
