"""Keywords for files in containers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import BadInput
from harness.kube import CLUSTERS

from .. import facts, files, lookup
from ..execution import Place, execute


class FileKeywords:
    """Files in containers. They are looked at by commands there, so not around the time of a checkpoint."""

    @keyword
    def write_file_in_pod(
        self,
        name: str,
        namespace: str,
        path: str,
        content: str,
        *,
        container: str | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> None:
        """Writes a line into a file of a container, by a shell there.

        Args:
            name: of the pod.
            namespace: of the pod.
            path: of the file; its directory must be there.
            content: the line.
            container: needed where the pod has more than one.
            timeout: how long it may take.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: the file cannot be written.
            OperationFailed: no such pod or container, or it has no shell.

        Example:

            Write File In Pod    web    my-tests    /srv/order    blue
        """
        command = ("sh", "-c", 'printf "%s\\n" "$2" > "$1"', "sh", path, content)
        execute(CLUSTERS.get(cluster), Place(namespace, name, container), command, timeout.total_seconds(), 0)
        logger.info(f"Wrote {path} in pod {name}.")

    @keyword
    def wait_until_file_in_pod_holds(
        self,
        name: str,
        namespace: str,
        path: str,
        content: str,
        *,
        container: str | None = None,
        cause: str | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> None:
        """Waits until a file of a container has a content.

        Args:
            name: of the pod.
            namespace: of the pod.
            path: of the file.
            content: all of it; line ends at its end do not count.
            container: needed where the pod has more than one.
            cause: name of the cause of a failure, where the file tells of something else than files.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Raises:
            WaitTimedOut: says what it held last; without `cause` it has the one that `File In Pod Should Hold` has.

        Example:

            Wait Until File In Pod Holds    web    my-tests    /srv/order    blue
        """
        file = _file(cluster, Place(namespace, name, container), path, timeout)
        files.wait_until_it_holds(replace(file, cause=cause or file.cause), content)

    @keyword(tags=["assertion"])
    def file_in_pod_should_hold(
        self,
        name: str,
        namespace: str,
        path: str,
        content: str,
        *,
        mode: str | None = None,
        container: str | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> None:
        """Fails unless a file of a container has a content.

        Args:
            name: of the pod.
            namespace: of the pod.
            path: of the file.
            content: all of it; line ends at its end do not count.
            mode: its permission bits, as chmod has them: `640`.
            container: needed where the pod has more than one.
            timeout: how long each command may take.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: it is missing, or holds something else, or has another mode. The cause is `files-lost` for a
                pod that was found as a restored one.
            BadInput: `mode` is no mode.

        Example:

            File In Pod Should Hold    web    my-tests    /srv/order    blue    mode=644
        """
        bits = _bits(mode)
        files.should_hold(_file(cluster, Place(namespace, name, container), path, timeout), content, bits)

    @keyword(tags=["assertion"])
    def file_in_pod_should_not_exist(
        self,
        name: str,
        namespace: str,
        path: str,
        *,
        container: str | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> None:
        """Fails when a container has a file of that name.

        Args:
            name: of the pod.
            namespace: of the pod.
            path: of the file.
            container: needed where the pod has more than one.
            timeout: how long the command may take.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: it is there; cause as `File In Pod Should Hold` has it.

        Example:

            File In Pod Should Not Exist    web    my-tests    /srv/no-such-file
        """
        files.should_not_exist(_file(cluster, Place(namespace, name, container), path, timeout))

    @keyword(tags=["assertion"])
    def file_in_pod_should_count_up(
        self,
        name: str,
        namespace: str,
        path: str,
        *,
        beyond: int = 0,
        container: str | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> int:
        """Fails unless line n of a file is the number n, as a process writes it that keeps its place.

        A line may have its number several times, with blanks between. The file may be growing; a last line without an
        end is not looked at.

        Args:
            name: of the pod.
            namespace: of the pod.
            path: of the file.
            beyond: it must have more lines than that, which is waited for.
            container: needed where the pod has more than one.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            How many lines it has.

        Raises:
            NotAsExpected: a line is another number; cause as `File In Pod Should Hold` has it.
            WaitTimedOut: there is no file, or it does not get so many lines; with that cause, too.

        Example:

            Execute In Pod    web    my-tests    sh    -c    seq 3 > /srv/numbers
            ${lines}=    File In Pod Should Count Up    web    my-tests    /srv/numbers    beyond=2
            Should Be Equal As Integers    ${lines}    3
        """
        lines = files.should_count_up(_file(cluster, Place(namespace, name, container), path, timeout), beyond)
        logger.info(f"{path} in pod {name} has {lines} lines, all of them right.")
        return lines


def _file(cluster: str | None, place: Place, path: str, timeout: timedelta) -> files.File:
    where = CLUSTERS.get(cluster)
    pod = facts.pod(where, place.namespace, place.pod)
    cause = "files-lost" if lookup.is_known_as_restored(where, pod) else "unknown"
    return files.File(where, place, path, timeout.total_seconds(), cause)


def _bits(mode: str | None) -> int | None:
    if mode is None:
        return None
    try:
        return int(mode, 8)
    except ValueError:
        raise BadInput("mode", mode, "permission bits as chmod has them, such as 640", cause="suite-error") from None
