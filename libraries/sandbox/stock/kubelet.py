"""The kubelets' checkpoint endpoint: what it answers, and the archives that it leaves on the node.

Texts and statuses as measured on Kubernetes 1.33 with containerd 2.1.9.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .. import kinds
from ..api.access import Action, allowed
from ..cedana.dump import FREEZE_PER_BYTE
from ..runtime.images import content
from .archives import Source, written

if TYPE_CHECKING:
    from ..cluster import Cluster

Object = dict[str, Any]
ROOT = "/var/lib/kubelet/checkpoints"
_STATE = "/run/containerd/io.containerd.runtime.v2.task/k8s.io"
_REFUSED_DUMP = 0.2


class Kubelets:
    """The endpoint of all kubelets of a cluster. `folder`: what the nodes have on their disks."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster, self._folder = cluster, folder

    def checkpoints(self, node: str) -> Path:
        """A node's folder of archives."""
        return self.disk(node) / "checkpoints"

    def disk(self, node: str) -> Path:
        """What else a node has on its disk."""
        return self._folder / self._cluster.name / node

    def app(self, node: str) -> web.Application:
        """A kubelet's own port: it asks who it is and whether he may create `nodes/checkpoint`."""

        async def handle(request: web.Request) -> web.StreamResponse:
            _, _, token = request.headers.get("Authorization", "").partition(" ")
            user = self._cluster.authenticate(token.strip())
            if user is None:
                return web.Response(status=401, text="Unauthorized")
            if self._cluster.kubelet.trouble[node].down:
                raise web.HTTPServiceUnavailable
            if not allowed(self._cluster.store, user, Action("create", resource="nodes/checkpoint", name=node)):
                who = f"user={user.name}, verb=create, resource=nodes, subresource(s)=[checkpoint]"
                return web.Response(status=403, text=f"Forbidden ({who})")
            return await self.answer(request, node, request.match_info["rest"])

        app = web.Application()
        app.router.add_route("*", "/checkpoint/{rest:.*}", handle)
        return app

    async def answer(self, request: web.Request, node: str, rest: str) -> web.StreamResponse:
        """To `/checkpoint/<rest>`, by somebody who may."""
        if self._cluster.kubelet.trouble[node].no_checkpoints:
            return web.Response(status=404, text="404 page not found\n")
        if request.method != "POST":
            return web.Response(status=405, text="405: Method Not Allowed")
        if "timeout" in request.query and not request.query["timeout"].isdigit():
            return web.Response(status=404, text="cannot parse value of timeout parameter")
        try:
            pod, spec = self._meant(node, rest)
        except LookupError as unknown:
            return web.Response(status=404, text=str(unknown.args[0]))
        try:
            path = await self._checkpoint(pod, spec)
        except FailedDump as failed:
            return web.Response(status=500, text=f"checkpointing of {rest.strip('/')} failed ({failed})")
        return web.json_response({"items": [path]})

    def _meant(self, node: str, rest: str) -> tuple[Object, Object]:
        """The pod and the container's spec. Raises LookupError with the kubelet's words."""
        parts = rest.strip("/").split("/")
        if len(parts) != 3:
            raise LookupError("404 page not found\n")
        pod = self._cluster.store.get(kinds.POD, parts[0], parts[1])
        if pod is None or pod["spec"].get("nodeName") != node:
            raise LookupError("pod does not exist")
        spec = next((each for each in _containers(pod) if each["name"] == parts[2]), None)
        if spec is None:
            raise LookupError(f"container {parts[2]} does not exist")
        return pod, spec

    async def _checkpoint(self, pod: Object, spec: Object) -> str:
        metadata, cluster, name = pod["metadata"], self._cluster, spec["name"]
        node = pod["spec"]["nodeName"]
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        file = f"checkpoint-{metadata['name']}_{metadata['namespace']}-{name}-{at}.tar"
        container = cluster.runtime.container(metadata["uid"], name)
        trouble = cluster.kubelet.trouble[node]
        if not container or not container.running or spec not in pod["spec"]["containers"]:
            raise FailedDump(f"container {name} not found")
        if container.frozen_at is not None:
            raise FailedDump("rpc error: code = Unknown desc = OCI runtime pause failed: container not running")
        if trouble.no_criu:
            raise FailedDump(
                "rpc error: code = Unknown desc = CRIU binary not found or too old (<31600). Failed to checkpoint "
                f'container "{container.id}": failed to check for criu version: exec: "criu": executable file not '
                "found in $PATH"
            )
        if cluster.runtime.connections(metadata["uid"]):
            await asyncio.sleep(_REFUSED_DUMP)
            raise FailedDump(
                "rpc error: code = Unknown desc = failed to checkpoint container: runc did not terminate "
                "successfully: exit status 1: criu failed: type DUMP errno 0 path= "
                f"{_STATE}/{container.id}/criu-dump.log)"
            )
        await asyncio.sleep(cluster.latencies.checkpoint)
        try:
            size = container.memory_bytes(cluster.runtime.now())
            freeze = cluster.latencies.freeze + size * FREEZE_PER_BYTE
            snapshot, cut = cluster.runtime.snapshot_of(metadata["uid"], name, freeze)
        except KeyError:
            raise FailedDump(f"container {name} not found") from None
        await asyncio.sleep(freeze)
        # The log is copied when the process goes on already: a line from after the cut may be in it (measured).
        container.advance(cluster.runtime.now())
        snapshot = replace(snapshot, log=tuple(container.log.lines))
        self._write(node, file, written(Source(pod, spec, container, snapshot, cut)))
        self._store_content(node, container.image.reference)
        return f"{ROOT}/{file}"

    def _write(self, node: str, file: str, archive: bytes) -> None:
        """A file that is there already is written over and not cut off (measured)."""
        trouble = self._cluster.kubelet.trouble[node]
        full = len(archive) > trouble.disk_left
        if full or trouble.cuts_archives:
            archive = archive[: int(trouble.disk_left) if full else len(archive) // 2]
        folder = self.checkpoints(node)
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / file, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(archive)
        if full:
            raise FailedDump(f"rpc error: code = Unknown desc = write {ROOT}/{file}: no space left on device")

    def _store_content(self, node: str, reference: str) -> None:
        """An image that the node has, in the runtime's content store on its disk."""
        blobs = self.disk(node) / "content" / "blobs" / "sha256"
        blobs.mkdir(parents=True, exist_ok=True)
        for digest, blob in content(reference).items():
            (blobs / digest.removeprefix("sha256:")).write_bytes(blob)


class FailedDump(Exception):
    """The runtime took no checkpoint; the words are its own."""


def _containers(pod: Object) -> list[Object]:
    return [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]
