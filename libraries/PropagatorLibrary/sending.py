"""Sending requests: what may be repeated, when, and how failures are told apart."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests import exceptions
from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError

from harness.exchanges import EXCHANGES
from harness.waiting import Pace

from .answers import Answer, failure_of
from .bodies import Body
from .errors import NotUnderstood, PropagatorError, Refused, Unreachable
from .listing import Listed, NotAList, T, Take, read_list
from .transport import TokenAdapter


@dataclass(frozen=True)
class Patience:
    """How a GET is repeated, in seconds: pauses from `least`, doubling up to `most`, until `total` would be passed."""

    least: float = 0.1
    most: float = 2.0
    total: float = 20.0


PATIENT, NONE = Patience(), Patience(total=0.0)
PAGE = 500
"""Rows of a page, at most."""
LONGEST_ANSWER = 60.0
"""Seconds until a whole answer must be there, however steadily it drips in."""


def ask_while(bearable: Callable[[Refused], bool], ask: Callable[[], str], seconds: float, pace: Pace) -> str:
    """Asks again, for so many seconds at most, while the service refuses, which changes nothing, bearably.

    Raises:
        PropagatorError: what `ask` raises that is no bearable refusal, or the last one.
    """
    start = time.monotonic()
    while True:
        try:
            return ask()
        except Refused as refused:
            waited = time.monotonic() - start
            if waited >= seconds or not bearable(refused):
                raise
        time.sleep(min(pace.pause(waited), seconds - waited))


class Sender:
    """Requests to one propagator through a session that carries the token."""

    def __init__(
        self, session: requests.Session, base_url: str, patience: Patience = PATIENT, limit: float = LONGEST_ANSWER
    ) -> None:
        self._session, self.base_url, self.patience, self._limit = session, base_url, patience, limit
        self.prefix = "/v2"
        self._when_cut_off: Patience | None = None

    def cut_off(self, patience: Patience) -> None:
        """From now on no request gets through; GETs are repeated so, unless a call asks for less."""
        self._adapter().cut_off()
        self._when_cut_off = patience

    def reconnect(self) -> None:
        """Requests get through again."""
        self._adapter().reconnect()
        self._when_cut_off = None

    def _adapter(self) -> TokenAdapter:
        adapter = self._session.get_adapter(f"{self.base_url}/")
        assert isinstance(adapter, TokenAdapter)
        return adapter

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, patience: Patience | None = None) -> Answer:
        """A GET, repeated with back-off on connection errors, 429, 502, 503 and 504.

        Raises:
            PropagatorError: no good answer, and a repetition would not help or the patience is used up.
        """
        return self._repeat(lambda: self.once("GET", path, params=params), patience)

    def list(
        self,
        path: str,
        name: str,
        take: Take[T],
        params: Mapping[str, Any] | None = None,
        *,
        patience: Patience | None = None,
        page: int = PAGE,
    ) -> list[T]:
        """What `take` keeps of all rows: read at once where an array comes, page by page where pages do.

        Raises:
            PropagatorError: a GET, which is repeated as `get` does, has no good answer, or it is no list.
        """
        query = dict(params or {})

        def ask() -> Listed[T]:
            return self._ask("GET", path, lambda body: _listed(body, name, take), {"params": query})

        listed = self._repeat(ask, patience)
        found, count = listed.kept, listed.count
        while listed.total is not None and count < listed.total:
            query |= {"limit": page, "offset": count}
            listed = self._repeat(ask, patience)
            if not listed.count:
                seen = f"{count} of {listed.total} {name} and then an empty page"
                raise NotUnderstood(f"GET {self.prefix}{path}", seen)
            found += listed.kept
            count += listed.count
        return found

    def once(self, method: str, path: str, **options: Any) -> Answer:
        """One request, sent once. Redirects are not followed.

        Raises:
            PropagatorError: no good answer.
        """
        return self._ask(method, path, lambda body: Answer(body.operation, body.text()), options)

    def _repeat(self, ask: Callable[[], T], patience: Patience | None) -> T:
        patience = patience or self._when_cut_off or self.patience
        start, pause = time.monotonic(), patience.least
        while True:
            try:
                return ask()
            except PropagatorError as failed:
                wait = max(pause, failed.retry_after)
                if not failed.transient or time.monotonic() + wait - start > patience.total:
                    raise
            time.sleep(wait)
            pause = min(patience.most, 2 * pause)

    def _ask(self, method: str, path: str, read: Callable[[Body], T], options: Mapping[str, Any]) -> T:
        operation, url = f"{method} {self.prefix}{path}", f"{self.base_url}{self.prefix}{path}"
        begun, sent = time.monotonic(), _body(options)
        status, said, body = 0, "no answer", None
        try:
            with self._session.request(method, url, allow_redirects=False, stream=True, **options) as response:
                status, body = response.status_code, Body(operation, response, begun + self._limit)
                if not 200 <= status < 300:
                    raise failure_of(operation, response, body.text())
                return read(body)
        except exceptions.RequestException as failed:
            unanswered = _unanswered(operation, failed)
            body, said = None, unanswered.seen
            raise unanswered from None
        except UnicodeError as broken:
            raise NotUnderstood(operation, f"an answer that is no text: {broken}") from None
        finally:
            said, unsaid = (body.beginning, body.length - len(body.beginning)) if body else (said, 0)
            seconds = time.monotonic() - begun
            EXCHANGES.note(method, f"{self.prefix}{path}", status, seconds, sent=sent, answer=said, unsaid=unsaid)


def _listed(body: Body, name: str, take: Take[T]) -> Listed[T]:
    try:
        return read_list(body.pieces(), name, take)
    except NotAList as other:
        raise Answer(body.operation, body.beginning, body.length).not_understood(other.wanted) from None


def _body(options: Mapping[str, Any]) -> str:
    """What is sent, as it is shown."""
    given = options.get("json", options.get("params"))
    return "" if given is None else json.dumps(given, ensure_ascii=False, default=str)


def _unanswered(operation: str, failed: exceptions.RequestException) -> Unreachable:
    """What an exception of requests means, in our words and those of its innermost reason."""
    reason = _reason(failed)
    told = re.sub(r" ?\(_ssl\.c:\d+\)", "", str(reason))  # a line of CPython's source
    words = told.rpartition(": ")[2].strip("()'\" ") or type(reason).__name__
    if isinstance(failed, exceptions.SSLError):
        return Unreachable(operation, f"TLS failed: {words}", sent=False, final=True)
    if isinstance(failed, exceptions.ConnectTimeout):
        return Unreachable(operation, "no connection within the connect timeout", sent=False)
    if isinstance(failed, exceptions.ReadTimeout) or isinstance(reason, ReadTimeoutError):
        return Unreachable(operation, "no answer within the read timeout", sent=True, in_time=False)
    if isinstance(failed, exceptions.ProxyError):
        return Unreachable(operation, f"the proxy failed: {words}", sent=True)
    if isinstance(reason, NewConnectionError):
        return Unreachable(operation, f"no connection: {words}", sent=False)
    return Unreachable(operation, f"the connection or the answer broke off: {words}", sent=True)


def _reason(failed: exceptions.RequestException) -> Any:
    """The innermost reason that requests and urllib3 have wrapped."""
    reason: Any = failed.args[0] if failed.args else failed
    reason = getattr(reason, "reason", None) or reason
    if isinstance(reason, ProtocolError) and len(reason.args) > 1:
        return reason.args[1]
    return reason
