"""Images that take the place of a manifest's."""

from __future__ import annotations

from typing import Any

import pytest

from harness.images import replace_images, repository


@pytest.mark.parametrize(
    ("image", "last"),
    [
        ("nginx", "nginx"),
        ("docker.io/library/nginx:1.28.0", "nginx"),
        ("registry.example:5000/mirror/nginx", "nginx"),
        ("registry.example:5000/mirror/nginx:1@sha256:abc", "nginx"),
        ("", ""),
    ],
)
def test_the_last_part_of_the_repository(image: str, last: str) -> None:
    assert repository(image) == last


def pod(*images: str, first: str = "") -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [{"name": f"c{number}", "image": one} for number, one in enumerate(images)]}
    return spec | ({"initContainers": [{"name": "init", "image": first}]} if first else {})


def test_each_container_of_that_repository_gets_the_other_image() -> None:
    document = {"kind": "Pod", "spec": pod("nginx:1", "alpine:3", "quay.io/own/nginx", first="nginx")}
    replace_images(document, {"nginx": "mirror/web:2", "redis": "mirror/redis"})
    assert document["spec"] == pod("mirror/web:2", "alpine:3", "mirror/web:2", first="mirror/web:2")


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job", "CronJob"])
def test_templates_are_searched(kind: str) -> None:
    spec = {"template": {"spec": pod("alpine:3")}}
    document = {"kind": kind, "spec": {"jobTemplate": {"spec": spec}} if kind == "CronJob" else spec}
    replace_images(document, {"alpine": "other"})
    assert spec["template"]["spec"] == pod("other")


def test_what_holds_no_pod_stays_as_it_is() -> None:
    service = {"kind": "Service", "spec": {"selector": {"app": "nginx"}}}
    replace_images(service, {"nginx": "other"})
    replace_images({"kind": "ConfigMap", "data": {}}, {"nginx": "other"})
    assert service == {"kind": "Service", "spec": {"selector": {"app": "nginx"}}}
