"""The moments at which a run is ended: each boundary between two steps, and the middle of each wait."""

from __future__ import annotations

from collections.abc import Sequence

from .journal import Moment, Request

HELM = "Helm/"
CEDANA = "/api/v1/namespaces/cedana-system"
APPS = "/apis/apps/v1/namespaces/cedana-system"
RUN = "/api/v1/namespaces/(cedana-e2e-[0-9a-f]{8}|default)"
STATUS = "/v2/checkpoint/status/[^/]+"

CHECKPOINT = Request("POST", "/v2/checkpoint/pod")
RESTORE = Request("POST", "/v2/restore/pod")
DELETED = Request("DELETE", f"{RUN}/pods/test-nginx")
DEPRECATED = Request("PATCH", "/v2/checkpoints/deprecate/[^/]+")
UNINSTALLED = Request("DELETE", f"{CEDANA}/secrets/sh.helm.release.v1.cedana.v1", client=HELM)

KEPT_REMOVED = Request("DELETE", "/apis/.*/clusterrolebindings/cedana-uninstaller-crb")


def _at(name: str, *requests: Request) -> Moment:
    return Moment(name, requests)


BEFORE_INSTALL = (
    _at("waiting for the nodes", Request("GET", "/api/v1/nodes")),
    _at("token checked", Request("GET", "/v2/user")),
    _at("cluster registered", Request("POST", "/v2/cluster")),
)
INSTALL = (
    _at("namespace for Cedana made", Request("POST", "/api/v1/namespaces")),
    _at("Helm reads the cluster's schemas", Request("GET", "/openapi/v3", client=HELM)),
    _at("Helm stores the release", Request("POST", f"{CEDANA}/secrets", client=HELM)),
    _at("Helm is half through the chart", Request("PATCH", f"{CEDANA}/configmaps/cedana-config", client=HELM)),
    _at("Helm marks the release as deployed", Request("PUT", f"{CEDANA}/secrets/sh.helm.*", client=HELM)),
    _at("looking at Cedana's pods", Request("GET", f"{CEDANA}/pods", "instance%3Dcedana", "OpenAPI")),
    _at("namespace of the run made", Request("POST", "/api/v1/namespaces", nth=2)),
)
LIFECYCLE = (
    _at("workload's pod made", Request("POST", f"{RUN}/pods")),
    _at("workload's service made", Request("POST", f"{RUN}/services")),
    _at("waiting for the workload's pod", Request("GET", f"{RUN}/pods", "metadata.name%3Dtest-nginx$")),
    _at("observing the witness", Request("GET", f"{RUN}/pods/test-nginx/log", nth=2)),
    _at("noting the pod's latest action", Request("GET", "/v2/actions/from_pod/[^/]+")),
    _at("checkpoint asked for", CHECKPOINT),
    _at("polling the checkpoint", CHECKPOINT, Request("GET", STATUS, nth=2)),
    _at("reading the source on", CHECKPOINT, Request("GET", f"{RUN}/pods/test-nginx/log", nth=2)),
    _at("workload deleted", DELETED),
    _at("waiting for the workload's end", DELETED, Request("GET", f"{RUN}/pods", "metadata.name%3Dtest-nginx$")),
    _at("restore asked for", RESTORE),
    _at("polling the restore", RESTORE, Request("GET", STATUS, nth=2)),
    _at("waiting for the restored pod", RESTORE, Request("GET", f"{RUN}/pods", "^$")),
    _at("reading the restored witness", Request("GET", f"{RUN}/pods/test-nginx-restored/log", nth=2)),
    _at("watching the restored pod stay Ready", Request("GET", f"{RUN}/pods", "metadata.name%3Dtest-nginx-restored")),
    _at("request through the service", Request("GET", f"{RUN}/services/.*/proxy/?")),
    _at("checkpoint deprecated", DEPRECATED),
)
TEARDOWN = (
    _at("test's pod deleted in its teardown", Request("DELETE", f"{RUN}/pods/test-nginx-restored")),
    _at("test's service deleted in its teardown", Request("DELETE", f"{RUN}/services/test-nginx")),
    _at("control arm's second pod deleted", Request("DELETE", f"{RUN}/pods/test-nginx-control", nth=2)),
)
REMOVAL = (
    _at("run's namespace deleted", Request("DELETE", RUN)),
    _at("waiting for the namespace's end", Request("DELETE", RUN), Request("GET", "/api/v1/namespaces", "cedana-e2e-")),
    _at("Helm uninstalls", Request("DELETE", f"{APPS}/daemonsets/cedana-helper", client=HELM)),
    _at("Helm has uninstalled", UNINSTALLED),
    _at("Cedana's uninstaller at work", UNINSTALLED, Request("GET", f"{APPS}/daemonsets/cedana-uninstaller", nth=2)),
    _at("kept objects removed", KEPT_REMOVED),
    _at("looking for the namespace of Cedana", KEPT_REMOVED, Request("GET", CEDANA)),
    _at("cluster deregistered", Request("DELETE", "/v2/cluster/[^/]+")),
)

OWN: Sequence[Moment] = (*BEFORE_INSTALL, *INSTALL, *LIFECYCLE, *TEARDOWN, *REMOVAL)
"""Of a run that brings Cedana, a registration and a namespace of its own."""
SHARED: Sequence[Moment] = (*LIFECYCLE[4:], *TEARDOWN[:2])
"""Of a run in a namespace that stays, on a cluster whose Cedana and registration stay: nothing goes along with them."""


def named(moments: Sequence[Moment], *names: str) -> list[Moment]:
    """The moments of these names.

    Raises:
        LookupError: there is no such moment.
    """
    by_name = {moment.name: moment for moment in moments}
    if unknown := set(names) - by_name.keys():
        raise LookupError(f"no moment is named {', '.join(sorted(unknown))}; there are {', '.join(by_name)}")
    return [by_name[name] for name in names]
