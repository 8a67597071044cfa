"""Images that emulated nodes know: which exist, what is in them, and what they run.

Stated rules, for nothing is ever pulled:
- a reference that is not one (upper case, spaces, a path) is an invalid name;
- a registry under a name that is reserved for never existing (.test, .invalid, .example) cannot be reached;
- a repository named none, nope, missing, nonexistent, does-not-exist or no-such-... (alone or as the head of its name),
  and a tag named so, is not found;
- everything else exists. Images of `localhost` registries are on every node already, as side-loaded ones are.
- The content of the images in `_BASES` is known: they hold the emulated commands and no others. Any other image runs as
  a stand-in: it sleeps, says so in its log, and answers on the ports that its pod declares.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_REFERENCE = re.compile(
    r"^(?:(?P<host>localhost(?::\d+)?|[\w-]+(?:\.[\w-]+)+(?::\d+)?|[\w-]+:\d+)/)?"
    r"(?P<repo>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)
_ABSENT = re.compile(r"^(none|nope|missing|non-?existent|does-?not-?exist|no-such)(-.*)?$")
_RESERVED = (".test", ".invalid", ".example")

NGINX_VERSION = "1.29.3"
WELCOME = b"""<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""
_COMMON: dict[str, bytes] = {
    "/etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
    "/etc/group": b"root:x:0:\n",
    "/etc/os-release": b'NAME="emulated container"\nID=emulated\n',
}
_NGINX: dict[str, bytes] = {
    **_COMMON,
    "/usr/share/nginx/html/index.html": WELCOME,
    "/etc/nginx/conf.d/default.conf": b"server {\n    listen 80;\n    root /usr/share/nginx/html;\n}\n",
    "/etc/nginx/nginx.conf": b"worker_processes auto;\nhttp { include /etc/nginx/conf.d/*.conf; }\n",
}
_UNPRIVILEGED = {
    **_NGINX,
    "/etc/nginx/conf.d/default.conf": b"server {\n    listen 8080;\n    root /usr/share/nginx/html;\n}\n",
}
_REDIS: dict[str, bytes] = {**_COMMON, "/etc/debian_version": b"12.12\n"}
_BASES: dict[str, tuple[dict[str, bytes], tuple[str, ...]]] = {
    "bb": (_COMMON, ("sh",)),
    "busybox": (_COMMON, ("sh",)),
    "alpine": ({**_COMMON, "/etc/alpine-release": b"3.22.0\n", "/etc/motd": b"Welcome to Alpine!\n"}, ("/bin/sh",)),
    "debian": ({**_COMMON, "/etc/debian_version": b"13.2\n"}, ("bash",)),
    "ubuntu": ({**_COMMON, "/etc/debian_version": b"trixie/sid\n"}, ("/bin/bash",)),
    "bash": (_COMMON, ("bash",)),
    "base": ({**_NGINX, "/etc/debian_version": b"13.2\n"}, ("sh",)),
    "nginx": (_NGINX, ("nginx", "-g", "daemon off;")),
    "nginx-unprivileged": (_UNPRIVILEGED, ("nginx", "-g", "daemon off;")),
    "nginx-slim": (_NGINX, ("nginx", "-g", "daemon off;")),
    "redis": (_REDIS, ("redis-server",)),
    "redis-stack-server": (_REDIS, ("redis-server",)),
    "valkey": (_REDIS, ("valkey-server",)),
    "curl": (_COMMON, ("curl",)),
    "stress": (_COMMON, ("stress",)),
    "pause": ({}, ("/pause",)),
}


@dataclass(frozen=True)
class Image:
    """An image on a node. `complete` says that its content is known; `command` is what it runs by itself; `version` is
    what its tag names, as far as that is a version."""

    reference: str
    image_id: str
    size: int
    files: Mapping[str, bytes] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    complete: bool = False
    version: str = ""

    @property
    def has_nginx(self) -> bool:
        """Whether nginx is installed in it."""
        return not self.complete or "/etc/nginx/nginx.conf" in self.files


class PullError(Exception):
    """The image cannot be pulled; `reason` is the kubelet's (ErrImagePull, InvalidImageName)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def is_local(reference: str) -> bool:
    """Whether the image is on every node already."""
    return reference.startswith(("localhost/", "localhost:"))


def normalized(reference: str) -> str:
    """The full name: with registry and tag. Raises PullError for what is no reference."""
    match = _REFERENCE.match(reference)
    if not match:
        raise PullError(
            "InvalidImageName",
            f'Failed to apply default image tag "{reference}": couldn\'t parse image name "{reference}": '
            "invalid reference format",
        )
    host, repo = match["host"] or "docker.io", match["repo"]
    if host == "docker.io" and "/" not in repo:
        repo = f"library/{repo}"
    tail = f":{match['tag']}" if match["tag"] else ""
    tail += f"@{match['digest']}" if match["digest"] else ""
    return f"{host}/{repo}{tail or ':latest'}"


def pull(reference: str) -> Image:
    """The image of a reference. Raises PullError."""
    name = normalized(reference)
    match = _REFERENCE.match(name)
    assert match is not None
    host, repo, tag = match["host"], match["repo"], match["tag"] or ""
    failed = f'failed to pull and unpack image "{name}": failed to resolve'
    if host.split(":")[0].endswith(_RESERVED):
        lookup = f"dial tcp: lookup {host.split(':')[0]}: no such host"
        head = f'Head "https://{host}/v2/{repo}/manifests/{tag or match["digest"]}"'
        raise PullError(
            "ErrImagePull",
            f'rpc error: code = Unknown desc = {failed} reference "{name}": failed to do request: {head}: {lookup}',
        )
    if _ABSENT.match(repo.rsplit("/", 1)[-1]) or _ABSENT.match(tag):
        raise PullError("ErrImagePull", f"rpc error: code = NotFound desc = {failed} image: {name}: not found")
    return _image(name, repo, tag)


def content(name: str) -> dict[str, bytes]:
    """The blobs of an image by its full name, by their digests: its config, a layer and, last, its manifest."""
    config, layer = (f"emulated {part} of {name}".encode() for part in ("config", "layer"))
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"digest": _digest(config), "size": len(config)},
        "layers": [{"digest": _digest(layer), "size": len(layer)}],
    }
    return {_digest(blob): blob for blob in (config, layer, json.dumps(manifest).encode())}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _image(name: str, repo: str, tag: str) -> Image:
    digest = list(content(name))[-1].removeprefix("sha256:")
    host = name.split("/", 1)[0]
    image_id = f"{host}/{repo}@sha256:{digest}"
    size = 2_000_000 + int(digest[:6], 16) * 4
    base = _BASES.get(repo.rsplit("/", 1)[-1])
    if base is None:
        return Image(name, image_id, size)
    files, command = base
    version = re.match(r"^\d+\.\d+(\.\d+)?", tag)
    return Image(name, image_id, size, files, command, complete=True, version=version.group(0) if version else "")
