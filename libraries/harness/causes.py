"""The catalogue of known causes: a name that a pipeline can switch on, and whose fault each is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Blame(StrEnum):
    """Whose fault a failure is."""

    PRODUCT = "product"
    """Checkpoint or restore did wrong."""
    ENVIRONMENT = "environment"
    """Cluster, node, image, quota, or a setting of the user's."""
    SERVICE = "service"
    """The propagator is unreachable or refuses."""
    HARNESS = "harness"
    """This project."""
    UNKNOWN = "unknown"
    """The facts do not tell."""


@dataclass(frozen=True)
class Cause:
    """A known cause: `name` is stable, `meaning` is one plain sentence for readers of reports."""

    name: str
    blame: Blame
    meaning: str

    def __str__(self) -> str:
        return f"{self.name} ({self.blame})"


def _catalogue(*causes: Cause) -> dict[str, Cause]:
    return {cause.name: cause for cause in causes}


CAUSES = _catalogue(
    Cause("unknown", Blame.UNKNOWN, "No known cause fits what was seen."),
    # what the user gave
    Cause("bad-settings", Blame.ENVIRONMENT, "A setting is wrong or missing; nothing was created."),
    Cause("bad-manifest", Blame.ENVIRONMENT, "A manifest cannot be used; nothing was created."),
    Cause("bad-chart", Blame.ENVIRONMENT, "The Helm chart cannot be used."),
    # the propagator
    Cause("auth", Blame.SERVICE, "The propagator refused the token."),
    Cause("propagator-unreachable", Blame.SERVICE, "The propagator could not be reached, or gave no answer."),
    Cause("propagator-start", Blame.ENVIRONMENT, "The propagator server that the run starts itself does not serve."),
    Cause("propagator-refused", Blame.SERVICE, "The propagator refused the request."),
    Cause("propagator-error", Blame.SERVICE, "The propagator answered with an error of its own."),
    Cause("propagator-answer", Blame.SERVICE, "What answered is not the propagator, or cannot be understood."),
    Cause("action-unknown", Blame.SERVICE, "The propagator does not know the action that it had accepted."),
    Cause("rate-limited", Blame.SERVICE, "The propagator asks to be left alone: too many requests."),
    Cause("answer-lost", Blame.SERVICE, "An answer was lost and it cannot be known whether the work was done."),
    # the cluster
    Cause("cluster-unreachable", Blame.ENVIRONMENT, "The Kubernetes API did not answer."),
    Cause("cluster-refused", Blame.ENVIRONMENT, "The Kubernetes API refused the request, or failed at it."),
    Cause("environment-missing", Blame.ENVIRONMENT, "The environment could not be brought up before."),
    Cause("cluster-unfit", Blame.ENVIRONMENT, "The cluster lacks something that every run needs; nothing was created."),
    Cause("cluster-in-use", Blame.ENVIRONMENT, "Another run needs the same cluster for itself, and has not ended."),
    Cause("host-unfit", Blame.ENVIRONMENT, "This host cannot carry the cluster; nothing was created."),
    Cause("download-failed", Blame.ENVIRONMENT, "The k3s executable could not be fetched, or has a wrong checksum."),
    Cause("cluster-start", Blame.ENVIRONMENT, "The cluster did not start."),
    Cause("node-not-ready", Blame.ENVIRONMENT, "A node is not Ready."),
    Cause("quota", Blame.ENVIRONMENT, "A quota does not allow the object."),
    Cause("webhook-refused", Blame.ENVIRONMENT, "An admission webhook refused the object."),
    Cause("image-pull", Blame.ENVIRONMENT, "An image could not be pulled."),
    Cause("unschedulable", Blame.ENVIRONMENT, "No node can take the pod."),
    Cause("container-config", Blame.ENVIRONMENT, "A container refers to something that is not there."),
    Cause("volume-mount", Blame.ENVIRONMENT, "A volume could not be attached or mounted."),
    Cause("pod-network", Blame.ENVIRONMENT, "The node could not set up the pod's network."),
    Cause("out-of-memory", Blame.ENVIRONMENT, "A container was killed because it used more memory than it may."),
    Cause("evicted", Blame.ENVIRONMENT, "The node put the pod out because it ran short of something."),
    Cause("disk-full", Blame.ENVIRONMENT, "A disk is full."),
    Cause("probe-failed", Blame.ENVIRONMENT, "A container runs, but its probe fails."),
    Cause("crash-loop", Blame.ENVIRONMENT, "A container keeps ending right after its start."),
    Cause("not-ready", Blame.ENVIRONMENT, "A pod runs but does not become Ready."),
    Cause("stuck-terminating", Blame.ENVIRONMENT, "An object was deleted but does not go away."),
    Cause("service-unreachable", Blame.ENVIRONMENT, "A Service does not answer although its pod is Ready."),
    Cause("stale-endpoints", Blame.ENVIRONMENT, "A Service leads to other pods than those that it should lead to."),
    Cause("stale-dns", Blame.ENVIRONMENT, "A name has other addresses in the cluster than it should have."),
    Cause("helm-failed", Blame.ENVIRONMENT, "Helm could not do what it was asked for."),
    Cause("install-timeout", Blame.ENVIRONMENT, "The installed release did not become Ready in time."),
    Cause("criu-missing", Blame.ENVIRONMENT, "The node has no CRIU, or one that is too old."),
    Cause("restore-disabled", Blame.ENVIRONMENT, "The node's container runtime is configured not to restore."),
    Cause("checkpoint-disabled", Blame.ENVIRONMENT, "The node's kubelet is configured not to take checkpoints."),
    Cause("checkpoint-forbidden", Blame.ENVIRONMENT, "The node agent has not the right to ask for checkpoints."),
    Cause("cannot-come-back", Blame.ENVIRONMENT, "What was saved cannot be restored here, as was known beforehand."),
    Cause("open-connection", Blame.ENVIRONMENT, "The process had an open TCP connection, which a dump forbids."),
    Cause("external-socket", Blame.ENVIRONMENT, "The process was connected to a socket outside of what is dumped."),
    # checkpoint and restore
    Cause("cedana-crash", Blame.PRODUCT, "A pod of Cedana keeps ending right after its start."),
    Cause(
        "helper-not-ready",
        Blame.PRODUCT,
        "Cedana's helper on the pod's node was not Ready to do the work.",
    ),
    Cause("agent-not-ready", Blame.PRODUCT, "The node agent on the pod's node was not Ready to do the work."),
    Cause("archive-broken", Blame.PRODUCT, "The archive of a checkpoint is not whole."),
    Cause("manager-not-ready", Blame.PRODUCT, "Cedana's manager was not Ready to do the work."),
    Cause("criu-dump", Blame.PRODUCT, "CRIU could not dump the process."),
    Cause("criu-restore", Blame.PRODUCT, "CRIU could not restore the process."),
    Cause("pid-taken", Blame.PRODUCT, "CRIU could not restore the process: its process id is taken."),
    Cause("checkpoint-failed", Blame.PRODUCT, "The checkpoint ended in an error."),
    Cause("checkpoint-timeout", Blame.PRODUCT, "The checkpoint did not end in time."),
    Cause("restore-failed", Blame.PRODUCT, "The restore ended in an error."),
    Cause("restore-timeout", Blame.PRODUCT, "The restore did not end in time."),
    Cause("heartbeat-missing", Blame.PRODUCT, "A policy's checkpoints do not come."),
    Cause("heartbeat-unwanted", Blame.PRODUCT, "A policy's checkpoints do not end with it."),
    Cause("false-success", Blame.PRODUCT, "What cannot be done was reported as done."),
    Cause("restored-pod-missing", Blame.PRODUCT, "The restore was reported done, but there is no restored pod."),
    Cause("restored-pod-not-ready", Blame.PRODUCT, "The restored pod does not become Ready."),
    Cause("restored-pod-unstable", Blame.PRODUCT, "The restored pod was Ready and did not stay so."),
    # the process that went on, or did not
    Cause("process-restarted", Blame.PRODUCT, "The process started afresh instead of going on."),
    Cause("process-rewound", Blame.PRODUCT, "An older state than the checkpoint's was restored."),
    Cause("process-ahead", Blame.PRODUCT, "The restored state is not this checkpoint's."),
    Cause("process-foreign", Blame.PRODUCT, "The memory of another workload was restored."),
    Cause("process-broken", Blame.PRODUCT, "The restored process lost or forged part of its history."),
    Cause("process-silent", Blame.PRODUCT, "The restored process does not go on although its pod is Ready."),
    Cause("not-restored", Blame.PRODUCT, "The pod is the source itself, not a restored one."),
    Cause("inconsistent-cut", Blame.PRODUCT, "The containers of a pod were restored from different moments."),
    Cause("files-lost", Blame.PRODUCT, "What the process had written is not in the restored pod's files."),
    Cause("pod-changed", Blame.PRODUCT, "The restored pod differs from the original in what must be the same."),
    Cause("restored-twice", Blame.PRODUCT, "One restore made more than one pod."),
    Cause("source-harmed", Blame.PRODUCT, "The checkpoint ended or froze the pod that it was taken of."),
    Cause("witness-missing", Blame.ENVIRONMENT, "The workload's log has no steps of a witness."),
    Cause("evidence-missing", Blame.UNKNOWN, "The evidence does not suffice for a verdict."),
    # ourselves
    Cause("check-broken", Blame.HARNESS, "The control arm did not come out as restarted: the check itself is broken."),
    Cause("leftovers", Blame.HARNESS, "Something that this run created is still there."),
    Cause("harness-error", Blame.HARNESS, "An unexpected error inside this project."),
    Cause("suite-error", Blame.HARNESS, "The suite is wrong: a keyword, variable or argument does not fit."),
    Cause("robot-timeout", Blame.UNKNOWN, "A timeout of Robot Framework ended it before a wait could say what it saw."),
    Cause("interrupted", Blame.UNKNOWN, "The run was stopped from outside."),
)


def cause(name: str) -> Cause:
    """The cause of that name.

    Raises:
        KeyError: no such cause; names are listed in `CAUSES`.
    """
    return CAUSES[name]
