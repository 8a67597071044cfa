"""Objects of any kind: created from a manifest, found, deleted, awaited until they are gone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from kubernetes.client.exceptions import ApiException

from ..failures import NotAsExpected, OperationFailed
from ..ledger import LEDGER, Entry
from ..waiting import Done, Look, Pending
from .connection import Cluster
from .errors import api_errors, json_of
from .pods import state_of
from .watching import Obj, Objects, watch_until

FIELD_MANAGER = "cedana-e2e"
RUN_LABEL = "e2e.cedana.ai/run"
"""Label of everything that a run creates in a cluster; its value is the run's id."""
POD_SECURITY = "pod-security.kubernetes.io/enforce"
"""Label of a namespace with the Pod Security level that its pods must keep to, whatever the cluster's default is."""
PodSecurity = Literal["privileged", "baseline", "restricted"]


def resource(cluster: Cluster, api_version: str, kind: str) -> Any:
    """The API resource of that kind.

    Raises:
        NotAsExpected: the cluster does not serve it.
    """
    with api_errors(f"tell its kinds (for {api_version} {kind})"):
        try:
            return cluster.dynamic.resources.get(api_version=api_version, kind=kind)
        except LookupError:
            raise NotAsExpected(
                f"the cluster to serve {kind} of {api_version}", "it does not", cause="bad-manifest"
            ) from None


def create(cluster: Cluster, manifest: Mapping[str, Any], namespace: str) -> Obj:
    """Creates one object in `namespace` (cluster-scoped kinds: nowhere), labelled, with a ledger entry before.

    Raises:
        OperationFailed: the API refuses it, with its words.
        NotAsExpected: the cluster does not serve that kind.
    """
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    served = resource(cluster, manifest["apiVersion"], kind)
    place = namespace if served.namespaced else ""
    entry = intend(cluster, manifest["apiVersion"], kind, place, name)
    try:
        with api_errors(f"create {entry.name}"):
            made = json_of(
                served.create(
                    body=labelled(manifest), namespace=place or None, field_manager=FIELD_MANAGER, serialize=False
                )
            )
    except OperationFailed as problem:
        if was_refused(problem):
            LEDGER.gone(entry)
        raise
    LEDGER.made(entry, uid=made["metadata"]["uid"])
    return made


def intend(cluster: Cluster, api_version: str, kind: str, namespace: str, name: str) -> Entry:
    """Writes down an object that is about to be made, by this run or by a server at its request."""
    return LEDGER.intend(
        "namespace" if kind == "Namespace" else "object",
        name if kind == "Namespace" else f"{kind} {f'{namespace}/' if namespace else ''}{name}",
        **cluster.where,
        apiVersion=api_version,
        kind=kind,
        namespace=namespace,
        name=name,
        run=LEDGER.run_id,
    )


def entry_of(cluster: Cluster, kind: str, namespace: str, name: str, uid: str | None = None) -> Entry | None:
    """The newest ledger entry of this run for that object; with `uid` only one that is not known to be another."""
    for entry in reversed(LEDGER.owed()):
        found = entry.find
        here = entry.place == str(cluster.kubeconfig) and found.get("context") == cluster.context
        same = (found.get("kind"), found.get("namespace"), found.get("name")) == (kind, namespace, name)
        if here and same and (uid is None or found.get("uid") in (None, uid)):
            return entry
    return None


def labelled(manifest: Mapping[str, Any]) -> Obj:
    """A copy of `manifest` with the label that tells objects of this run from those of others.

    The claims that a StatefulSet makes carry it too: nobody removes them with the set.
    """
    metadata = manifest["metadata"]
    labels = {**(metadata.get("labels") or {}), RUN_LABEL: LEDGER.run_id}
    made = {**manifest, "metadata": {**metadata, "labels": labels}}
    claims = (manifest.get("spec") or {}).get("volumeClaimTemplates")
    if claims:
        made["spec"] = {**manifest["spec"], "volumeClaimTemplates": [labelled(claim) for claim in claims]}
    return made


def namespace_manifest(name: str, pod_security: PodSecurity | None = None) -> Obj:
    """A namespace; `pod_security`: its level, the cluster's default where there is none."""
    labels = {"labels": {POD_SECURITY: pod_security}} if pod_security else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **labels}}


def was_refused(failure: OperationFailed) -> bool:
    """Whether the server refused the call, so that nothing was made; after a 5xx nobody can tell."""
    status = getattr(failure.__cause__, "status", None) or 0
    return 400 <= status < 500


def find(cluster: Cluster, api_version: str, kind: str, namespace: str, name: str) -> Obj | None:
    """The object, or None where there is none."""
    served = resource(cluster, api_version, kind)
    with api_errors(f"get {kind} {namespace}/{name}"):
        try:
            return json_of(served.get(name=name, namespace=namespace or None, serialize=False))
        except ApiException as problem:
            if problem.status == 404:
                return None
            raise


def delete(
    cluster: Cluster, api_version: str, kind: str, namespace: str, name: str, *, uid: str | None, timeout: float
) -> None:
    """Deletes the object and waits until it is gone; fine when it is gone already.

    Args:
        uid: only this very object; another one of the same name is left alone.
        timeout: seconds to wait for its end.

    Raises:
        WaitTimedOut: still there; cause `stuck-terminating`.
        OperationFailed: the API refuses.
    """
    since = ask_to_delete(cluster, api_version, kind, namespace, name, uid=uid)
    if since is not None:
        wait_until_gone(cluster, api_version, kind, namespace, name, uid=uid, timeout=timeout, since=since)


def ask_to_delete(
    cluster: Cluster, api_version: str, kind: str, namespace: str, name: str, *, uid: str | None
) -> str | None:
    """Asks for the deletion of the object and does not wait for its end.

    Args:
        uid: only this very object; another one of the same name is left alone.

    Returns:
        The resourceVersion of its deletion for the wait for its end, "" where none was told (it is gone at once, or was
        before); None where another object has its name by now.

    Raises:
        OperationFailed: the API refuses.
    """
    served = resource(cluster, api_version, kind)
    # A pod has no dependents; of other kinds nothing must outlive the wait.
    body: dict[str, Any] = {"propagationPolicy": "Background" if kind == "Pod" else "Foreground"}
    if uid:
        body["preconditions"] = {"uid": uid}
    with api_errors(f"delete {kind} {namespace}/{name}"):
        try:
            answer = json_of(served.delete(name=name, namespace=namespace or None, body=body, serialize=False))
        except ApiException as problem:
            if problem.status == 409 and uid:  # another object has the name by now
                return None
            if problem.status != 404:
                raise
            return ""
    return str(answer.get("metadata", {}).get("resourceVersion") or "")


def wait_until_gone(
    cluster: Cluster,
    api_version: str,
    kind: str,
    namespace: str,
    name: str,
    *,
    uid: str | None,
    timeout: float,
    since: str = "",
) -> None:
    """Waits until the object, the very one where `uid` is given, is gone.

    Args:
        uid: only this very object; one of another UID does not count.
        timeout: seconds.
        since: a resourceVersion as of which it was there: a list from before it was made is not believed.

    Raises:
        WaitTimedOut: still there; cause `stuck-terminating`.
        OperationFailed: the API refuses.
    """
    with api_errors(f"watch {kind} {namespace}/{name}"):
        _wait_until_gone(resource(cluster, api_version, kind), namespace, name, uid=uid, timeout=timeout, since=since)


def _list(served: Any, namespace: str, name: str, **options: Any) -> Any:
    options.pop("_preload_content", None)
    selector = f"metadata.name={name}"
    return served.get(namespace=namespace or None, field_selector=selector, serialize=False, **options)


def _wait_until_gone(served: Any, namespace: str, name: str, *, uid: str | None, timeout: float, since: str) -> None:
    kind = served.kind

    def judge(objects: Objects) -> Look[None]:
        there = [one for one in objects if not uid or one["metadata"]["uid"] == uid]
        if not there:
            return Done(None)
        finalizers = ", ".join(there[0]["metadata"].get("finalizers") or []) or "none"
        state = state_of(there[0]).seen if kind == "Pod" else f"{kind} {name} is there"
        return Pending(state if f"finalizers: {finalizers}" in state else f"{state}; finalizers: {finalizers}")

    watch_until(
        partial(_list, served, namespace, name),
        judge,
        timeout=timeout,
        expected=f"{kind} {name} to be gone",
        look_next="its finalizers and the events of its namespace",
        cause="stuck-terminating",
        since=since,
    )
