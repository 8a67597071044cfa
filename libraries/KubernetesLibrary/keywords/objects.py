"""Keywords for objects of any kind."""

from __future__ import annotations

from typing import Any

from robot.api import logger
from robot.api.deco import keyword
from robot.utils import DotDict

from harness.kube import CLUSTERS
from harness.kube.objects import find
from harness.secrets import MASK

from .answers import dotted


class ObjectKeywords:
    """Looking at what the cluster has."""

    @keyword
    def find_object(
        self, kind: str, name: str, namespace: str = "", *, api_version: str = "v1", cluster: str | None = None
    ) -> DotDict | None:
        """Looks for an object of any kind.

        Args:
            kind: as in a manifest, such as `ConfigMap`.
            name: of the object.
            namespace: where it is; nothing for kinds that belong to no namespace.
            api_version: as in a manifest, such as `apps/v1`.
            cluster: alias; the first started cluster by default.

        Returns:
            The object, with the API's field names; None where there is none. The values of a Secret are masked.

        Raises:
            NotAsExpected: the cluster does not serve that kind.
            OperationFailed: the cluster refuses.

        Example:

            ${config}=    Find Object    ConfigMap    kube-root-ca.crt    my-tests
            Should Not Be Equal    ${config}    ${NONE}
        """
        found = find(CLUSTERS.get(cluster), api_version, kind, namespace, name)
        logger.info(f"{kind} {name} {'is there' if found else 'is not there'}.")
        return dotted(_masked(found)) if found else None


def _masked(found: dict[str, Any]) -> dict[str, Any]:
    if found["kind"] != "Secret":
        return found
    annotations = dict.fromkeys(found["metadata"].get("annotations") or {}, MASK)  # kubectl keeps a copy in one
    metadata = found["metadata"] | ({"annotations": annotations} if annotations else {})
    return found | {"metadata": metadata, "data": dict.fromkeys(found.get("data") or {}, MASK)}
