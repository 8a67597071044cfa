"""Connections to clusters, by alias. The official client is the only way to a cluster."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from kubernetes import client, config
from kubernetes.dynamic import DynamicClient
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, ReadTimeoutError
from urllib3.util import Retry, make_headers

from ..calls import CALLS
from ..failures import BadInput, OperationFailed, WrongPlace
from ..ledger import Entry
from ..rundir import private_directory
from .errors import UNTRUSTED, api_errors, json_of
from .kinds import Kinds
from .kubeconfig import access
from .login import Login, renewing
from .noting import noted
from .plain import Plain

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
CUTS = 5
"""How often a call that may be made twice is made again after its connection was cut: for 3 s, with growing pauses."""
AWAY = (429, 500, 502, 503, 504)
"""Statuses of an API server, or a gateway before it, that is overloaded, away or failing by itself."""
TOO_MANY = 429
PAUSES = (0.1, 0.3, 0.9)
"""Seconds between the tries of a call that is answered so, unless the server asks for more."""
LONGEST_PAUSE = 10.0
"""Seconds that a server may ask for in Retry-After; who asks for more is not waited for."""
_LEFT_ALONE = re.compile(r"/proxy\b|[?&](watch|follow)=true", re.IGNORECASE)
"""What a Service behind the API server answers is not for us to judge, and a stream is taken up by who reads it."""
_UNREAD: ContextVar[bool] = ContextVar("unread", default=False)
NO_HOST = "no-host.invalid"
SYSTEM = "kube-system"
"""The namespace that every cluster has from its beginning to its end."""
_NO_KUBECONFIG = (yaml.YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError)
"""What the official client raises for a file that is none."""


class Repeated(Retry):
    """A few more tries after a connection that was refused or cut, where the call may be made twice.

    None after a timeout, which has cost its time already, none after an answer, and none with a certificate that is not
    trusted and will not be the next time.
    """

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Repeated:
        """The tries that are left; raises `error` when there are none."""
        if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
            raise error
        if UNTRUSTED in str(error):
            raise MaxRetryError(_pool, url or "", error)
        return super().increment(method, url, response, error, _pool, _stacktrace)


@contextmanager
def answers_unread() -> Iterator[None]:
    """Within it, answers are left for the caller to read, bit by bit and no more than he wants."""
    before = _UNREAD.set(True)
    try:
        yield
    finally:
        _UNREAD.reset(before)


class TimedApiClient(client.ApiClient):
    """The official client, which by itself waits for an answer for ever; here each call has a timeout.

    A GET that finds the server away, overloaded or failing, or whose answer breaks off, is repeated a few times. Any
    other call only after a 429 with Retry-After: what is refused so was not done, and may be sent again, as client-go
    does.
    """

    def call_api(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """One HTTP call; `_request_timeout` defaults to 10 s for the connection and 30 s for each read."""
        if kwargs.get("_request_timeout") is None:
            kwargs["_request_timeout"] = (CONNECT_TIMEOUT, READ_TIMEOUT)
        with CALLS.watched("kubernetes", method, url) as call, noted(method, url) as note:
            answer = self._answer(method, url, *args, **kwargs)
            call.status = getattr(answer, "status", None)  # a stream has none
            note(answer)
            return answer

    def _answer(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """The answer to a call, of its last try."""
        for pause in PAUSES if not _LEFT_ALONE.search(url) else ():
            answer = super().call_api(method, url, *args, **kwargs)
            wait = _until_the_next_try(method.upper() == "GET", answer, pause)
            if wait is None:
                return answer
            time.sleep(wait)
        return super().call_api(method, url, *args, **kwargs)


def _until_the_next_try(reads: bool, answer: Any, pause: float) -> float | None:
    """Seconds after which the call is worth a repetition; None where its answer stands."""
    asked = _retry_after(answer)
    if (reads and answer.status in AWAY) or (answer.status == TOO_MANY and asked is not None):
        _is_whole(answer)  # which frees its connection
        wait = max(pause, asked or 0.0)
        return wait if wait <= LONGEST_PAUSE else None
    return pause if reads and not _UNREAD.get() and not _is_whole(answer) else None


def _is_whole(answer: Any) -> bool:
    """Reads an answer, which keeps what was read; false where it breaks off."""
    try:
        answer.read()
    except ReadTimeoutError:
        raise  # it has cost its time already
    except HTTPError:
        return False
    return True


def _retry_after(answer: Any) -> float | None:
    """The seconds of Retry-After, which API servers give as a number; None where there are none."""
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "")))
    except ValueError:
        return None


@dataclass
class Cluster:
    """A cluster that keywords can be pointed at.

    Args:
        alias: the name that keywords know it by.
        kubeconfig: path of a kubeconfig file.
        context: a context in it; the current one when None.
        provider: who brought it, as `Start Cluster` names it.
    """

    alias: str
    kubeconfig: Path
    context: str | None = None
    provider: str = "existing"
    _clients: threading.local = field(default_factory=threading.local, repr=False)
    _uid: str | None = field(default=None, repr=False, compare=False)
    _login: Login | None = field(default=None, repr=False, compare=False)
    _logging_in: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def uid(self) -> str:
        """What tells it from another cluster at the same address: the UID of its namespace kube-system.

        Kubernetes has no id of a cluster; this one is what is used for one. Empty where it cannot be read.
        """
        if self._uid is None:
            try:
                self._uid = self._read_uid()
            except (client.ApiException, HTTPError, OSError):
                return ""  # perhaps it can be read later
        return self._uid

    @property
    def where(self) -> dict[str, Any]:
        """What a ledger entry needs to know of it, for `recorded`."""
        return {"place": str(self.kubeconfig), "context": self.context, "cluster_uid": self.uid}

    def _read_uid(self) -> str:
        try:
            found = json_of(self.core.read_namespace(SYSTEM, _preload_content=False))
        except client.ApiException as problem:
            if problem.status in (403, 404):
                return ""
            raise
        return str((found.get("metadata") or {}).get("uid") or "")

    @property
    def api_client(self) -> TimedApiClient:
        """The calling thread's client: the official one keeps state that threads must not share."""
        if not hasattr(self._clients, "api"):
            self._clients.api = self._connect()
        api: TimedApiClient = self._clients.api
        return api

    @property
    def core(self) -> Any:
        """`CoreV1Api`."""
        return Plain(self.api_client, "CoreV1Api")

    @property
    def apps(self) -> Any:
        """`AppsV1Api`."""
        return Plain(self.api_client, "AppsV1Api")

    @property
    def dynamic(self) -> DynamicClient:
        """Any kind of object; each thread has its own, as of `api_client`."""
        if not hasattr(self._clients, "dynamic"):
            self._clients.dynamic = DynamicClient(self.api_client, discoverer=Kinds)
        dynamic: DynamicClient = self._clients.dynamic
        return dynamic

    def _connect(self) -> TimedApiClient:
        settings = client.Configuration()
        try:
            login = self._login_of_all_threads()
            # Certificates and keys that a kubeconfig holds become files, which outlive a process that is killed.
            config.load_kube_config_from_dict(
                login.content(),
                None,
                settings,
                persist_config=False,
                temp_file_path=str(private_directory()),
            )
        except (config.ConfigException, *_NO_KUBECONFIG) as problem:
            why = " ".join(str(problem).split())
            raise BadInput("KUBECONFIG", self.kubeconfig, f"a usable kubeconfig ({why})") from None
        if login.changes:
            settings.refresh_api_key_hook = renewing(login)  # type: ignore[assignment]  # declared as None
        if login.proxy:
            _go_through(settings, login.proxy)
        settings.retries = Repeated(total=CUTS, connect=1, backoff_factor=0.1, respect_retry_after_header=False)
        return TimedApiClient(settings)

    def _login_of_all_threads(self) -> Login:
        with self._logging_in:
            if self._login is None:
                self._login = Login(access(self.kubeconfig, self.context))
            return self._login


def _go_through(settings: client.Configuration, proxy: str) -> None:
    """Sets the kubeconfig's own proxy, which is there for every host, as in client-go, whatever NO_PROXY says."""
    parts = urlsplit(proxy)
    settings.proxy = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    settings.no_proxy = NO_HOST  # when empty, the websockets' client looks into the environment by itself
    if parts.username:
        who = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        settings.proxy_headers = make_headers(proxy_basic_auth=who)


class Clusters:
    """The clusters of this run by alias; the first one added is the default."""

    def __init__(self) -> None:
        self._by_alias: dict[str, Cluster] = {}

    def add(self, cluster: Cluster) -> Cluster:
        """Adds or replaces the cluster of that alias."""
        self._by_alias[cluster.alias] = cluster
        return cluster

    def discard(self, alias: str) -> None:
        """Forgets the cluster of that alias, if there is one."""
        self._by_alias.pop(alias, None)

    def get(self, alias: str | None = None) -> Cluster:
        """The cluster of that alias; the first one added when None.

        Raises:
            OperationFailed: no cluster was started or connected, or none has that alias.
        """
        if not self._by_alias:
            raise OperationFailed(
                "a cluster to work with", "none is connected", "start one with `Start Cluster`", cause="harness-error"
            )
        if alias is None:
            return next(iter(self._by_alias.values()))
        if alias not in self._by_alias:
            raise BadInput("cluster", alias, f"one of {', '.join(self._by_alias)}")
        return self._by_alias[alias]

    def all(self) -> list[Cluster]:
        """Every connected cluster."""
        return list(self._by_alias.values())


def recorded(entry: Entry) -> Cluster:
    """The cluster that a ledger entry lies in.

    Raises:
        OperationFailed: it does not answer; cause `cluster-unreachable`.
        WrongPlace: another one does at its address; the same cause.
    """
    cluster = Cluster(f"ledger-{entry.number}", Path(entry.place), entry.find.get("context"))
    known = entry.find.get("cluster_uid")
    with api_errors(f"get namespace {SYSTEM}"):
        found = cluster._read_uid() if known else ""
    if found and found != known:
        file = entry.ledger and entry.ledger.file
        raise WrongPlace(
            f"the cluster with id {known} to answer at {entry.place}",
            f"another one answers there, with id {found}; where the old one is gone for good, delete {file}",
            cause="cluster-unreachable",
        )
    return cluster


CLUSTERS = Clusters()
