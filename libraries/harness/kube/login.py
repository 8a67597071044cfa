"""How a kubeconfig's user proves who he is, where that is no constant: by a command that logs in, by a token in a file.

Source: "client-go credential plugins" of kubernetes.io (client.authentication.k8s.io). The official client runs such a
command once for each thread and without a time limit, and goes on as nobody when it fails; and it reads a file's token
once, with the line's end (`KubeConfigLoader` of kubernetes 37).
"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..failures import OperationFailed
from ..processes import clean_environment
from .kubeconfig import Access, Obj

PLUGIN_TIMEOUT = 60.0
MARGIN = timedelta(minutes=1)
"""So long before its end a token is replaced."""
EXTENSION = "client.authentication.k8s.io/exec"


class Login:
    """The user of one context, for all threads. What a command gave is kept until it ends."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._given: Obj | None = None

    @property
    def changes(self) -> bool:
        """Whether the token has to be asked for again and again."""
        return bool(self._token_file or self._plugin)

    @property
    def proxy(self) -> str:
        """The URL of the proxy that the kubeconfig names for its cluster; empty for none."""
        return str(self._access.cluster.get("proxy-url") or "")

    def content(self) -> Obj:
        """A kubeconfig for the official client, with what it cannot find out by itself.

        Raises:
            OperationFailed: the command that logs in failed; cause `cluster-refused`.
            ValueError, OSError: a token or what the command needs is not there.
        """
        user = {name: value for name, value in self._access.user.items() if name not in ("exec", "tokenFile")}
        if self._token_file:
            user["token"] = self._token_in_file()
        elif self._plugin:
            user |= _user_fields(self._credentials())
        return self._access.content(user)

    def authorization(self) -> str | None:
        """The header's value as of now; None where a certificate is the proof. Raises as `content` does."""
        token = self._token_in_file() if self._token_file else self._credentials().get("token")
        return f"Bearer {token}" if token else None

    @property
    def _token_file(self) -> str | None:
        """It wins over a token, as in client-go."""
        return self._access.user.get("tokenFile")

    @property
    def _plugin(self) -> Obj | None:
        user = self._access.user
        return None if user.get("token") or user.get("username") else user.get("exec")

    def _token_in_file(self) -> str:
        token = Path(str(self._token_file)).read_text().strip()
        if not token:
            raise ValueError(f"its tokenFile {self._token_file} is empty")
        return token

    def _credentials(self) -> Obj:
        with self._lock:
            if self._given is None or _is_over(self._given):
                self._given = _asked(self._plugin or {}, self._access.cluster)
            return self._given


def _user_fields(status: Obj) -> Obj:
    fields: Obj = {"token": status["token"]} if status.get("token") else {}
    for ours, theirs in (("client-certificate-data", "clientCertificateData"), ("client-key-data", "clientKeyData")):
        if status.get(theirs):
            fields[ours] = base64.b64encode(status[theirs].encode()).decode()
    return fields


def _is_over(status: Obj) -> bool:
    ends = status.get("expirationTimestamp")
    return ends is not None and datetime.fromisoformat(ends) - MARGIN <= datetime.now(UTC)


def renewing(login: Login) -> Callable[[Any], None]:
    """What the official client calls before it asks anything (`refresh_api_key_hook` of its `Configuration`).

    Raises:
        OperationFailed: the token cannot be had any more; cause `cluster-refused`.
    """

    def renew(settings: Any) -> None:
        try:
            value = login.authorization()
        except (ValueError, OSError) as problem:
            raise OperationFailed(
                "the token of the kubeconfig's user", str(problem), "its tokenFile", cause="cluster-refused"
            ) from None
        if value:
            settings.api_key["BearerToken"] = value

    return renew


def _asked(plugin: Obj, cluster: Obj) -> Obj:
    """The status that the command prints."""
    command, version = plugin.get("command"), plugin.get("apiVersion")
    if not command or not version:
        raise ValueError("its exec plugin needs command and apiVersion")
    if plugin.get("interactiveMode") == "Always":
        raise ValueError(f"its exec plugin {command} asks somebody at a terminal (interactiveMode: Always)")
    told = {"apiVersion": version, "kind": "ExecCredential", "spec": _spec(plugin, cluster)}
    variables = {one["name"]: one["value"] for one in plugin.get("env") or []}
    answer = _printed(plugin, clean_environment(**variables, KUBERNETES_EXEC_INFO=json.dumps(told)))
    status = answer.get("status") or {}
    if answer.get("apiVersion") != version:
        raise _failed(plugin, f"it answered in {answer.get('apiVersion')}, and {version} was asked for")
    if not status.get("token") and not (status.get("clientCertificateData") and status.get("clientKeyData")):
        raise _failed(plugin, "it gave neither a token nor a certificate with its key")
    return dict(status)


def _spec(plugin: Obj, cluster: Obj) -> Obj:
    spec: Obj = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        known = {name: value for name, value in cluster.items() if name not in ("certificate-authority", "extensions")}
        if cluster.get("certificate-authority") and "certificate-authority-data" not in known:
            data = Path(cluster["certificate-authority"]).read_bytes()
            known["certificate-authority-data"] = base64.b64encode(data).decode()
        config = [one["extension"] for one in cluster.get("extensions") or [] if one["name"] == EXTENSION]
        spec["cluster"] = known | ({"config": config[0]} if config else {})
    return spec


def _printed(plugin: Obj, environment: dict[str, str]) -> Obj:
    try:
        ended = subprocess.run(
            [plugin["command"], *(plugin.get("args") or [])],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PLUGIN_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        raise _failed(plugin, f"it did not end within {PLUGIN_TIMEOUT:g} s; does it wait for somebody?") from None
    except OSError as problem:
        hint = " ".join(str(plugin.get("installHint") or "").split())
        raise _failed(plugin, f"{problem.strerror}. {hint}".strip(". ")) from None
    if ended.returncode:
        words = " ".join(ended.stderr.split())[-500:] or "nothing on its error stream"
        raise _failed(plugin, f"it ended with status {ended.returncode}: {words}")
    try:
        answer: Any = json.loads(ended.stdout)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _failed(plugin, "what it printed is no ExecCredential")
    return answer


def _failed(plugin: Obj, seen: str) -> OperationFailed:
    return OperationFailed(
        f"the kubeconfig's command `{plugin['command']}` to log in to the cluster",
        seen,
        "run kubectl with this kubeconfig: it runs the same command",
        cause="cluster-refused",
    )
