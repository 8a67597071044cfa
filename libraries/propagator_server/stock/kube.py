"""Requests to a Kubernetes API server, with the credentials of a kubeconfig."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.config import ConfigException

from ..backend import BackendError
from .access import Access, access

TIMEOUT = 30.0
"""Seconds for an answer, unless a request says otherwise."""
PAUSES = (0.1, 0.3, 0.9)
"""Seconds between the tries of a request that found the server away, unless it asks for more."""
AWAY = (0, 429, 500, 502, 503, 504)
TOO_MANY = 429
LONGEST_PAUSE = 10.0
RELAY_SILENCE = 60.0
"""Seconds in which nothing comes of what is sent on, before it is given up."""
Object = dict[str, Any]


class KubeError(BackendError):
    """The API server refused, or was not reached (`status` 0).

    Attributes:
        of_the_api_server: whether it is the API server's own answer, rather than that of what it is a proxy of.
        retry_after: the seconds after which it may be asked again, as it says.
        repeats: whether the same request may do better soon; not where it has cost its time already.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        of_the_api_server: bool = False,
        retry_after: float = 0.0,
        repeats: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.of_the_api_server, self.retry_after, self.repeats = of_the_api_server, retry_after, repeats


class Kube:
    """One cluster's API server. Raises `kubernetes.config.ConfigException` for a kubeconfig that cannot be used."""

    def __init__(self, kubeconfig: Path | None, context: str | None = None) -> None:
        self._file, self._context = kubeconfig, context
        self._access = access(kubeconfig, context)
        self._logging_in = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    @property
    def server(self) -> str:
        """Its URL."""
        return str(self._access.config.host)

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
        """Sends a request and gives the JSON of its answer. Raises KubeError with the server's own words.

        A GET that finds the server away or overloaded is sent a few times, any other request after a 429 only: what is
        refused so was not done. A 401 of the API server has the kubeconfig read again, whose credentials may be new.
        """
        given = {"json": body, "params": query, "timeout": aiohttp.ClientTimeout(total=timeout, sock_connect=10)}
        pauses = [*PAUSES]
        known: Access | None = self._access
        while True:
            try:
                return await self._sent(method, path, headers or {}, given)
            except KubeError as failed:
                if failed.status == 401 and failed.of_the_api_server and known:
                    await self._log_in_again(known)
                    known = None
                elif pauses and _is_worth_another_try(method, path, failed):
                    await asyncio.sleep(max(pauses.pop(0), failed.retry_after))
                else:
                    raise

    async def _sent(self, method: str, path: str, headers: dict[str, str], given: dict[str, Any]) -> Object:
        own = await self._authorized(headers)
        try:
            async with self._connected().request(
                method, f"{self.server}{path}", headers=own, **given, **self._access.how
            ) as answer:
                return _read(answer, await answer.read())
        except TimeoutError as failed:
            raise KubeError(0, f"no answer from {self.server}{path}: {_words(failed)}", repeats=False) from failed
        except aiohttp.ClientError as failed:
            raise KubeError(0, f"no answer from {self.server}{path}: {_words(failed)}") from failed

    async def _log_in_again(self, known: Access) -> None:
        """Reads the kubeconfig again, unless somebody did since; one that cannot be read now leaves all as it was."""
        async with self._logging_in:
            if self._access is known:
                with suppress(ConfigException):
                    self._access = await asyncio.to_thread(access, self._file, self._context)

    async def relay(self, path: str, headers: dict[str, str], target: Kube, to: str, also: dict[str, str]) -> Object:
        """Sends what a GET answers on to another cluster with PUT, as it comes. Raises KubeError.

        Args:
            path: here; `headers` go with it.
            to: a path at `target`; `also` are the headers that go with it, and the length of the answer.
        """
        given = await self._authorized(headers)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=RELAY_SILENCE)
        try:
            async with self._connected().get(
                f"{self.server}{path}", headers=given, timeout=limits, **self._access.how
            ) as got:
                if got.status >= 400:
                    return _read(got, await got.read())
                async with target._connected().put(
                    f"{target.server}{to}",
                    data=got.content,
                    headers=await target._authorized({**also, "Content-Length": str(got.content_length)}),
                    timeout=limits,
                    **target._access.how,
                ) as answer:
                    return _read(answer, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as failed:
            raise KubeError(0, f"{self.server} to {target.server}: {_words(failed)}") from failed

    async def _authorized(self, headers: dict[str, str]) -> dict[str, str]:
        """With the user's credentials; a kubeconfig may have a command that logs in, which takes its time."""
        auth: dict[str, Any] = await asyncio.to_thread(self._access.config.auth_settings)  # type: ignore[arg-type]
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
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self._session


def _is_worth_another_try(method: str, path: str, failed: KubeError) -> bool:
    """What stands behind a proxy of the API server's is not repeated: it may have been done, or is away itself."""
    if failed.status == TOO_MANY:
        return failed.retry_after <= LONGEST_PAUSE
    return failed.repeats and method == "GET" and failed.status in AWAY and "/proxy/" not in path


def _words(failed: BaseException) -> str:
    return str(failed) or type(failed).__name__


def _read(answer: aiohttp.ClientResponse, text: bytes) -> Object:
    status = answer.status
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        value = {"message": text[:2000].decode(errors="replace").strip()}
    if not isinstance(value, dict):
        value = {"items": value}
    if status >= 400:
        asked = answer.headers.get("Retry-After", "")
        raise KubeError(
            status,
            str(value.get("message") or f"HTTP status {status}"),
            of_the_api_server=value.get("kind") == "Status",
            retry_after=float(asked) if asked.isdigit() else 0.0,
        )
    return value
