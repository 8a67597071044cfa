"""Requests to a Kubernetes API server, with the credentials of a kubeconfig."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes import client, config

from ..backend import BackendError

TIMEOUT = 30.0
"""Seconds for an answer, unless a request says otherwise."""
RELAY_SILENCE = 60.0
"""Seconds in which nothing comes of what is sent on, before it is given up."""
Object = dict[str, Any]


class KubeError(BackendError):
    """The API server refused, or was not reached (`status` 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Kube:
    """One cluster's API server. Raises `kubernetes.config.ConfigException` for a kubeconfig that cannot be used."""

    def __init__(self, kubeconfig: Path | None, context: str | None = None) -> None:
        self._config = client.Configuration()
        everybodys = self._config.proxy  # that of the environment, which aiohttp knows, with its exceptions
        file = str(kubeconfig) if kubeconfig else None
        config.load_kube_config(config_file=file, context=context, client_configuration=self._config)
        self._proxy = self._config.proxy if self._config.proxy != everybodys else None
        self._tls = _tls(self._config) if self._config.host.startswith("https") else None
        self._session: aiohttp.ClientSession | None = None

    @property
    def server(self) -> str:
        """Its URL."""
        return str(self._config.host)

    async def get(self, path: str, **query: str) -> Object:
        """An object or a list. Raises KubeError."""
        return await self.request("GET", path, query=query)

    async def find(self, path: str) -> Object | None:
        """An object, or None where there is none. Raises KubeError."""
        try:
            return await self.get(path)
        except KubeError as failed:
            if failed.status == 404:
                return None
            raise

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = TIMEOUT,  # noqa: ASYNC109 - of the connection
    ) -> Object:
        """Sends a request and gives the JSON of its answer. Raises KubeError with the server's own words."""
        given = await self._authorized(headers or {})
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=10)
        try:
            async with self._connected().request(
                method, f"{self.server}{path}", json=body, params=query, headers=given, timeout=limits, **self._how
            ) as answer:
                return _read(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as failed:
            reason = str(failed) or type(failed).__name__
            raise KubeError(0, f"no answer from {self.server}{path}: {reason}") from failed

    async def relay(self, path: str, headers: dict[str, str], target: Kube, to: str, also: dict[str, str]) -> Object:
        """Sends what a GET answers on to another cluster with PUT, as it comes. Raises KubeError.

        Args:
            path: here; `headers` go with it.
            to: a path at `target`; `also` are the headers that go with it, and the length of the answer.
        """
        given = await self._authorized(headers)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=RELAY_SILENCE)
        try:
            async with self._connected().get(f"{self.server}{path}", headers=given, timeout=limits, **self._how) as got:
                if got.status >= 400:
                    return _read(got.status, await got.read())
                async with target._connected().put(
                    f"{target.server}{to}",
                    data=got.content,
                    headers=await target._authorized({**also, "Content-Length": str(got.content_length)}),
                    timeout=limits,
                    **target._how,
                ) as answer:
                    return _read(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as failed:
            reason = str(failed) or type(failed).__name__
            raise KubeError(0, f"{self.server} to {target.server}: {reason}") from failed

    @property
    def _how(self) -> dict[str, Any]:
        """How each request is made secure, and by which proxy it goes."""
        return {
            "ssl": self._tls or True,
            "server_hostname": self._config.tls_server_name or None,
            "proxy": self._proxy,
        }

    async def _authorized(self, headers: dict[str, str]) -> dict[str, str]:
        """With the user's credentials; a kubeconfig may have a command that logs in, which takes its time."""
        auth: dict[str, Any] = await asyncio.to_thread(self._config.auth_settings)  # type: ignore[arg-type]
        # A token from a file has the end of its line.
        own = {each["key"]: str(each["value"]).strip() for each in auth.values() if each["in"] == "header"}
        return {**headers, **own}

    async def close(self) -> None:
        """Lets go of its connections."""
        if self._session:
            await self._session.close()

    def _connected(self) -> aiohttp.ClientSession:
        """Opened where it is used first, for it belongs to a running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=True)
        return self._session


def _read(status: int, text: bytes) -> Object:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        value = {"message": text[:2000].decode(errors="replace").strip()}
    if not isinstance(value, dict):
        value = {"items": value}
    if status >= 400:
        raise KubeError(status, str(value.get("message") or f"HTTP status {status}"))
    return value


def _tls(configuration: client.Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    # Clusters' authorities lack what RFC 5280 wants of them often enough.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context
