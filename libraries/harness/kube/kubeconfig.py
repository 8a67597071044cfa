"""Kubeconfigs as kubectl reads them: several files merged, paths taken from the file that names them, one context.

Source: "Organizing Cluster Access Using kubeconfig Files" of kubernetes.io (the first file to set a value wins, also
for current-context; relative paths are relative to the file they stand in). The official client differs in both: its
last file's current-context wins, and a user's paths are looked up beside the cluster's file (`KubeConfigMerger` and
`KubeConfigLoader._load_cluster_info` of kubernetes 37). It passes over what it does not know, and would then go on as
somebody else; that is refused here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import documents

Obj = dict[str, Any]
LISTS = ("clusters", "contexts", "users")
PATHS = {"clusters": ("certificate-authority",), "users": ("client-certificate", "client-key", "tokenFile")}
IMPERSONATION = ("as", "as-uid", "as-groups", "as-user-extra")
LOGS_IN_BY_ITSELF = "oidc"


@dataclass(frozen=True)
class Access:
    """One context: the cluster and the user that it names, as they stand in the kubeconfig, with absolute paths."""

    cluster: Obj
    user: Obj

    def content(self, user: Obj) -> Obj:
        """A kubeconfig with this context alone, and `user` in the place of its user."""
        name = "chosen"
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "clusters": [{"name": name, "cluster": self.cluster}],
            "users": [{"name": name, "user": user}],
        }


def files(path: Path) -> list[Path]:
    """The files that it names: one, or several with the separator of paths between them."""
    return [Path(part).expanduser().absolute() for part in str(path).split(os.pathsep) if part]


def merged(path: Path) -> Obj:
    """All files as one kubeconfig; files that are not there are passed over, as kubectl does.

    Raises:
        ValueError, TypeError: none is there, or one of them is no kubeconfig.
        yaml.YAMLError, OSError: one of them cannot be read.
    """
    whole: Obj = {"apiVersion": "v1", "kind": "Config", "current-context": "", **{name: [] for name in LISTS}}
    there = [file for file in files(path) if file.is_file()]
    if not there:
        raise ValueError("there is no such file")
    for file in there:
        content = _parsed(file)
        whole["current-context"] = whole["current-context"] or content.get("current-context") or ""
        for kind in LISTS:
            known = {one["name"] for one in whole[kind]}
            whole[kind] += [_located(kind, one, file.parent) for one in content[kind] if one["name"] not in known]
    return whole


def access(path: Path, context: str | None) -> Access:
    """What a context comes to; the current one when None.

    Raises:
        ValueError, TypeError: there is no such context, cluster or user, or the official client cannot do what it asks.
        yaml.YAMLError, OSError: a file cannot be read.
    """
    whole = merged(path)
    name = context or whole["current-context"]
    if not name:
        raise ValueError("it has no current-context, and no context was named")
    held = _named(whole, "contexts", name)
    cluster = _named(whole, "clusters", held.get("cluster"))
    user = _named(whole, "users", held["user"]) if held.get("user") else {}
    if not cluster.get("server"):
        raise ValueError(f"its cluster {held.get('cluster')!r} names no server")
    _refuse_what_is_not_done(cluster, user, held.get("user"))
    return Access(cluster, user)


def _parsed(file: Path) -> Obj:
    with file.open() as stream:  # not its text, which YAML's errors would quote
        content = documents.load(stream)
    if not isinstance(content, dict):
        raise TypeError(f"{file} is empty" if content is None else f"{file} is no mapping")
    for kind in LISTS:
        content[kind] = content.get(kind) or []
        if not isinstance(content[kind], list) or not all(_has_a_name(one) for one in content[kind]):
            raise ValueError(f"{kind} in {file} is no list of things with names")
    return content


def _has_a_name(one: object) -> bool:
    return isinstance(one, dict) and isinstance(one.get("name"), str)


def _located(kind: str, one: Obj, folder: Path) -> Obj:
    """The same with absolute paths."""
    part = kind.removesuffix("s")
    inside = dict(one.get(part) or {})
    for name in PATHS.get(kind, ()):
        if inside.get(name):
            inside[name] = str(folder / inside[name])
    plugin = inside.get("exec")
    if plugin and os.sep in plugin.get("command", "") and kind == "users":  # a bare name is looked up on PATH
        inside["exec"] = plugin | {"command": str(folder / plugin["command"])}
    return {**one, part: inside}


def _named(whole: Obj, kind: str, name: object) -> Obj:
    for one in whole[kind]:
        if one["name"] == name:
            found: Obj = one[kind.removesuffix("s")]
            return found
    there = ", ".join(one["name"] for one in whole[kind]) or "none"
    raise ValueError(f"there is no {kind.removesuffix('s')} {name!r} in it, but {there}")


def _refuse_what_is_not_done(cluster: Obj, user: Obj, name: object) -> None:
    if asked := [field for field in IMPERSONATION if user.get(field)]:
        raise ValueError(
            f"its user {name!r} acts as another one ({', '.join(asked)}), which the official Python client does not do "
            "for exec and port-forward; name a user who has the rights himself"
        )
    provider = (user.get("auth-provider") or {}).get("name")
    if provider and provider != LOGS_IN_BY_ITSELF:
        raise ValueError(
            f"its user {name!r} has the auth-provider {provider!r}, which Kubernetes 1.26 took out of its clients; "
            "have your cloud's tool write a kubeconfig with an exec plugin"
        )
    scheme = urlsplit(cluster.get("proxy-url") or "").scheme
    if scheme and scheme != "http":
        raise ValueError(
            f"its proxy-url begins with {scheme}://, and the official Python client reaches exec and port-forward "
            "through http:// proxies only"
        )
