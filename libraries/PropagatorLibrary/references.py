"""Which pod a request is about."""

from __future__ import annotations

from dataclasses import dataclass

from harness.failures import BadInput


@dataclass(frozen=True)
class PodRef:
    """Which pod is meant: by its UID, or by name and namespace. All that is given is sent."""

    uid: str = ""
    name: str = ""
    namespace: str = ""
    cluster_id: str = ""

    def __post_init__(self) -> None:
        if not self.uid and not (self.name and self.namespace):
            raise BadInput("pod", str(self), "given by its UID, or by name and namespace")

    def body(self) -> dict[str, str]:
        """The fields of a request that say which pod is meant."""
        fields = {
            "pod_id": self.uid,
            "pod_name": self.name,
            "namespace": self.namespace,
            "cluster_id": self.cluster_id,
        }
        return {key: value for key, value in fields.items() if value}

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.name else self.uid
