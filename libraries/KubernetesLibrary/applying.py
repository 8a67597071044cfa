"""Creating what a manifest holds."""

from __future__ import annotations

import secrets
import string
from typing import Any

from harness.failures import BadInput
from harness.kube import Cluster
from harness.kube.objects import create

from .manifests import CAUSE, Manifest

Obj = dict[str, Any]
SUFFIX = string.ascii_lowercase + string.digits


def apply(cluster: Cluster, manifest: Manifest, namespace: str) -> list[Obj]:
    """Creates every object of `manifest`, in its order, each with a ledger entry before.

    Raises:
        BadInput: an object names another namespace; nothing was created.
        NotAsExpected: the cluster does not serve a kind.
        OperationFailed: the API refuses an object, with its words.
    """
    for number, document in enumerate(manifest.documents, 1):
        named = document["metadata"].get("namespace")
        if named not in (None, namespace):
            where = f"metadata.namespace in document {number} of {manifest.origin}"
            raise BadInput(where, named, f"absent, or {namespace!r} as it is applied there", cause=CAUSE)
    return [create(cluster, _named(document), namespace) for document in manifest.documents]


def _named(document: Obj) -> Obj:
    """The name is drawn here where the manifest leaves it to the server, so that the ledger knows it beforehand."""
    metadata = document["metadata"]
    if "name" in metadata:
        return document
    name = metadata["generateName"] + "".join(secrets.choice(SUFFIX) for _ in range(5))
    return {**document, "metadata": {**metadata, "name": name}}
