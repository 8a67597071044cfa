"""Reading answers: JSON or text, arrays or pages, every shape of an error body."""

from __future__ import annotations

import email.utils
import html
import json
import re
import time
from dataclasses import dataclass
from typing import Any

import requests

from .errors import NotUnderstood, PropagatorError, Refused, ServiceFailed, TooMany, Unauthorized
from .ids import parse_id

REQUEST_ID_HEADERS = ("x-request-id", "x-amzn-requestid", "x-envoy-request-id", "x-correlation-id")
LONGEST_EXCERPT = 300
LONGEST_LOOK = 100_000
MESSAGE_KEYS = ("message", "error", "detail")


@dataclass(frozen=True)
class Answer:
    """A successful answer to `operation`; where `text` is only its beginning, `length` tells how long it was."""

    operation: str
    text: str
    length: int = 0

    def id(self) -> str:
        """The id that it holds.

        Raises:
            NotUnderstood: it holds none.
        """
        found = parse_id(self.text)
        if found is None:
            raise self.not_understood("an id")
        return found

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            NotUnderstood: it is none.
        """
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            raise self.not_understood("JSON") from None

    def not_understood(self, wanted: str) -> NotUnderstood:
        """The failure that says what was wanted and what came."""
        return NotUnderstood(
            self.operation, f"200 with {shown(self.text, self.length)}", expected=f"{self.operation} to answer {wanted}"
        )


def failure_of(operation: str, response: requests.Response, text: str) -> PropagatorError:
    """The failure that an answer with an error status, and with that body, stands for."""
    status, message = response.status_code, message_of(text)
    facts = _Facts(operation, status, message, _request_id(response), _retry_after(response))
    if 300 <= status < 400:
        target = response.headers.get("Location", "nowhere")
        return facts.failure(NotUnderstood, f"{status}, a redirect to {target}; it is not followed")
    if status in (401, 403):
        return facts.failure(Unauthorized, look="CEDANA_AUTH_TOKEN, and whether it belongs to CEDANA_URL")
    if status == 429:
        return facts.failure(TooMany, look="who else uses the token; the service limits how often it may be asked")
    if status >= 500:
        return facts.failure(ServiceFailed, look="the service's status and its log")
    return facts.failure(Refused, look=_look_after_refusal(operation, status))


def _look_after_refusal(operation: str, status: int) -> str:
    """Where its reason is likely to be found; what the statuses mean differs from one path to the other."""
    if status == 404 and "/checkpoint/pod" in operation:
        return "the pod's UID and its cluster's id, and whether the Cedana of that cluster speaks to this propagator"
    if status == 404 and "/restore/pod" in operation:
        return "the checkpoint's action id and whether that action is complete, and the id of the cluster"
    if status == 404:
        return "the id in the path, and who else may have removed it; a service of another era may not have the path"
    if status == 409:
        return "who else works on the same thing, and whether the cluster that holds its files is still registered"
    if status in (400, 422):
        return "the values that were given, and the era of the service: other eras ask for other fields and words"
    return "the era of the service, and what stands between: a proxy or gateway may refuse by itself"


def message_of(text: str) -> str:
    """The server's words: `.message` of a JSON object, the title of a page (a gateway's), or the text itself."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return shown(text)
    if isinstance(body, dict):
        for key in MESSAGE_KEYS:
            if isinstance(body.get(key), str) and body[key]:
                return excerpt(body[key])
    return excerpt(body if isinstance(body, str) else text)


def shown(text: str, length: int = 0) -> str:
    """A text that the API did not give: a page by its title, anything else by its beginning."""
    page = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return f"a page {excerpt(html.unescape(page[1]))!r}, not the API" if page else excerpt(text, length)


def excerpt(text: str, length: int = 0) -> str:
    """The text on one line, cut to a readable length; what a terminal might obey is shown as a question mark."""
    line = "".join(each if each.isprintable() else "?" for each in " ".join(text[:LONGEST_LOOK].split()))
    if not line:
        return "an empty body"
    return line if len(line) <= LONGEST_EXCERPT else f"{line[:LONGEST_EXCERPT]}... ({length or len(text)} characters)"


@dataclass(frozen=True)
class _Facts:
    operation: str
    status: int
    message: str
    request_id: str | None
    retry_after: float

    def failure(self, kind: type[PropagatorError], seen: str = "", look: str = "") -> PropagatorError:
        seen = seen or f"{self.status}: {self.message}"
        if self.request_id:
            seen += f" (request id {self.request_id})"
        return kind(
            self.operation,
            seen,
            look=look,
            status=self.status,
            message=self.message,
            request_id=self.request_id,
            retry_after=self.retry_after,
        )


def _request_id(response: requests.Response) -> str | None:
    return next((response.headers[key] for key in REQUEST_ID_HEADERS if key in response.headers), None)


def _retry_after(response: requests.Response) -> float:
    """Seconds of the Retry-After header, which holds seconds or a date; 0 when there is none."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value[:6])
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, moment.timestamp() - time.time())
