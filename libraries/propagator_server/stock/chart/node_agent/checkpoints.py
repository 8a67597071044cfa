"""Taking a checkpoint: asked of the kubelet, moved away, examined, and made an image."""

from __future__ import annotations

import platform
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import archives, image, kubelet
from .content import Content
from .registry import texts_of
from .settings import Settings
from .shelf import ID, Readable, Record, Shelf

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
LEAST_ROOM = 16 << 20
"""Bytes that must be free before the kubelet is asked: a dump that fills the disk harms every pod of the node."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class RefusedError(Exception):
    """No checkpoint was taken; `status` is the HTTP status for it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Checkpoints:
    """One at a time of each container: an archive's name has whole seconds, so that two would be one file."""

    def __init__(self, settings: Settings, shelf: Shelf, content: Content) -> None:
        self._settings, self._shelf, self._content = settings, shelf, content
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self.at_work: set[str] = set()

    def take(self, asked: Mapping[str, Any], at_reply: Callable[[], None] = lambda: None) -> Record:
        """Takes the checkpoint that is asked for; one that is there already is not taken again. Raises RefusedError.

        `at_reply` is called at once when the kubelet has answered.
        """
        id_, owner, uid = (str(asked.get(key) or "") for key in ("id", "owner", "uid"))
        names = [str(asked.get(key) or "") for key in ("namespace", "pod", "container")]
        if not ID.fullmatch(id_) or not all(_NAME.fullmatch(name) for name in names):
            raise RefusedError(400, f"id, namespace, pod and container are {id_!r}, {', '.join(map(repr, names))}")
        namespace, pod, container = names
        ids = {"id": id_, "owner": owner, "uid": uid}
        return self._once("/".join(names), id_, lambda: self._taken(ids, namespace, pod, container, at_reply))

    def adopt(self, record: Mapping[str, Any], source: Readable, size: int) -> Record:
        """Takes over an archive that another cluster's agent has made, `size` bytes of it. Raises RefusedError."""
        id_, container = (str(record.get(key) or "") for key in ("id", "container"))
        if not ID.fullmatch(id_) or not _NAME.fullmatch(container):
            raise RefusedError(400, f"id and container are {id_!r} and {container!r}")
        return self._once(id_, id_, lambda: self._adopted(record, source, size))

    def _once(self, alone: str, id_: str, make: Callable[[], Record]) -> Record:
        """Makes what is not there yet; nothing of the name `alone` is made beside it. What fails leaves nothing."""
        with self._locks[alone]:
            if known := self._shelf.record(id_):
                return known
            self.at_work.add(id_)
            try:
                return make()
            except OSError as failed:
                self._shelf.give_up(id_)
                raise RefusedError(507, f"the archive cannot be kept on node {self._settings.node}: {failed}") from None
            except BaseException:
                self._shelf.give_up(id_)
                raise
            finally:
                self.at_work.discard(id_)

    def _adopted(self, known: Mapping[str, Any], source: Readable, size: int) -> Record:
        if self._shelf.free() < size + LEAST_ROOM:
            raise RefusedError(507, f"node {self._settings.node} has no room for {size} bytes")
        archive = self._shelf.receive(str(known["id"]), source, size)
        ids = {key: known.get(key) or "" for key in ("id", "owner")}
        record = self._examined(archive, {**ids, "uid": ""}, str(known["container"]), str(known.get("architecture")))
        if record["digest"] != known.get("digest"):
            raise RefusedError(400, f"what came has the digest {record['digest']}, not {known.get('digest')}")
        record |= {key: known.get(key) for key in ("uid", "namespace", "pod", "asked", "answered")}
        self._shelf.keep(record)
        return record

    def _taken(self, ids: Record, namespace: str, pod: str, container: str, at_reply: Callable[[], None]) -> Record:
        id_, node = ids["id"], self._settings.node
        if self._shelf.free() < LEAST_ROOM:
            raise RefusedError(507, f"node {node} has {self._shelf.free() >> 20} MiB left in its checkpoint folder")
        self._shelf.intend(id_, f"checkpoint-{pod}_{namespace}-{container}-*.tar")
        asked = time.time()
        try:
            name = kubelet.checkpoint(self._settings, namespace, pod, container)
        except kubelet.KubeletError as failed:
            raise RefusedError(failed.status if failed.status in (401, 403, 404, 405) else 500, str(failed)) from None
        answered = time.time()
        at_reply()
        try:
            archive = self._shelf.take(id_, name)
        except FileNotFoundError:
            where = f"{name} is not in the checkpoint folder that the agent was given (value agent.checkpointDir)"
            raise RefusedError(500, f"the kubelet of node {node} wrote its archive elsewhere: {where}") from None
        own = ARCHITECTURES.get(platform.machine(), platform.machine())
        record = self._examined(archive, ids, container, own)
        record |= {"namespace": namespace, "pod": pod, "asked": asked, "answered": answered}
        self._shelf.keep(record)
        self._shelf.done(id_)
        return record

    def _examined(self, archive: Path, ids: Record, container: str, architecture: str) -> Record:
        try:
            found = archives.examine(archive)
        except archives.BrokenArchiveError as broken:
            raise RefusedError(500, f"the kubelet's archive of container {container} is broken: {broken}") from None
        if ids["uid"] and found.pod_uid and found.pod_uid != ids["uid"]:
            raise RefusedError(409, f"another pod has that name by now: its UID is {found.pod_uid}, not {ids['uid']}")
        base = self._base(found)
        built = image.build(found, container, architecture, base["served"])
        return {
            **ids,
            "node": self._settings.node,
            "container": container,
            "architecture": architecture,
            "image": f"{self._settings.registry_name}/ck/{ids['id']}@{built.digest}",
            "manifest": built.digest,
            "texts": texts_of({built.digest: built.manifest, **built.blobs}),
            "base": base,
            **found.shown(),
        }

    def _base(self, found: archives.Findings) -> dict[str, str | None]:
        """The base image: as the runtime knows it, and as it is served here where the node's store has it."""
        reference = str(found.config.get("rootfsImageRef") or "")
        name = str(found.config.get("rootfsImageName") or found.config.get("rootfsImage") or "")
        digest = self._content.manifest_of(reference)
        port = self._settings.registry_name.rpartition(":")[2]
        plain = re.sub(r"[^a-z0-9]+", "-", name.partition("@")[0].rpartition("/")[2].partition(":")[0].lower())
        served = f"localhost:{port}/base/{plain.strip('-') or 'image'}@{digest}" if digest else None
        return {"name": name, "reference": reference, "digest": digest, "served": served}
