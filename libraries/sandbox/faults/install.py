"""Faults of installing and removing Cedana's chart."""

from __future__ import annotations

from typing import Any

from .. import kinds
from ..api import objects
from ..api.status import failure, invalid
from ..kinds import Kind
from ..kinds.fields import FieldError
from .activation import Activation
from .answers import Exchange, changing_json
from .declaration import REQUESTS, STATE, Declarations, Group, Injection
from .kubernetes import admitting, api, using_up_quota, webhook, with_error
from .pods import Which, has_component, is_cedanas
from .requests import Asked
from .scene import Scene, in_each_cluster
from .workloads import ends_at_once, not_pulled, release_finalizer

FAULTS = Declarations(Group.INSTALL, REQUESTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
_HELD = "storage.example.com/detach"
_GROUP = "node.k8s.io"


def _cedanas_pod(scene: Scene, kind: Kind, obj: Object) -> bool:
    return kind is kinds.POD and is_cedanas(scene.cluster, obj)


def _helpers_daemon_set(scene: Scene, kind: Kind, obj: Object) -> bool:
    return kind is kinds.DAEMON_SET and has_component("helper")(scene.cluster, obj)


def _uninstaller(scene: Scene, kind: Kind, obj: Object) -> bool:
    return kind is kinds.DAEMON_SET and has_component("uninstaller")(scene.cluster, obj)


def never_ready(which: Which) -> Injection:
    """Pods run, but something outside of them never says that they are ready."""

    async def inject(scene: Scene, active: Activation) -> None:
        def admit(kind: Kind, obj: Object) -> None:
            if kind is kinds.POD and which(scene.cluster, obj) and active.takes_pod(obj):
                obj["spec"]["readinessGates"] = [{"conditionType": "example.com/load-balancer-attached"}]

        active.on_list(scene.cluster.points.admit, admit)

    return in_each_cluster(inject)


def never_created(which: Which) -> Injection:
    """The kubelet never gets to the containers of such pods."""

    async def inject(scene: Scene, active: Activation) -> None:
        def delay(pod: Object) -> float:
            return float("inf") if which(scene.cluster, pod) and active.takes_pod(pod) else 0.0

        active.on_list(scene.cluster.points.delay, delay)

    return in_each_cluster(inject)


def _invalid(_: Kind, obj: Object) -> Any:
    path = "spec.template.spec.containers[0].image"
    return invalid(
        "apps", "DaemonSet", obj["metadata"]["name"], [FieldError("FieldValueRequired", path, "Required value")]
    )


fails("bad-chart", "chart-invalid", "The API finds an object of the chart invalid.")(
    admitting(_invalid, _helpers_daemon_set)
)


def _without_group(body: Any, _: Exchange) -> Any:
    for key in ("groups", "items"):
        if key in body:
            named = [one for one in body[key] if (one.get("name") or one["metadata"]["name"]) != _GROUP]
            body = {**body, key: named}
    return body


@fails("bad-chart", "chart-needs-unknown-kind", "The cluster does not serve a kind that the chart has.")
async def _unknown_kind(scene: Scene, active: Activation) -> None:
    def discovers(asked: Asked) -> bool:
        return asked.name == "/apis"

    def within(asked: Asked) -> bool:
        return asked.name.startswith(f"/apis/{_GROUP}") or asked.resource == "runtimeclasses"

    missing = failure(404, "NotFound", "the server could not find the requested resource", {})
    await api(changing_json(_without_group), discovers)(scene, active)
    await api(with_error(missing), within)(scene, active)


fails("image-pull", "install-image-pull", "The registry refuses the images of Cedana's pods.")(
    not_pulled(is_cedanas, lambda host: f"pull access denied by {host}: insufficient_scope: authorization failed")
)
fails("cedana-crash", "install-crash-loop", "Cedana's manager ends right after each start.")(
    ends_at_once(has_component("manager"), 1)
)
fails("install-timeout", "install-never-ready", "Cedana's manager runs, but its pod never becomes Ready.")(
    never_ready(has_component("manager"))
)
fails("install-timeout", "install-helper-never-ready", "Cedana's helpers run, but their pods never become Ready.")(
    never_ready(has_component("helper"))
)
fails("install-timeout", "install-stuck", "The containers of Cedana's manager are never created.")(
    never_created(has_component("manager"))
)
fails("webhook-refused", "install-pods-refused", "An admission webhook refuses the pods of Cedana's chart.")(
    admitting(webhook, _cedanas_pod)
)
fails("quota", "install-quota", "The quota of the install namespace has no room for Cedana's pods.")(
    using_up_quota(_cedanas_pod)
)


_NO_RIGHTS = failure(
    403,
    "Forbidden",
    'clusterroles.rbac.authorization.k8s.io "cedana-manager-role" is forbidden: user "admin" '
    '(groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held',
    {"name": "cedana-manager-role", "group": "rbac.authorization.k8s.io", "kind": "clusterroles"},
)
fails("cluster-refused", "install-forbidden", "The user may not make the roles of Cedana's chart.")(
    api(with_error(_NO_RIGHTS), lambda asked: asked.resource == "clusterroles" and asked.verb in ("create", "patch"))
)


@fails(
    "stuck-terminating",
    "install-namespace-stuck",
    "The install namespace is there already, and has been terminating for ever.",
    limits=STATE - STATE,
    into="cedana-system",
)
@in_each_cluster
async def _namespace_stuck(scene: Scene, active: Activation) -> None:
    name = active.values["into"]
    store = scene.cluster.store
    if store.get(kinds.NAMESPACE, None, name) is None:
        objects.create(scene.cluster, kinds.NAMESPACE, {"metadata": {"name": name, "finalizers": [_HELD]}})
        objects.delete(scene.cluster, kinds.NAMESPACE, None, name)
        active.takes(name)

    def release() -> None:
        found = store.get(kinds.NAMESPACE, None, name)
        if found and _HELD in (found["metadata"].get("finalizers") or []):
            release_finalizer(scene, kinds.NAMESPACE, found, _HELD)

    active.stack.callback(release)


@fails("leftovers", "namespace-stuck-terminating", "New namespaces have a finalizer that nobody takes away.")
@in_each_cluster
async def _stays(scene: Scene, active: Activation) -> None:
    def admit(kind: Kind, obj: Object) -> None:
        if kind is kinds.NAMESPACE and active.takes(obj["metadata"].get("name", "")):
            obj["metadata"].setdefault("finalizers", []).append(_HELD)

    def release() -> None:
        for found in scene.cluster.store.list(kinds.NAMESPACE):
            if _HELD in (found["metadata"].get("finalizers") or []):
                release_finalizer(scene, kinds.NAMESPACE, found, _HELD)

    active.on_list(scene.cluster.points.admit, admit)
    active.stack.callback(release)


fails("leftovers", "uninstall-hook-fails", "The chart's pre-delete hook is refused, so that Helm cannot uninstall.")(
    admitting(webhook, _uninstaller)
)
fails("leftovers", "uninstall-never-ends", "The pods of the chart's uninstaller never start, so that it never ends.")(
    never_created(has_component("uninstaller"))
)
