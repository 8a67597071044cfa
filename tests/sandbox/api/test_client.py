"""The official Python client, typed and dynamic."""

from __future__ import annotations

import threading

import pytest
from kubernetes import client, dynamic, watch
from kubernetes.client.exceptions import ApiException
from tests.sandbox.conftest import wait_for


def test_config_map_lives(core, namespace) -> None:
    made = core.create_namespaced_config_map(namespace, {"metadata": {"name": "a"}, "data": {"k": "1"}})
    assert made.metadata.uid
    made.data["k"] = "2"
    changed = core.replace_namespaced_config_map("a", namespace, made)
    assert int(changed.metadata.resource_version) > int(made.metadata.resource_version)
    with pytest.raises(ApiException) as stale:
        core.replace_namespaced_config_map("a", namespace, made)
    assert stale.value.status == 409
    core.delete_namespaced_config_map("a", namespace)
    with pytest.raises(ApiException) as gone:
        core.read_namespaced_config_map("a", namespace)
    assert gone.value.status == 404


def test_pages_show_one_revision(core, namespace) -> None:
    for number in range(5):
        core.create_namespaced_config_map(namespace, {"metadata": {"name": f"p{number}"}})
    first = core.list_namespaced_config_map(namespace, limit=2)
    assert first.metadata.remaining_item_count == 4  # three of ours and kube-root-ca.crt
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "p9"}})
    core.delete_namespaced_config_map("p4", namespace)
    names, page = [item.metadata.name for item in first.items], first
    while page.metadata._continue:
        page = core.list_namespaced_config_map(namespace, limit=2, _continue=page.metadata._continue)
        names += [item.metadata.name for item in page.items]
    assert names == ["kube-root-ca.crt", "p0", "p1", "p2", "p3", "p4"]


def test_watch_tells_what_happens(core, namespace) -> None:
    start = core.list_namespaced_config_map(namespace).metadata.resource_version
    seen: list[tuple[str, str]] = []

    def follow() -> None:
        stream = watch.Watch().stream(
            core.list_namespaced_config_map, namespace, resource_version=start, label_selector="w=1", timeout_seconds=60
        )
        for event in stream:
            seen.append((event["type"], event["object"].metadata.name))
            if event["type"] == "DELETED":
                return

    thread = threading.Thread(target=follow)
    thread.start()
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "other"}})
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "w", "labels": {"w": "1"}}})
    core.patch_namespaced_config_map("w", namespace, {"data": {"a": "b"}})
    core.patch_namespaced_config_map("w", namespace, {"metadata": {"labels": {"w": None}}})
    thread.join(60)
    assert seen == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")]


def test_watch_of_a_compacted_version_is_gone(core, namespace) -> None:
    stream = watch.Watch().stream(core.list_namespaced_config_map, namespace, resource_version="1", timeout_seconds=60)
    with pytest.raises(ApiException) as expired:
        list(stream)
    assert expired.value.status == 410


def test_pod_becomes_ready(core, namespace) -> None:
    container = {"name": "c", "image": "nginx:1.27"}
    core.create_namespaced_pod(namespace, {"metadata": {"name": "p"}, "spec": {"containers": [container]}})

    def ready() -> bool:
        conditions = core.read_namespaced_pod("p", namespace).status.conditions or []
        return any(each.type == "Ready" and each.status == "True" for each in conditions)

    wait_for(ready, "a Ready pod")
    core.delete_namespaced_pod("p", namespace)
    wait_for(lambda: not core.list_namespaced_pod(namespace).items, "no pods")


def test_dynamic_client_applies(api_client, namespace) -> None:
    maps = dynamic.DynamicClient(api_client).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}, "data": {"a": "1"}}
    maps.server_side_apply(body=body, namespace=namespace, name="d", field_manager="one")
    body["data"] = {"a": "2"}
    with pytest.raises(ApiException) as conflict:
        maps.server_side_apply(body=body, namespace=namespace, name="d", field_manager="two")
    assert conflict.value.status == 409
    assert b".data.a" in conflict.value.body.encode() if isinstance(conflict.value.body, str) else conflict.value.body
    maps.server_side_apply(body=body, namespace=namespace, name="d", field_manager="two", force_conflicts=True)
    assert maps.get(name="d", namespace=namespace).data.a == "2"


def test_rights_are_enforced(api_client, core, namespace) -> None:
    core.create_namespaced_service_account(namespace, {"metadata": {"name": "s"}})
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[]))
    token = core.create_namespaced_service_account_token("s", namespace, request).status.token
    configuration = client.Configuration.get_default_copy()
    configuration.host = api_client.configuration.host
    configuration.ssl_ca_cert = api_client.configuration.ssl_ca_cert
    configuration.api_key = {"authorization": f"Bearer {token}"}
    restricted = client.CoreV1Api(client.ApiClient(configuration))
    with pytest.raises(ApiException) as refused:
        restricted.list_namespaced_pod(namespace)
    assert refused.value.status == 403
    rights = client.RbacAuthorizationV1Api(api_client)
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    rights.create_namespaced_role(namespace, {"metadata": {"name": "r"}, "rules": [rule]})
    subject = {"kind": "ServiceAccount", "name": "s", "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    rights.create_namespaced_role_binding(
        namespace, {"metadata": {"name": "r"}, "roleRef": reference, "subjects": [subject]}
    )
    assert restricted.list_namespaced_pod(namespace).items == []
