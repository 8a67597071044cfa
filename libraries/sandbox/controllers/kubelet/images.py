"""The images on each node, and how a kubelet gets one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ...runtime.images import Image, PullError, is_local, normalized, pull

Event = Callable[[str, str], None]


class NodeImages:
    """Names of the images that each node has."""

    def __init__(self) -> None:
        self._on_node: dict[str, set[str]] = defaultdict(set)

    def fetch(self, node: str, spec: dict[str, Any], event: Event) -> Image:
        """The image of a container, as its pull policy has it. Raises PullError."""
        reference = spec["image"]
        policy = spec.get("imagePullPolicy", "IfNotPresent")
        name = normalized(reference)
        present = name in self._on_node[node] or is_local(reference)
        if policy == "Never" and not present:
            message = f'Container image "{reference}" is not present with pull policy of Never'
            raise PullError("ErrImageNeverPull", message)
        if policy != "Always" and present:
            image = pull(reference)
            event("Pulled", f'Container image "{reference}" already present on machine')
            return image
        event("Pulling", f'Pulling image "{reference}"')
        image = pull(reference)
        self._on_node[node].add(name)
        took = "1ms (1ms including waiting)"
        event("Pulled", f'Successfully pulled image "{reference}" in {took}. Image size: {image.size} bytes.')
        return image
