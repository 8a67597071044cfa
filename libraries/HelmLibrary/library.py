"""The keywords: arguments, types, documentation and logging over `operations`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from robot.api import logger
from robot.api.deco import keyword, library
from robot.api.types import Secret

from harness import VERSION
from harness.failures import NotAsExpected
from harness.kube import CLUSTERS
from harness.kube.objects import PodSecurity

from . import tales
from .chart_keywords import ChartKeywords
from .charts import chart_of, check_namespace, check_release
from .engines import EngineChoice
from .operations import Helm, namespaces_with_releases
from .releases import Order, Release
from .values import masked, values_of


@library(scope="GLOBAL", version=VERSION, doc_format="MARKDOWN")
class HelmLibrary(ChartKeywords):
    """Charts and releases, by the real Helm.

    A `helm` on PATH (3.8 or later, or 4) is used; where there is none, the wheel `helm-python-sdk`, which is Helm 4 as
    a shared library. Helm's own files stay in the run's directory; the settings and repositories of the user's Helm
    are neither read nor changed. Values go to Helm in a private file or over a pipe, never on a command line.

    A release that this library installs stands in the ledger before, so that it is removed whatever happens to the run.
    With `wait`, a release counts as ready when its pods are, not when Helm believes so.

    `cluster` is the alias of a cluster that was started or connected; the first one when it is not given. `timeout` is
    a duration such as `2 min`, for the whole keyword.
    """

    def __init__(self, engine: EngineChoice = EngineChoice.AUTO) -> None:
        """`engine` says where Helm comes from: `auto`, `command` (PATH only) or `wheel`."""
        super().__init__(engine)

    @keyword(tags=["helm"])
    def install_chart(
        self,
        release: str,
        chart: str,
        *,
        namespace: str = "default",
        values: dict[str, Any] | None = None,
        values_file: Path | None = None,
        version: str | None = None,
        repo: str | None = None,
        create_namespace: bool = False,
        pod_security: PodSecurity | None = None,
        wait: bool = True,
        timeout: timedelta = timedelta(minutes=5),
        cluster: str | None = None,
    ) -> Release:
        """Installs a chart as a new release.

        Args:
            release: its name; one that is there already is an error.
            chart: a chart's directory, a `.tgz` archive, an `oci://` reference, or a name in `repo`.
            namespace: where to; see `create_namespace`.
            values: a dictionary, nested as in a values file; a `Secret` in it stays masked in every log.
            values_file: a YAML file of values; `values` wins over it.
            version: of the chart, for `oci://` and `repo`; the newest one when it is not given.
            repo: URL of the chart repository that has `chart`.
            create_namespace: create the namespace if there is none; it is then removed at the end of the run.
            pod_security: the Pod Security level of a namespace that is created; the cluster's default when not given.
            wait: until every pod of the release is Ready.
            timeout: for all of it.
            cluster: alias of the cluster.

        Returns:
            The release: name, namespace, revision, status, chart, app_version, updated, description.

        Raises:
            BadInput: a name, chart or values file that cannot be used; nothing was created.
            OperationFailed: Helm refuses or fails; the cause tells why (`bad-chart`, `image-pull`, `quota` ...).
            WaitTimedOut: a pod is not Ready in time; says which and why.

        ```robotframework
        VAR    &{config}    authToken=${TOKEN}    url=${URL}    clusterId=${ID}
        VAR    &{values}    config=${config}
        Install Chart    cedana    oci://registry-1.docker.io/cedana/cedana-helm    namespace=cedana-system
        ...    create_namespace=True    pod_security=privileged    values=${values}    timeout=7 min
        ```
        """
        check_release(release)
        wanted = chart_of(chart, version, repo)
        given = values_of(values, values_file, _reveal)
        order = Order(wanted, given, wait, timeout.total_seconds())
        helm = self._helm(namespace, cluster)
        tales.offer(helm, namespace, release)
        installed = helm.install(release, order, create_namespace=create_namespace, pod_security=pod_security)
        return _told(installed)

    @keyword(tags=["helm"])
    def upgrade_chart(
        self,
        release: str,
        chart: str,
        *,
        namespace: str = "default",
        values: dict[str, Any] | None = None,
        values_file: Path | None = None,
        version: str | None = None,
        repo: str | None = None,
        wait: bool = True,
        timeout: timedelta = timedelta(minutes=5),
        cluster: str | None = None,
    ) -> Release:
        """Upgrades a release to a chart with exactly the values given; those of earlier revisions are not reused.

        Args:
            release: name of a release that is there.
            chart: as for `Install Chart`.
            namespace: of the release.
            values: as for `Install Chart`.
            values_file: as for `Install Chart`.
            version: as for `Install Chart`.
            repo: as for `Install Chart`.
            wait: until every pod of the new revision is Ready.
            timeout: for all of it.
            cluster: alias of the cluster.

        Returns:
            The release at its new revision.

        Raises:
            BadInput: a name, chart or values file that cannot be used; nothing was changed.
            OperationFailed: no such release, or Helm refuses or fails.
            WaitTimedOut: a pod is not Ready in time.

        ```robotframework
        Upgrade Chart    cedana    ${CHART}    namespace=cedana-system    values=${values}
        ```
        """
        check_release(release)
        wanted = chart_of(chart, version, repo)
        given = values_of(values, values_file, _reveal)
        order = Order(wanted, given, wait, timeout.total_seconds())
        helm = self._helm(namespace, cluster)
        tales.offer(helm, namespace, release)
        return _told(helm.upgrade(release, order))

    @keyword(tags=["helm"])
    def rollback_release(
        self,
        release: str,
        revision: int | None = None,
        *,
        namespace: str = "default",
        wait: bool = True,
        timeout: timedelta = timedelta(minutes=5),
        cluster: str | None = None,
    ) -> Release:
        """Rolls a release back to an earlier revision, which makes a new revision.

        Args:
            release: name of the release.
            revision: which one to go back to; the one before the newest when it is not given.
            namespace: of the release.
            wait: until every pod is Ready.
            timeout: for all of it.
            cluster: alias of the cluster.

        Returns:
            The release at its new revision.

        Raises:
            OperationFailed: no such release or revision, or Helm fails.
            WaitTimedOut: a pod is not Ready in time.

        ```robotframework
        Rollback Release    cedana    1    namespace=cedana-system
        ```
        """
        check_release(release)
        return _told(
            self._helm(namespace, cluster).rollback(release, revision, wait=wait, timeout=timeout.total_seconds())
        )

    @keyword(tags=["helm"])
    def uninstall_release(
        self,
        release: str,
        *,
        namespace: str = "default",
        wait: bool = True,
        timeout: timedelta = timedelta(minutes=3),
        cluster: str | None = None,
    ) -> None:
        """Uninstalls a release.

        Objects that the chart keeps on purpose (`helm.sh/resource-policy: keep`) are removed too where this run
        brought the release: first its uninstaller is given the time to end its work. Otherwise they are only named in
        the log. A namespace that this run created stays until the end of the run.

        Args:
            release: name of the release; it is an error when there is none.
            namespace: of the release.
            wait: until its objects are gone.
            timeout: for all of it.
            cluster: alias of the cluster.

        Raises:
            OperationFailed: no such release, or Helm fails.
            WaitTimedOut: the chart's uninstaller does not end, or something does not go away.

        ```robotframework
        Uninstall Release    cedana    namespace=cedana-system
        ```
        """
        check_release(release)
        left = self._helm(namespace, cluster).uninstall(release, wait=wait, timeout=timeout.total_seconds())
        tales.withdraw(namespace, release)
        if left.kept:
            names = ", ".join(str(thing) for thing in left.kept)
            logger.info(f"The chart keeps {names}: {'removed' if left.removed else 'left there, not ours to remove'}.")

    @keyword(tags=["helm", "assertion"])
    def release_should_be_deployed(
        self, release: str, *, namespace: str = "default", may_be_missing: bool = False, cluster: str | None = None
    ) -> Release | None:
        """Fails unless the newest revision of the release has the status `deployed`.

        Args:
            release: name of the release.
            namespace: of the release.
            may_be_missing: that there is no such release is fine, too.
            cluster: alias of the cluster.

        Returns:
            The release; None where there is none.

        Raises:
            NotAsExpected: no such release, or another status; Helm's description of it is in the message.

        ```robotframework
        Release Should Be Deployed    cedana    namespace=cedana-system
        ```
        """
        check_release(release)
        helm = self._helm(namespace, cluster)
        found = helm.find(release) if may_be_missing else helm.get(release)
        if found and found.status != "deployed":
            raise NotAsExpected(
                f"release {release} to be deployed",
                f"{found}. Helm's description: {found.description or 'none'}",
                "`Get Release` and the pods of the release",
                cause="helm-failed",
            )
        return found

    @keyword(tags=["helm", "wait"])
    def wait_until_release_is_ready(
        self,
        release: str,
        *,
        namespace: str = "default",
        timeout: timedelta = timedelta(minutes=5),
        cluster: str | None = None,
    ) -> None:
        """Waits until every pod of the release's Deployments, StatefulSets and DaemonSets is Ready.

        Args:
            release: name of the release.
            namespace: of the release.
            timeout: how long to wait.
            cluster: alias of the cluster.

        Raises:
            WaitTimedOut: names the first workload that is not, and why its pod is not Ready.

        ```robotframework
        Wait Until Release Is Ready    cedana    namespace=cedana-system    timeout=2 min
        ```
        """
        self._helm(namespace, cluster).wait_until_ready(release, timeout.total_seconds())

    @keyword(tags=["helm", "getter"])
    def get_release(self, release: str, *, namespace: str = "default", cluster: str | None = None) -> Release:
        """Gets the newest revision of a release.

        Args:
            release: name of the release.
            namespace: of the release.
            cluster: alias of the cluster.

        Returns:
            The release: name, namespace, revision, status, chart, app_version, updated, description.

        Raises:
            NotAsExpected: there is no such release; says which there are.

        ```robotframework
        ${release}=    Get Release    cedana    namespace=cedana-system
        Should Be Equal As Integers    ${release.revision}    1
        ```
        """
        check_release(release)
        return self._helm(namespace, cluster).get(release)

    @keyword(tags=["helm", "getter"])
    def get_release_values(
        self, release: str, *, namespace: str = "default", computed: bool = False, cluster: str | None = None
    ) -> dict[str, Any]:
        """Gets the values that a release was given, with secrets masked.

        Args:
            release: name of the release.
            namespace: of the release.
            computed: together with the chart's defaults.
            cluster: alias of the cluster.

        Returns:
            A dictionary, nested as in a values file. Known secrets, and whatever stands under a name that sounds like
            one (token, secret, password, credential, access key), are masked.

        Raises:
            OperationFailed: there is no such release, or Helm fails.

        ```robotframework
        ${values}=    Get Release Values    cedana    namespace=cedana-system
        Should Be Equal    ${values}[config][clusterId]    ${ID}
        ```
        """
        check_release(release)
        found: dict[str, Any] = masked(self._helm(namespace, cluster).get_values(release, computed=computed))
        return found

    @keyword(tags=["helm", "getter"])
    def list_releases(self, namespace: str | None = None, *, cluster: str | None = None) -> list[Release]:
        """Lists the newest revision of each release, whatever its status.

        Args:
            namespace: of the releases; all namespaces when it is not given.
            cluster: alias of the cluster.

        Returns:
            The releases; an empty list where there are none.

        Raises:
            OperationFailed: Helm cannot read the releases.

        ```robotframework
        ${releases}=    List Releases
        Should Be Empty    ${releases}
        ```
        """
        if namespace is not None:
            return self._helm(namespace, cluster).releases()
        return self._helm("default", cluster).releases(namespaces_with_releases(CLUSTERS.get(cluster)))

    def _helm(self, namespace: str, cluster: str | None) -> Helm:
        check_namespace(namespace)
        where = CLUSTERS.get(cluster)
        return Helm(self._engine(), where, namespace)


def _reveal(value: Any) -> str | None:
    return value.value if isinstance(value, Secret) else None


def _told(release: Release) -> Release:
    logger.info(f"{release}.")
    return release
