"""Which images a manifest runs, and other ones in their place: a mirror's, a pinned digest, a later release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Obj = dict[str, Any]


def repository(image: str) -> str:
    """The last part of an image's repository: `nginx` of `docker.io/library/nginx:1.28.0@sha256:...`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def pod_specs(document: Obj) -> Iterator[Obj]:
    """The specs of pods in an object: a Pod's own, or those in the template of a Deployment, Job, CronJob and so on."""
    spec = document.get("spec")
    if not isinstance(spec, dict):
        return
    if document.get("kind") == "Pod":
        yield spec
    for holder in (spec, (spec.get("jobTemplate") or {}).get("spec") or {}):
        template = holder.get("template")
        if isinstance(template, dict) and isinstance(template.get("spec"), dict):
            yield template["spec"]


def replace_images(document: Obj, images: Mapping[str, str]) -> None:
    """Gives the containers of an object the images that `images` has for their repository's last part."""
    for spec in pod_specs(document):
        for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
            container["image"] = images.get(repository(container.get("image") or ""), container.get("image"))
