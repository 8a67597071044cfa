"""Calls of the official client's classes without these: they are asked for by name, and are answered as JSON.

Each class brings all models of its group and half a second of processor time to import them, for what a harness that
reads the API's own JSON does not need. Who does not say `_preload_content=False` gets the official call.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

IN = "/api/v1/namespaces/{namespace}"
APPS = "/apis/apps/v1/namespaces/{namespace}"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
CALLS = {
    "connect_get_namespaced_pod_exec": ("GET", f"{IN}/pods/{{name}}/exec"),
    "connect_get_namespaced_pod_portforward": ("GET", f"{IN}/pods/{{name}}/portforward"),
    "connect_get_node_proxy_with_path": ("GET", "/api/v1/nodes/{name}/proxy/{path}"),
    "create_namespace": ("POST", "/api/v1/namespaces"),
    "create_namespaced_pod_eviction": ("POST", f"{IN}/pods/{{name}}/eviction"),
    "create_self_subject_access_review": ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    "delete_namespace": ("DELETE", "/api/v1/namespaces/{name}"),
    "delete_namespaced_lease": ("DELETE", f"{LEASES}/{{name}}"),
    "delete_namespaced_pod": ("DELETE", f"{IN}/pods/{{name}}"),
    "list_namespace": ("GET", "/api/v1/namespaces"),
    "list_namespaced_deployment": ("GET", f"{APPS}/deployments"),
    "list_namespaced_event": ("GET", f"{IN}/events"),
    "list_namespaced_persistent_volume_claim": ("GET", f"{IN}/persistentvolumeclaims"),
    "list_namespaced_pod": ("GET", f"{IN}/pods"),
    "list_namespaced_secret": ("GET", f"{IN}/secrets"),
    "list_namespaced_service_account": ("GET", f"{IN}/serviceaccounts"),
    "list_namespaced_stateful_set": ("GET", f"{APPS}/statefulsets"),
    "list_node": ("GET", "/api/v1/nodes"),
    "list_persistent_volume": ("GET", "/api/v1/persistentvolumes"),
    "list_pod_for_all_namespaces": ("GET", "/api/v1/pods"),
    "list_secret_for_all_namespaces": ("GET", "/api/v1/secrets"),
    "patch_namespaced_lease": ("PATCH", f"{LEASES}/{{name}}"),
    "patch_namespaced_pod": ("PATCH", f"{IN}/pods/{{name}}"),
    "patch_namespaced_pod_status": ("PATCH", f"{IN}/pods/{{name}}/status"),
    "patch_namespaced_stateful_set_scale": ("PATCH", f"{APPS}/statefulsets/{{name}}/scale"),
    "patch_node": ("PATCH", "/api/v1/nodes/{name}"),
    "patch_node_status": ("PATCH", "/api/v1/nodes/{name}/status"),
    "read_namespace": ("GET", "/api/v1/namespaces/{name}"),
    "read_namespaced_daemon_set": ("GET", f"{APPS}/daemonsets/{{name}}"),
    "read_namespaced_deployment": ("GET", f"{APPS}/deployments/{{name}}"),
    "read_namespaced_pod": ("GET", f"{IN}/pods/{{name}}"),
    "read_namespaced_pod_log": ("GET", f"{IN}/pods/{{name}}/log"),
    "read_namespaced_stateful_set": ("GET", f"{APPS}/statefulsets/{{name}}"),
    "read_node": ("GET", "/api/v1/nodes/{name}"),
}
"""Method and path by the official name. Arguments without a name are, in this order, name, namespace, path and body,
as far as the call has them."""
ANYTHING = ("/exec", "/portforward", "/{path}")
"""Ends of paths whose answers are of no type that could be named."""
PLACES = ("name", "namespace", "path")
MERGE = "application/strategic-merge-patch+json"


class Plain:
    """The calls of one class of the official client.

    Args:
        api: the client that sends them.
        official: name of the class.
    """

    def __init__(self, api: client.ApiClient, official: str) -> None:
        self.api_client, self._official = api, official

    def __getattr__(self, name: str) -> Any:
        if name not in CALLS:
            return self._officially(name)

        def call(plain: Plain, *arguments: Any, _preload_content: bool = True, **options: Any) -> Any:
            if _preload_content:
                return plain._officially(name)(*arguments, **options)
            return _call(plain.api_client, *CALLS[name], arguments, options)

        return MethodType(call, self)  # the client's websockets look for the client behind the method

    def _officially(self, name: str) -> Any:
        return getattr(getattr(client, self._official)(self.api_client), name)


def _call(api: client.ApiClient, method: str, path: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The answer, not read yet.

    Raises:
        ApiException: the server refuses; the body is in it.
    """
    places = [one for one in PLACES if f"{{{one}}}" in path]
    given = dict(zip([*places, "body"], arguments, strict=False)) | options
    timeout, content = given.pop("_request_timeout", None), given.pop("_content_type", None)
    body = given.pop("body", None)
    headers = {"Accept": "*/*" if method == "GET" and path.endswith(ANYTHING) else "application/json"}
    if body is not None:
        headers["Content-Type"] = content or (MERGE if method == "PATCH" else "application/json")
    request = api.param_serialize(
        method,
        path,
        path_params={one: given.pop(one) for one in places},
        query_params=[(_camel_case(key), value) for key, value in given.items() if value is not None],
        header_params=headers,
        body=body,
        post_params=[],
        collection_formats={"command": "multi"},
        auth_settings=["BearerToken"],
    )
    answer = api.call_api(*request, _request_timeout=timeout)
    if not 200 <= answer.status <= 299:
        answer.read()
        raise ApiException.from_response(http_resp=answer, body=None, data=None)
    return answer.response


def _camel_case(name: str) -> str:
    """`field_selector` as the API has it: `fieldSelector`."""
    first, *others = name.strip("_").split("_")
    return first + "".join(part.title() for part in others)
