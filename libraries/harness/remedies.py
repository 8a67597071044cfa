"""What to do next about each cause, for people: reports and the table of docs/troubleshooting.md say it.

Where the words of a failure name the thing, what to do names it, too.
"""

from __future__ import annotations

import re

REMEDIES = {
    "unknown": "Look at the last steps in the log before the failure, and at the pod's events.",
    "bad-settings": "Correct the setting that is named, and run again; nothing was created.",
    "bad-manifest": "Correct the manifest where the message says; nothing was created.",
    "bad-chart": "Check HELM_CHART, HELM_REPO and HELM_VALUES: the message says what of the chart cannot be used.",
    "auth": "Check CEDANA_AUTH_TOKEN (or CEDANA_AUTH_TOKEN_FILE) and that it belongs to the service at CEDANA_URL.",
    "propagator-unreachable": "Check CEDANA_URL, and that this machine reaches it (proxy, TLS certificate, firewall).",
    "propagator-start": "Read what the server wrote before it ended: the failure and the diagnostics have it.",
    "propagator-refused": "Read the refusal in that step's exchange; check the cluster's id and the account's rights.",
    "propagator-error": "Ask those who run the propagator, with the time and the answer in the log.",
    "propagator-answer": "Check that CEDANA_URL is the propagator's API and not a page in front of it.",
    "action-unknown": "Ask those who run the propagator what became of the action's id.",
    "rate-limited": "Wait, or run fewer runs side by side.",
    "answer-lost": "Run again; what may have been made meanwhile is in the ledger and is removed.",
    "cluster-unreachable": "Check KUBECONFIG and KUBE_CONTEXT: does `kubectl get nodes` answer from this machine?",
    "cluster-refused": "Check the rights of the kubeconfig's user; the suite preflight lists those that are needed.",
    "environment-missing": "Look at the first failure of the run: it says why there is no environment.",
    "cluster-unfit": "Bring what the message lists; `robot suites/preflight.robot` checks it alone.",
    "cluster-in-use": "Wait for the run that the message names, or give TURN_TIMEOUT more time.",
    "host-unfit": "Bring what the message lists about this host, or take another PROVIDER.",
    "download-failed": "Check the way to the release, or give the executable with K3S_BINARY.",
    "cluster-start": "Read the last lines of the cluster's own log in the failure and in the diagnostics.",
    "node-not-ready": "Look at the node's conditions and its kubelet.",
    "quota": "Raise the quota of the namespace, or give another NAMESPACE.",
    "webhook-refused": "Ask who runs the admission webhook why it refused the pod.",
    "image-pull": "Check the image's name and that the nodes reach its registry.",
    "unschedulable": "Free or add what the pod asks for (the event says what is short).",
    "container-config": "Create the ConfigMap, Secret or key that the event names, or correct its name.",
    "volume-mount": "Look at the claim and at the storage driver's pods on the node that the event names.",
    "pod-network": "Look at the network plugin's pods on the node that the event names.",
    "out-of-memory": "Raise the container's memory limit, or look why it takes more than before.",
    "evicted": "Free what the node ran short of (the event says what), or let the pod request it.",
    "disk-full": "Free room on the disk that is named: images, old checkpoints, logs.",
    "probe-failed": "Ask the container what its probe asks, and look into its log.",
    "crash-loop": "Look at the container's previous log and its exit status.",
    "not-ready": "Look at the pod's conditions and events: they say what it is waiting for.",
    "stuck-terminating": "Look at the object's finalizers, and at who should take them off.",
    "service-unreachable": "Compare the Service's selector and ports with the pod's, and look for network policies.",
    "stale-endpoints": "Look at the EndpointSlices of the Service and at the controller that keeps them.",
    "stale-dns": "Look at the cluster's DNS pods and how long they remember an answer.",
    "helm-failed": "Read Helm's own words in the failure; a release that is half done stands in its history.",
    "install-timeout": "Look at the pods of the release that are not Ready; INSTALL_TIMEOUT gives them more time.",
    "criu-missing": "Install CRIU of the version that the message names on the nodes, in the runtime's PATH.",
    "restore-disabled": "Allow restores in the container runtime's configuration on the nodes.",
    "checkpoint-disabled": "Switch the kubelet's feature ContainerCheckpoint on, and the runtime's support for it.",
    "checkpoint-forbidden": "Give the node agents the right to nodes/checkpoint and nodes/proxy, as their chart does.",
    "cannot-come-back": "Take from the workload what the message names, or checkpoint it with another propagator.",
    "open-connection": "Keep connections to the pod closed while it is checkpointed, or look who holds one.",
    "external-socket": "Look which socket of the host the container has mounted, and do without it.",
    "cedana-crash": "Look at the previous log of the pod of Cedana that is named.",
    "helper-not-ready": "Look at the helper's pod on the node of the workload: its log and its events.",
    "agent-not-ready": "Look at the node agent's pod on the node of the workload: its log and its events.",
    "archive-broken": "Look at the storage the checkpoint was written to, and whether its disk was full.",
    "manager-not-ready": "Look at the manager's pod in Cedana's namespace: its log and its events.",
    "criu-dump": "Read CRIU's own lines in the failure: they name what of the process it cannot dump.",
    "criu-restore": "Read CRIU's own lines in the failure: they name what of the process it cannot restore.",
    "pid-taken": "Look which process of the restored container has taken the id before the restore.",
    "checkpoint-failed": "Look at the log of Cedana's helper on the pod's node at the time of the checkpoint.",
    "checkpoint-timeout": "Look what the helper did meanwhile; large memory needs more of CHECKPOINT_TIMEOUT.",
    "restore-failed": "Look at the log of Cedana's helper on the restored pod's node at the time of the restore.",
    "restore-timeout": "Look what the helper did meanwhile; large memory needs more of RESTORE_TIMEOUT.",
    "heartbeat-missing": "Look at the policy at the propagator, and at the last action that it began.",
    "heartbeat-unwanted": "Look at the propagator's policies: one may still stand, or its end was not heeded.",
    "false-success": "Trust no success of this version; report the exchange of the step that claimed it.",
    "restored-pod-missing": "Look at the manager's log: it was to create the pod; then at quotas and webhooks.",
    "restored-pod-not-ready": "Look at the restored pod's events and at the helper's log on its node.",
    "restored-pod-unstable": "Look at the restored pod's restarts and its previous log.",
    "process-restarted": "Look why the restore began a new process: the helper's log on the pod's node.",
    "process-rewound": "Look which checkpoint was restored: the ids of the step's exchange tell.",
    "process-ahead": "Look which checkpoint was restored: the ids of the step's exchange tell.",
    "process-foreign": "Stop using this version: it gave one workload the memory of another. Report it.",
    "process-broken": "Compare the lines of the witness before and after, which the report shows; report it.",
    "process-silent": "Look whether the restored process is stopped or blocked: the helper's log on its node.",
    "not-restored": "Look whether the source was deleted, and which pod the propagator calls the restored one.",
    "inconsistent-cut": "Look how the containers were frozen: one after the other is not one moment.",
    "files-lost": "Look whether the container's files are part of the checkpoint: its kind and the helper's log.",
    "pod-changed": "Compare what differs with what may differ, which the suite and the settings name.",
    "restored-twice": "Look at the manager's log for a restore that was done again, and at the propagator's actions.",
    "source-harmed": "Look at the source's events and previous log at the time of the checkpoint.",
    "witness-missing": "Check that the workload's image has od, tr, sha256sum and cut, and that its log can be read.",
    "evidence-missing": "Look what is missing by the report, such as a log that was rotated, and run again.",
    "check-broken": "Trust no verdict of this run until the check is right again.",
    "leftovers": "Remove what is named, and look why its removal failed.",
    "harness-error": "Report it with the archive of this run; the trace is in log.html.",
    "suite-error": "Correct the keyword, variable or argument that the message names.",
    "robot-timeout": "Look at the last step in the log: it was still waiting, and knew nothing more.",
    "interrupted": "Run again; what was created was removed, or is named among the leftovers.",
}

_CONTAINER = r"container (?P<container>\S+) of pod (?P<pod>\S+)"
_ENDED = rf"{_CONTAINER} ended .*exit code (?P<code>\d+)"
_SILENT = rf"{_ENDED}.* its (previous )?log is empty"
_IMAGE = r"(?i)(pulling image|pull image|pull and unpack image|apply image name) \\*\"(?P<image>[^\"\\]+)"
PARTICULAR: tuple[tuple[str, str, str], ...] = (
    (
        "out-of-memory",
        rf"{_CONTAINER} was killed: it used more than its memory limit of (?P<limit>\S+)",
        "Raise resources.limits.memory of container {container} in pod {pod} (now {limit}), or see what takes more.",
    ),
    (
        "out-of-memory",
        rf"{_CONTAINER} was killed: node (?P<node>\S+) ran out of memory",
        "Free memory on node {node}, or give container {container} of pod {pod} a memory limit: it has none.",
    ),
    (
        "crash-loop",
        _SILENT,
        "Container {container} of pod {pod} wrote nothing before it ended with exit code {code}: check its image, "
        "command and mounts, or run the image by hand.",
    ),
    (
        "crash-loop",
        _ENDED,
        "Read in its previous log (in the diagnostics) why container {container} of pod {pod} ended with exit code "
        "{code}.",
    ),
    (
        "cedana-crash",
        _SILENT,
        "Container {container} of Cedana's pod {pod} wrote nothing before it ended with exit code {code}: check "
        "HELM_VALUES and the image's version first.",
    ),
    (
        "cedana-crash",
        _ENDED,
        "Read in its previous log (in the diagnostics) why container {container} of Cedana's pod {pod} ended with exit "
        "code {code}, and check HELM_VALUES first.",
    ),
    (
        "quota",
        r"exceeded quota: (?P<quota>[^,\s]+), requested: (?P<asked>\S+), used: (?P<used>\S+), limited: (?P<most>\S+)",
        "Raise ResourceQuota {quota} (used {used}, allowed {most}, asked for {asked} more), or remove something that "
        "it counts, or give another NAMESPACE.",
    ),
    (
        "quota",
        r"failed quota: (?P<quota>[^,:\s]+): must specify (?P<what>[^\n]*)",
        "Give the containers what ResourceQuota {quota} demands ({what}), or a LimitRange with defaults for it.",
    ),
    (
        "quota",
        r"(?P<rule>(minimum|maximum) \S+ usage per \w+ is [^,\s]*[^,.\s])",
        "Change the LimitRange of the namespace ({rule}), or the container's requests and limits.",
    ),
    (
        "webhook-refused",
        r"(admission webhook|failed calling webhook) \\*\"(?P<hook>[^\"\\]+)",
        "Ask who runs the admission webhook {hook} why it refuses the pod, or exempt the namespace from it.",
    ),
    (
        "image-pull",
        rf"{_IMAGE}[^\n]*(toomanyrequests|429|pull rate limit)",
        "The registry of {image} allows no more pulls for now: log in to it on the nodes, wait, or take a mirror.",
    ),
    (
        "image-pull",
        rf"{_IMAGE}[^\n]*(no such host|server misbehaving|i/o timeout|connection refused|network is unreachable)",
        "Let the nodes reach the registry of {image}: it is their DNS or network that fails, not the image.",
    ),
    (
        "image-pull",
        rf"{_IMAGE}[^\n]*(denied|authoriz)",
        "Check the name of the image {image}, and the nodes' credentials for its registry, which refuses it to them.",
    ),
    (
        "image-pull",
        r"couldn't parse image name \\*\"(?P<image>[^\"\\]+)",
        "{image} cannot be the name of an image: correct the setting (such as NGINX_IMAGE) or manifest that has it.",
    ),
    (
        "image-pull",
        _IMAGE,
        "Check that the image {image} exists under this name and tag, and the setting or manifest that names it.",
    ),
    (
        "unschedulable",
        r"nodes are available: (?P<why>[^\n]*?)\.( preemption|\s|$)",
        "Make room on a node, or change what the pod asks for; the scheduler says: {why}.",
    ),
    (
        "stuck-terminating",
        r"namespace (?P<namespace>[\w-]+) is being deleted.*finalizers( remaining)?: (?P<finalizer>\S+/[\w.-]+)",
        "Namespace {namespace} is held by the finalizer {finalizer}: find out who should take it off and why it does "
        "not, or give another namespace (NAMESPACE, CEDANA_NAMESPACE).",
    ),
    (
        "stuck-terminating",
        r"namespace (?P<namespace>[\w-]+) (is being deleted|because it is being terminated)",
        "Namespace {namespace} was deleted earlier and does not go away: look at what is left in it and at its "
        "conditions, or give another namespace (NAMESPACE, CEDANA_NAMESPACE).",
    ),
    (
        "stuck-terminating",
        r"finalizers?:? (of \S+ )?(?P<finalizer>[\w.-]+/[\w.-]+)",
        "Find out who should take off the finalizer {finalizer}, and why it does not; taking it off by hand frees the "
        "object.",
    ),
    (
        "node-not-ready",
        r"node (?P<node>\S+) is not Ready",
        "Look at node {node}: its kubelet, and the conditions in the diagnostics.",
    ),
    (
        "bad-chart",
        r"no matches for kind \"(?P<kind>\w+)\" in version \"(?P<version>[^\"]+)\"",
        "The chart has a {kind} ({version}), which this cluster does not serve: install what brings it (a CRD), take a "
        "Kubernetes that has it, or a chart that does not need it.",
    ),
    (
        "disk-full",
        r"(?P<path>/[\w./-]+): no space left on device",
        "Free room on the node's disk that holds {path}: images, old checkpoints, logs.",
    ),
    (
        "evicted",
        r"was low on resource: (?P<what>[\w./-]*\w)",
        "Free {what} on the pod's node, or let the pod's containers request {what}, so that others are put out first.",
    ),
    (
        "propagator-unreachable",
        r"(?P<why>certificate has expired|certificate is not yet valid)",
        "Let those who run the propagator renew its TLS certificate ({why}); check this machine's clock, too.",
    ),
    (
        "propagator-unreachable",
        r"(?i)(?P<why>hostname mismatch[^(\n]*|is not valid for '[^']*')",
        "The TLS certificate is for another host than CEDANA_URL names ({why}): correct one of the two.",
    ),
    (
        "propagator-unreachable",
        r"(?P<why>unable to get (local )?issuer certificate|self[- ]signed certificate)",
        "The TLS certificate is not from an authority that this machine trusts ({why}): check CEDANA_URL, and give the "
        "service's own authority with CEDANA_CA_BUNDLE.",
    ),
    (
        "propagator-unreachable",
        r"(?i)(?P<why>name or service not known|getaddrinfo failed|no address associated|failed to resolve|"
        r"name resolution)",
        "The host name of CEDANA_URL is not known here: check how it is written, and this machine's DNS.",
    ),
    (
        "propagator-unreachable",
        r"(?i)connection refused",
        "Nothing listens at the address and port of CEDANA_URL: check both, and whether the service is up.",
    ),
    (
        "propagator-unreachable",
        r"(?i)timed out|within the (connect|read) timeout|no route to host|network is unreachable",
        "Nothing answers at the address of CEDANA_URL: check how it is written, and VPN, proxy and firewall.",
    ),
    (
        "cluster-refused",
        r"dial tcp (?P<address>\S+:10250)",
        "The API server does not reach the kubelet at {address}: look at that node, its kubelet and firewalls.",
    ),
    (
        "cluster-refused",
        r"Seen: (?P<status>5\d\d): ",
        "The API server failed by itself ({status}): look at its log, and at what its answer names.",
    ),
    (
        "cluster-refused",
        r"Seen: 401: ",
        "The cluster does not know the user of the kubeconfig: renew its token or certificate.",
    ),
    (
        "cluster-refused",
        r"[Uu]ser \\*\"(?P<user>[^\"\\]+)\\*\" cannot (?P<verb>\w+) resource \\*\"(?P<what>[^\"\\]+)",
        "Give the user {user} of the kubeconfig the right to {verb} {what}; suites/preflight.robot lists all.",
    ),
    (
        "install-timeout",
        r"(?P<thing>(Deployment|DaemonSet|StatefulSet) \S+) has \d+ of \d+ pods ready; pod (?P<pod>\S+) is Running",
        "Look why pod {pod} of {thing} runs and does not become Ready: the diagnostics have its probes' events and its "
        "log. INSTALL_TIMEOUT gives it more time.",
    ),
    (
        "restored-pod-missing",
        r"pod (?P<pod>\S+) was made in another namespace, (?P<namespace>[\w-]+)",
        "The restore made {pod} in namespace {namespace}, where it does not belong: remove it there, it is nobody's.",
    ),
    (
        "propagator-answer",
        r"GET /v2/user to succeed\n(.*\n)*?Seen: 404",
        "What answers at CEDANA_URL is not the propagator's API: check the address; a proxy or another service may "
        "answer in its place.",
    ),
    (
        "leftovers",
        r"(?P<thing>[\w-]+ [\w./-]+): [^\n]*admission webhook \\*\"(?P<hook>[^\"\\]+)",
        "The admission webhook {hook} refuses the removal of {thing}: ask who runs it, or exempt the namespace; then "
        "let `PYTHONPATH=libraries python -m harness.ledger sweep` remove what is left.",
    ),
    (
        "manager-not-ready",
        r"Cedana's manager (?P<how>ended once|keeps ending)",
        "Read in its previous log (in the diagnostics) why Cedana's manager ended amid its work.",
    ),
    (
        "helper-not-ready",
        r"Cedana's helper on node (?P<node>\S+) (?P<how>ended once|keeps ending)",
        "Read in its previous log (in the diagnostics) why Cedana's helper on node {node} ended amid its work.",
    ),
    (
        "helper-not-ready",
        r"untolerated taint.? \{?cedana\.ai/not-ready",
        "Look at the DaemonSet of Cedana's helpers: its pods are not Ready, so that Cedana keeps pods off the nodes.",
    ),
    (
        "auth",
        r"\b401\b",
        "The service at CEDANA_URL does not know this token: give its own with CEDANA_AUTH_TOKEN (or "
        "CEDANA_AUTH_TOKEN_FILE), whole and not expired.",
    ),
    (
        "auth",
        r"\b403\b",
        "The service knows the token, and does not allow it this: give a token of the right account or role.",
    ),
    (
        "container-config",
        r"(?P<what>(secret|configmap) \\*\"[^\"\\]+)\\*\" not found",
        'Create the {what}", or correct its name in the manifest.',
    ),
)
"""What to do about a cause whose words match: cause, pattern, and what to do with the pattern's named groups."""


def particular(cause: str, words: str) -> str:
    """What to do next about a cause, with the names that the failure's words have; empty where they have none."""
    for name, pattern, told in PARTICULAR:
        if name == cause and (match := re.search(pattern, words)):
            return told.format_map(match.groupdict())
    return ""
