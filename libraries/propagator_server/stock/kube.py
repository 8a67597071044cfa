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
        file = str(kubeconfig) if kubeconfig else None
        config.load_kube_config(config_file=file, context=context, client_configuration=self._config)
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
        # A kubeconfig may have a command that logs in, which takes its time.
        auth: dict[str, Any] = await asyncio.to_thread(self._config.auth_settings)  # type: ignore[arg-type]
        given = {each["key"]: str(each["value"]) for each in auth.values() if each["in"] == "header"}
        try:
            async with self._connected().request(
                method,
                f"{self.server}{path}",
                json=body,
                params=query,
                headers={**(headers or {}), **given},
                ssl=self._tls if self._tls else True,
                server_hostname=self._config.tls_server_name or None,
                timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=10),
            ) as answer:
                return _read(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as failed:
            reason = str(failed) or type(failed).__name__
            raise KubeError(0, f"no answer from {self.server}{path}: {reason}") from failed

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
