"""Clusters for a run: brought up by a provider, awaited, described, taken down without a trace."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from robot.api import logger
from robot.api.deco import keyword, library
from robot.api.types import Secret
from robot.utils import DotDict

from harness import VERSION
from harness.failures import BadInput, NotAsExpected
from harness.kube import CLUSTERS, Cluster
from harness.ledger import LEDGER
from harness.removal import Removal

from .cleanup import CleanUp, sweep_dead_runs
from .keeping import find_kept, reached, told, write_token
from .native.binary import DEFAULT_VERSION
from .nodes import facts, wait_until_nodes_ready
from .preflight_keywords import PreflightKeywords
from .providers import (
    PROVIDERS,
    DockerOptions,
    DockerProvider,
    ExistingProvider,
    NativeOptions,
    NativeProvider,
    Provider,
)
from .providers.base import Started

ProviderName = Literal["sandbox", "k3s", "docker", "existing"]
MAIN = "main"


@library(scope="GLOBAL", version=VERSION, doc_format="MARKDOWN")
class K3sLibrary(PreflightKeywords):
    """Clusters for a run, and the end of a run.

    A cluster comes from a *provider*: `sandbox` is the embedded, emulated one, `k3s` a k3s that runs natively on this
    host (Linux, as root), `docker` one in containers of a Docker daemon, `existing` is the cluster of a kubeconfig.
    Each cluster has an *alias*; keywords of all libraries take it as `cluster=`, and use the first cluster that was
    started when it is left out.

    Whatever a run makes is written to a ledger before it is made. `Remove Everything This Run Made` works from it,
    and after a run that was killed `Remove Leftovers` does, or `PYTHONPATH=libraries python -m harness.ledger sweep`.
    """

    def __init__(self) -> None:
        self._providers: dict[str, Provider] = {}
        self._started: dict[str, Started] = {}
        self._ended: list[Provider] = []
        self._clean_up = CleanUp()

    @keyword
    def start_cluster(
        self,
        provider: ProviderName = "sandbox",
        *,
        kubeconfig: Path | None = None,
        context: str | None = None,
        alias: str = MAIN,
        timeout: timedelta = timedelta(minutes=5),
        keep: bool = False,
        version: str = DEFAULT_VERSION,
        binary: Path | None = None,
        images: Path | None = None,
        directory: Path | None = None,
        image: str | None = None,
        nodes: int = 1,
        registries: Path | None = None,
        cgroupns: Literal["private", "host"] | None = None,
    ) -> DotDict:
        """Brings a cluster up and waits until all its nodes are Ready.

        Args:
            provider: where the cluster comes from.
            kubeconfig: path of a kubeconfig, for `existing`; `~/.kube/config` by default.
            context: a context in it; its current one by default.
            alias: the name by which `cluster=` of other keywords knows it.
            timeout: for the start without a download, and then for the nodes to be Ready.
            keep: the cluster may have to outlive this run.
            version: of the k3s release, for `k3s` without `binary` and `docker` without `image`.
            binary: a k3s on this host, for `k3s`.
            images: a tarball of images to import at the start, for `k3s` and `docker` where no registry is reached.
            directory: where the files of a `k3s` lie; by default below `/var/lib/cedana-e2e`.
            image: of k3s, for `docker`; that of `version` by default.
            nodes: how many containers make the cluster, for `docker`: a server, and agents.
            registries: a registries.yaml of k3s with mirrors for registries, for `docker`.
            cgroupns: cgroup namespace of the containers, for `docker`; as the daemon does it by default.

        Returns:
            The facts of `Get Cluster Facts`.

        Raises:
            BadInput: the alias is taken, or there is no such kubeconfig, binary or tarball.
            OperationFailed: the cluster did not start, or its API refuses; or this host cannot carry a `k3s`, which
                lists everything that is missing before anything is made.
            WaitTimedOut: a node did not become Ready; it is named.

        Example:

            ${cluster}=    Start Cluster    sandbox
            Log    ${cluster.version}
        """
        if alias in self._providers:
            raise BadInput("alias", alias, "one that no started cluster has")
        brought = PROVIDERS[provider]()
        if isinstance(brought, NativeProvider):
            brought.options = NativeOptions(version, binary, images, directory or NativeOptions.directory, _tell)
        if isinstance(brought, DockerProvider):
            brought.options = DockerOptions(version, image, nodes, images, registries, cgroupns)
        self._providers[alias] = brought
        started = brought.start(kubeconfig=kubeconfig, context=context, timeout=timeout.total_seconds(), keep=keep)
        return self._joined(alias, started, provider, timeout.total_seconds())

    @keyword
    def attach_to_kept_cluster(
        self,
        run: str,
        *,
        alias: str = MAIN,
        token: Secret | None = None,
        timeout: timedelta = timedelta(minutes=1),
    ) -> DotDict:
        """Uses the cluster, propagator and chart of a run that has kept its environment, and never takes them down.

        Args:
            run: the id of that run, as it told at its end and `python -m harness.ledger list` shows.
            alias: the name by which `cluster=` of other keywords knows the cluster.
            token: for a propagator that the other run did not bring up itself, so that it kept no token of it.
            timeout: for the nodes to be Ready.

        Returns:
            The facts of `Get Cluster Facts`.

        Raises:
            BadInput: no run of that id has kept anything, which names those that have; the alias is taken; or there
                is no token.
            OperationFailed: the cluster does not answer.
            WaitTimedOut: a node did not become Ready; it is named.

        Example:

            ${cluster}=    Attach To Kept Cluster    1a2b3c4d    alias=kept
            Log    ${cluster.propagator_url}
        """
        kept = find_kept(run)
        if alias in self._providers:
            raise BadInput("alias", alias, "one that no started cluster has")
        started = kept.started if kept.started.token or token is None else replace(kept.started, token=token.value)
        if not started.token:
            raise BadInput("CEDANA_AUTH_TOKEN", "", "the token that the run was given which kept the environment")
        self._providers[alias] = ExistingProvider()
        return self._joined(alias, started, kept.provider, timeout.total_seconds())

    def _joined(self, alias: str, started: Started, provider: str, timeout: float) -> DotDict:
        self._started[alias] = started
        cluster = CLUSTERS.add(Cluster(alias, started.kubeconfig, started.context, provider))
        wait_until_nodes_ready(cluster, timeout)
        _ = cluster.uid  # read while it answers; the ledger needs it later on
        found = self.get_cluster_facts(cluster=alias)
        logger.info(str(found.title))
        return found

    @keyword
    def cluster_should_be_ready(self, *, cluster: str | None = None, timeout: timedelta = timedelta(minutes=1)) -> None:
        """Waits until every node of the cluster is Ready.

        Args:
            cluster: alias; the first started cluster by default.
            timeout: how long to wait.

        Raises:
            WaitTimedOut: names the nodes that are not Ready and why.

        Example:

            Cluster Should Be Ready    timeout=2 min
        """
        wait_until_nodes_ready(CLUSTERS.get(cluster), timeout.total_seconds())

    @keyword
    def get_cluster_facts(self, *, cluster: str | None = None) -> DotDict:
        """Asks the cluster what it is.

        Args:
            cluster: alias; the first started cluster by default.

        Returns:
            A dictionary with dotted access: `alias`, `provider`, `version`, `emulated`, `nodes`, `title`,
            `kubeconfig`, `context`, `run` (the id of this run, for names of its own), and `propagator_url`, `token`
            (a Secret), `chart` where the provider brings a propagator and a chart along (else None), and
            `second_kubeconfig` where a second cluster comes along with them.

        Raises:
            OperationFailed: the cluster does not answer.

        Example:

            ${facts}=    Get Cluster Facts
            Log    ${facts.nodes}[0][kubelet]
        """
        known = CLUSTERS.get(cluster)
        found = facts(known)
        started = self._started.get(known.alias, Started(known.kubeconfig, known.context))
        return DotDict(
            **asdict(found) | {"nodes": tuple({**node, **started.tools} for node in found.nodes)},
            title=str(found),
            run=LEDGER.run_id,
            kubeconfig=str(known.kubeconfig),
            context=known.context,
            propagator_url=started.propagator_url,
            token=Secret(started.token) if started.token else None,
            chart=started.chart,
            second_kubeconfig=started.second_kubeconfig,
        )

    @keyword
    def stop_cluster(self, *, cluster: str | None = None, timeout: timedelta = timedelta(seconds=30)) -> None:
        """Takes a cluster down. One of the provider `existing` is only let go of.

        Args:
            cluster: alias; the first started cluster by default.
            timeout: for the cluster's end.

        Raises:
            OperationFailed: it does not end.

        Example:

            Start Cluster    sandbox    alias=other
            Stop Cluster    cluster=other
        """
        alias = CLUSTERS.get(cluster).alias
        brought = self._providers.pop(alias)
        brought.stop(timeout.total_seconds())
        self._ended.append(brought)
        self._started.pop(alias, None)
        CLUSTERS.discard(alias)

    @keyword
    def remove_everything_this_run_made(self, *, timeout: timedelta = timedelta(minutes=5)) -> list[str]:
        """Removes what this run made, newest first, and goes on past what cannot be removed.

        Only what stands in the run's ledger is removed. What is left is told by `Nothing Should Be Left`.

        Args:
            timeout: for all of it.

        Returns:
            A line for each thing: what it was and what became of it.

        Example:

            Remove Everything This Run Made    timeout=2 min
            Nothing Should Be Left
        """
        lines = []

        def tell(removal: Removal) -> None:
            lines.append(str(removal))
            logger.write(str(removal), "WARN" if removal.left else "INFO")

        try:
            self._clean_up.run(timeout.total_seconds(), tell)
        finally:
            for alias in list(self._providers):
                CLUSTERS.discard(alias)
            self._ended += self._providers.values()
            self._providers.clear()
            self._started.clear()
        return lines

    @keyword
    def list_leftovers(self) -> list[str]:
        """Lists what this run made and is still there.

        Returns:
            A line for each thing, with the reason why it is not gone.

        Example:

            ${left}=    List Leftovers
            Should Be Empty    ${left}
        """
        return self._clean_up.left()

    @keyword(tags=["assertion"])
    def nothing_should_be_left(self) -> list[str]:
        """Fails with a list by name when something that this run made is still there.

        Returns:
            A line for each thing that was removed.

        Raises:
            NotAsExpected: lists what is left; cause `leftovers`.

        Example:

            Nothing Should Be Left
        """
        self._clean_up.nothing_should_be_left()
        return [str(removal.entry) for removal in self._clean_up.removals]

    @keyword(tags=["assertion"])
    def cluster_should_leave_no_trace(self) -> None:
        """Fails with a list when a cluster that was taken down left something on this host.

        Raises:
            NotAsExpected: lists the processes, files and open ports that are still there; cause `leftovers`.

        Example:

            Start Cluster    sandbox    alias=short-lived
            Stop Cluster    cluster=short-lived
            Cluster Should Leave No Trace
        """
        traces = [trace for brought in self._ended for trace in brought.traces()]
        if traces:
            raise NotAsExpected("no trace of a stopped cluster on this host", "; ".join(traces), cause="leftovers")

    @keyword
    def remove_leftovers(self, *, propagator_url: str = "", timeout: timedelta = timedelta(minutes=2)) -> list[str]:
        """Removes what runs left behind that were killed, on the clusters of this run.

        Live runs and kept environments are left alone, and so is what stands on other clusters: the command
        `PYTHONPATH=libraries python -m harness.ledger sweep` removes that, too.

        Args:
            propagator_url: the propagator of this run, whose registrations and checkpoints are then looked at as well.
            timeout: for all of it.

        Returns:
            A line for each thing that is still left; each is a warning in the log too.

        Example:

            Remove Leftovers
        """
        within_reach = {str(cluster.kubeconfig) for cluster in CLUSTERS.all()} | {propagator_url}
        left = []
        for run, removal in sweep_dead_runs(timeout.total_seconds(), within_reach):
            logger.write(f"of the dead run {run}: {removal}", "WARN" if removal.left else "INFO")
            left += [str(removal)] if removal.left else []
        return left

    @keyword
    def keep_everything_this_run_made(
        self, *, namespace: str = "", propagator_url: str = "", token_file: Path | None = None
    ) -> None:
        """Leaves the environment up and prints how to reach it, and the one command that removes it.

        The token of a propagator that came with a cluster of this run is put into a file with mode 0600.

        Args:
            namespace: of the workloads, to be told.
            propagator_url: to be told.
            token_file: the file with the token of a propagator that the run has started itself.

        Example:

            Keep Everything This Run Made    namespace=my-tests
        """
        token = next((one.token for one in self._started.values() if one.token), None)
        brought = token and propagator_url in {"", *self._propagators()}
        tokens = token_file or (write_token(token) if token and brought else None)
        main = next(iter(CLUSTERS.all()), None)
        known = main and self._started.get(main.alias, Started(main.kubeconfig, main.context))
        LEDGER.keep(**(reached(main, known, propagator_url, tokens) if main and known else {}))
        text = told(CLUSTERS.all(), namespace, propagator_url, tokens)
        logger.write(text, "INFO")
        logger.console(f"\n{text}")

    def _propagators(self) -> set[str]:
        return {one.propagator_url for one in self._started.values() if one.propagator_url}


def _tell(line: str, warning: bool) -> None:
    if warning:
        logger.warn(line)
    else:
        logger.info(line)
