"""Manifests: read, checked before anything is created, and adapted to a run."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.documents import load_all
from harness.failures import BadInput
from harness.images import replace_images

from .owners import reference

Obj = dict[str, Any]
CAUSE = "bad-manifest"


@dataclass(frozen=True)
class Manifest:
    """The documents of a manifest, each with apiVersion, kind and a name.

    Attributes:
        origin: the file, or "the given text", for messages.
    """

    origin: str
    documents: tuple[Obj, ...]

    def pod(self) -> Obj:
        """The only Pod in it.

        Raises:
            BadInput: it holds no Pod, or several.
        """
        pods = [document for document in self.documents if document["kind"] == "Pod"]
        if len(pods) != 1:
            kinds = ", ".join(document["kind"] for document in self.documents)
            raise BadInput(f"the number of Pods in {self.origin}", len(pods), f"1 (it holds {kinds})", cause=CAUSE)
        return pods[0]


@dataclass(frozen=True)
class Overrides:
    """What a run changes in a manifest.

    Attributes:
        pod_name: the pod's name; its `app` label and its container of the old name follow.
        image: image of `container`, or of the first container.
        container: which container `image` is for.
        images: images by the last part of their repository (`nginx`), for every container that has one of it.
        labels: added to every object.
        rename_services: Services that select the old `app` label, or have the pod's old name, follow `pod_name`.
        owner: the object that every object is to belong to.
    """

    pod_name: str | None = None
    image: str | None = None
    container: str | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    rename_services: bool = False
    owner: Obj | None = None

    @property
    def need_pod(self) -> bool:
        """Whether they speak of a pod."""
        return bool(self.pod_name or self.image)


def load(source: str | Path) -> Manifest:
    """Reads a manifest.

    Args:
        source: path of a YAML file, or YAML text (a text that has a line break).

    Raises:
        BadInput: no such file, empty, no YAML, or a document that is no Kubernetes object; cause `bad-manifest`.
    """
    if isinstance(source, str) and "\n" in source:
        return parse(source, "the given text")
    path = Path(source)
    if not str(source).strip() or not path.is_file():
        raise BadInput("the manifest", source, "the path of an existing file, or YAML text", cause=CAUSE)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput("the manifest", source, f"a readable text file ({problem})", cause=CAUSE) from None
    return parse(text, str(source))


def parse(text: str, origin: str) -> Manifest:
    """The documents of a YAML text; `origin` names it in messages.

    Raises:
        BadInput: as `load`.
    """
    try:
        documents = [document for document in load_all(text) if document is not None]
    except yaml.YAMLError as problem:
        raise BadInput("the manifest", origin, f"valid YAML ({_one_line(problem)})", cause=CAUSE) from None
    if not documents:
        raise BadInput(origin, None, "at least one Kubernetes object", cause=CAUSE)
    for number, document in enumerate(documents, 1):
        _check(document, f"document {number} of {origin}")
    return Manifest(origin, tuple(documents))


def adapt(manifest: Manifest, overrides: Overrides) -> Manifest:
    """A copy of `manifest` with `overrides`.

    Raises:
        BadInput: they need a Pod or a container that is not in it.
    """
    adapted = Manifest(manifest.origin, copy.deepcopy(manifest.documents))
    for document in adapted.documents:
        replace_images(document, overrides.images)
    if overrides.need_pod:
        pod = adapted.pod()
        if overrides.image:
            _container(pod, overrides.container, manifest.origin)["image"] = overrides.image
        if overrides.pod_name:
            old = pod["metadata"].get("name", "")
            _rename_pod(pod, old, overrides.pod_name)
            if overrides.rename_services:
                _rename_services(adapted.documents, old, overrides.pod_name)
    for document in adapted.documents:
        if overrides.labels:
            document["metadata"].setdefault("labels", {}).update(overrides.labels)
        if overrides.owner:
            document["metadata"]["ownerReferences"] = [reference(overrides.owner)]
    return adapted


def _check(document: Any, where: str) -> None:
    if not isinstance(document, dict):
        kind = type(document).__name__
        raise BadInput(where, kind, "a Kubernetes object with apiVersion, kind and metadata", cause=CAUSE)
    for name in ("apiVersion", "kind"):
        _check_text(document.get(name), f"{name} in {where}")
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        raise BadInput(f"metadata in {where}", metadata, "given, with a name", cause=CAUSE)
    _check_text(metadata.get("name", metadata.get("generateName")), f"metadata.name in {where}")
    if document["kind"] == "Pod":
        _check_containers(document, where)


def _check_text(value: Any, where: str) -> None:
    if not isinstance(value, str) or not value:
        raise BadInput(where, value, "given, as a text", cause=CAUSE)


def _check_containers(pod: Obj, where: str) -> None:
    spec = pod.get("spec")
    containers = spec.get("containers") if isinstance(spec, dict) else None
    named = isinstance(containers, list) and all(isinstance(one, dict) and "name" in one for one in containers)
    if not containers or not named:
        raise BadInput(f"spec.containers in {where}", containers, "a list of containers with names", cause=CAUSE)


def _container(pod: Obj, name: str | None, origin: str) -> Obj:
    containers: Sequence[Obj] = pod["spec"]["containers"]
    if name is None:
        return containers[0]
    found = next((one for one in containers if one["name"] == name), None)
    if found is None:
        names = ", ".join(one["name"] for one in containers)
        raise BadInput("container", name, f"one of the pod's in {origin}: {names}", cause=CAUSE)
    return found


def _rename_pod(pod: Obj, old: str, new: str) -> None:
    pod["metadata"].pop("generateName", None)
    pod["metadata"]["name"] = new
    labels = pod["metadata"].get("labels") or {}
    if labels.get("app") == old:
        labels["app"] = new
    for container in pod["spec"]["containers"]:
        if container["name"] == old:
            container["name"] = new


def _rename_services(documents: Sequence[Obj], old: str, new: str) -> None:
    for service in (document for document in documents if document["kind"] == "Service"):
        selector = service.get("spec", {}).get("selector") or {}
        if selector.get("app") == old:
            selector["app"] = new
        if service["metadata"].get("name") == old:
            service["metadata"]["name"] = new


def _one_line(problem: yaml.YAMLError) -> str:
    mark = getattr(problem, "problem_mark", None)
    what = getattr(problem, "problem", None) or str(problem).splitlines()[0]
    return f"line {mark.line + 1}: {what}" if mark else str(what)
