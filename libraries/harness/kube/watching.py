"""Waiting by watch: a change is seen when it happens, and a dropped or expired watch is taken up again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kubernetes import watch
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from ..progress import PROGRESS
from ..waiting import Done, LastSeen, Look, Pending
from .connection import CONNECT_TIMEOUT, READ_TIMEOUT
from .errors import UNTRUSTED, plain, server_words
from .noting import Watched

T = TypeVar("T")
Obj = dict[str, Any]
Objects = list[Obj]
ListCall = Callable[..., Any]

RETRY_PAUSE = 0.2
RELIST_AFTER = 30.0
"""Seconds after which a watch is begun anew from a list, in case it went silent without an end."""
LAST_LOOK = 2.0
"""Seconds that a list gets even when the time is up."""
DISTRUST = 5.0
"""Seconds in which a server that has just begun may still get another certificate; one that nobody trusts stays so."""
FATAL = {400, 401, 403, 404, 405, 422}
"""Answers that will not get better by asking again."""


def watch_until(
    list_call: ListCall,
    judge: Callable[[Objects], Look[T]],
    *,
    timeout: float,
    expected: str,
    look_next: str = "",
    cause: str = "unknown",
    since: str = "",
) -> T:
    """Watches a list until `judge` answers `Done` and returns its value.

    Args:
        list_call: a list method of the official client with its arguments bound (`functools.partial`).
        judge: looks at the current objects (raw, as in the API's JSON); answers `Done(value)` or `Pending(seen)`.
        timeout: seconds.
        expected: what is waited for, for the failure text.
        look_next: what to look at when the time runs out.
        cause: the cause when the time runs out and the last `Pending` names none.
        since: the resourceVersion of an object of the list that was seen before: what is older is not believed.

    Raises:
        WaitTimedOut: says what was last seen and for how long.
        ApiException: the API refuses the list for good.
    """
    last = LastSeen()
    with PROGRESS.awaiting(expected, timeout, lambda: last.text):
        for objects in states(list_call, timeout, last, Newest(since)):
            answer = judge(objects)
            if isinstance(answer, Done):
                return answer.value
            last.note(answer)
    raise last.timed_out(expected, timeout, look_next, cause)


def watch_while(
    list_call: ListCall, violation: Callable[[Objects], str | None], *, seconds: float, since: str = ""
) -> str | None:
    """Watches a list for `seconds`; the first violation that is seen, or None when it held all the time.

    Args:
        since: the resourceVersion of an object of the list that was seen before: what is older is not believed.
    """
    newest = Newest(since)
    with PROGRESS.awaiting("the time to pass in which nothing may change", seconds, lambda: "all is as it should be"):
        for objects in states(list_call, seconds, LastSeen(), newest):
            if found := violation(objects):
                return found
    return violation(_listed(list_call, newest)[0])


@dataclass
class Newest:
    """The newest resourceVersion that was seen of a kind; lists may come from a cache that is behind.

    Versions of one kind are numbers that grow: Kubernetes promises it since 1.35 (KEP-5504) and has always done so.
    One that is no number, of an API server of another make, is neither older nor newer.
    """

    version: str = ""

    def note(self, version: str) -> None:
        """Takes a version in."""
        if not self.is_after(version):
            self.version = version

    def is_after(self, version: str) -> bool:
        """Whether that version is older."""
        return self.version.isdecimal() and version.isdecimal() and int(self.version) > int(version)


def states(list_call: ListCall, seconds: float, last: LastSeen, newest: Newest | None = None) -> Iterator[Objects]:
    """The objects of a list: now, after each change for `seconds`, and once more at the end; never older ones again."""
    deadline, newest = time.monotonic() + seconds, newest or Newest()
    trust = _Trust()
    while True:
        begun = time.monotonic()
        try:
            objects, version = _listed(list_call, newest, deadline - begun)
            newest.note(version)
            yield objects
            if time.monotonic() >= deadline:
                return
            for changed in _changes(list_call, objects, version, min(deadline, time.monotonic() + RELIST_AFTER)):
                for item in changed:
                    newest.note(item["metadata"].get("resourceVersion") or "")
                yield changed
        except ApiException as problem:
            if problem.status in FATAL:
                raise
            last.note(Pending(f"the API answered {problem.status}: {server_words(problem)}", "cluster-refused"))
        except (HTTPError, OSError) as problem:
            trust.bear(problem)
            last.note(Pending(f"the API did not answer: {plain(problem)}", "cluster-unreachable"))
        else:
            trust.since = time.monotonic()
            _pause(begun, deadline)
            continue
        if time.monotonic() >= deadline or last.is_hopeless:
            return
        _pause(begun, deadline)


@dataclass
class _Trust:
    """Until when the server was trusted, or at least away."""

    since: float = field(default_factory=time.monotonic)

    def bear(self, problem: Exception) -> None:
        """Raises the problem where it is that of a certificate, and has lasted."""
        if UNTRUSTED not in str(problem):
            self.since = time.monotonic()
        elif time.monotonic() - self.since > DISTRUST:
            raise problem


def _pause(begun: float, deadline: float) -> None:
    """Keeps rounds apart, also those of a server that ends each watch at once."""
    time.sleep(max(0.0, min(begun + RETRY_PAUSE, deadline) - time.monotonic()))


def _listed(list_call: ListCall, newest: Newest, left: float = 0.0) -> tuple[Objects, str]:
    """The list and its version; asked for again, by version, where it is older than what was seen."""
    objects, version = _page(list_call, left)
    if newest.is_after(version):
        asked = {"resource_version": newest.version, "resource_version_match": "NotOlderThan"}
        objects, version = _page(list_call, left, **asked)
        if newest.is_after(version):
            raise HTTPError(f"the list is of version {version}, older than {newest.version}, which was seen before")
    return objects, version


def _page(list_call: ListCall, left: float, **options: str) -> tuple[Objects, str]:
    patience = max(LAST_LOOK, left)
    timeouts = (min(CONNECT_TIMEOUT, patience), min(READ_TIMEOUT, patience))
    response = list_call(_preload_content=False, _request_timeout=timeouts, **options)
    try:
        page = json.loads(response.data)
        return page.get("items") or [], page["metadata"]["resourceVersion"]
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise HTTPError("the answer is no list of objects") from problem


def _changes(list_call: ListCall, objects: Objects, version: str, deadline: float) -> Iterator[Objects]:
    """The objects after each change until the watch ends, expires, or the time is up."""
    known = {item["metadata"]["uid"]: item for item in objects}
    left = deadline - time.monotonic()
    if left <= 0:
        return
    stream, asked = watch.Watch(return_type=object), Watched(list_call)
    # The server ends the watch after whole seconds; the read timeout ends it to the point, and a stalled one too.
    events = stream.stream(
        asked,
        resource_version=version,
        timeout_seconds=max(1, int(left) + 1),
        _request_timeout=(min(CONNECT_TIMEOUT, left), left),
    )
    try:
        for event in asked.counted(events):
            if event is None:  # a line that is no JSON
                return
            if event["type"] == "BOOKMARK":
                continue
            item = event["raw_object"]
            uid = item["metadata"]["uid"]
            if event["type"] == "DELETED":
                known.pop(uid, None)
            else:
                known[uid] = item
            yield list(known.values())
            if time.monotonic() >= deadline:
                return
    except ReadTimeoutError:
        return  # the time for this watch is up
    except ApiException as problem:
        if problem.status != 410:
            raise
    finally:
        events.close()
        asked.note()
