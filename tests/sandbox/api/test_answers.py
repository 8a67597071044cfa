"""What the server answers holds to the API's own schemas."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client
from tests.sandbox.conftest import wait_for

kubernetes_validate = pytest.importorskip("kubernetes_validate")


@pytest.fixture
def populated(api_client: Any, core: Any, namespace: str) -> str:
    container = {"name": "c", "image": "nginx:1.27", "readinessProbe": {"httpGet": {"port": 80}}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    apps, batch = client.AppsV1Api(api_client), client.BatchV1Api(api_client)
    apps.create_namespaced_deployment(namespace, {"metadata": {"name": "d"}, "spec": spec})
    apps.create_namespaced_daemon_set(namespace, {"metadata": {"name": "d"}, "spec": spec})
    apps.create_namespaced_stateful_set(namespace, {"metadata": {"name": "s"}, "spec": {**spec, "serviceName": "s"}})
    once = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    batch.create_namespaced_job(namespace, {"metadata": {"name": "j"}, "spec": {"template": once}})
    core.create_namespaced_service(namespace, {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "c"}, "spec": claim})

    def available() -> bool:
        return bool(apps.read_namespaced_deployment("d", namespace).status.available_replicas)

    wait_for(available, "an available Deployment")
    return namespace


def test_objects_are_valid(send: Any, populated: str) -> None:
    problems = []
    for path, version, kind in served(send):
        for item in send("GET", path)[1]["items"]:
            whole = {"apiVersion": version, "kind": kind, **item}
            try:
                kubernetes_validate.validate(whole, "1.33", strict=True)
            except kubernetes_validate.ValidationError as error:
                problems.append(f"{kind} {item['metadata']['name']}: {error.message} at {list(error.path)}")
    assert problems == []


def served(send: Any) -> list[tuple[str, str, str]]:
    """Path, version and kind of all built-in kinds that can be listed."""
    foreign = ("metrics.k8s.io", ".test")  # of other API servers, and of definitions: the schemas do not have them
    groups = [group for group in send("GET", "/apis")[1]["groups"] if not group["name"].endswith(foreign)]
    paths = ["/api/v1", *(f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"])]
    found = []
    for path in paths:
        listing = send("GET", path)[1]
        found += [
            (f"{path}/{resource['name']}", listing["groupVersion"], resource["kind"])
            for resource in listing["resources"]
            if "list" in resource["verbs"]
        ]
    return found
