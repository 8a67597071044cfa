"""Refusals: Status objects with the API server's reasons, words and causes.

Source: k8s.io/apimachinery pkg/api/errors (errors.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..kinds import Kind
from ..kinds.fields import FieldError


class ApiError(Exception):
    """A request that is refused, with the Status to answer and headers to send with it."""

    def __init__(self, status: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(status.get("message", ""))
        self.status = status
        self.code = int(status["code"])
        self.headers = headers or {}


def failure(
    code: int, reason: str, message: str, details: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> ApiError:
    """An error with this Status; an empty reason is left out, as are details that are None."""
    body: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
    }
    if reason:
        body["reason"] = reason
    if details is not None:
        body["details"] = details
    body["code"] = code
    return ApiError(body, headers)


def success(details: dict[str, Any] | None = None, code: int | None = None) -> dict[str, Any]:
    """The Status that says that it is done."""
    body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details is not None:
        body["details"] = details
    if code is not None:
        body["code"] = code
    return body


def details(name: str, group: str, kind: str, **more: Any) -> dict[str, Any]:
    """Status details without empty fields."""
    return {k: v for k, v in {"name": name, "group": group, "kind": kind, **more}.items() if v not in ("", None, [])}


def of_resource(kind: Kind, name: str, **more: Any) -> dict[str, Any]:
    """Status details that name the resource (`configmaps`), as most refusals do."""
    return details(name, kind.group, kind.plural, **more)


def not_found(kind: Kind, name: str) -> ApiError:
    """404 of an object."""
    return failure(404, "NotFound", f'{kind.resource} "{name}" not found', of_resource(kind, name))


def no_such_resource() -> ApiError:
    """404 of a resource type."""
    return failure(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(kind: Kind, name: str) -> ApiError:
    """409 of a create."""
    return failure(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', of_resource(kind, name))


def stale(kind: Kind, name: str) -> ApiError:
    """409 of an update with an old resourceVersion."""
    return conflict(
        kind, name, "the object has been modified; please apply your changes to the latest version and try again"
    )


def conflict(kind: Kind, name: str, why: str) -> ApiError:
    """409 for another reason."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return failure(409, "Conflict", message, of_resource(kind, name))


def precondition(kind: Kind, name: str, why: str) -> ApiError:
    """409 of a delete whose preconditions do not hold; the storage layer names the kind here, not the resource."""
    message = f'Operation cannot be fulfilled on {kind.kind} "{name}": {why}'
    return failure(409, "Conflict", message, details(name, "", kind.kind))


def bad_request(message: str) -> ApiError:
    """400."""
    return failure(400, "BadRequest", message)


def forbidden(kind: Kind, name: str, why: str, causes: Sequence[dict[str, str]] = (), code: int = 403) -> ApiError:
    """403, by admission or authorization."""
    named = f'{kind.resource} "{name}"' if name else kind.resource
    return failure(code, "Forbidden", f"{named} is forbidden: {why}", of_resource(kind, name, causes=list(causes)))


def unauthorized() -> ApiError:
    """401."""
    return failure(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> ApiError:
    """405."""
    return failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def unprocessable_patch() -> ApiError:
    """422 of a JSON patch that cannot be applied."""
    return failure(422, "Invalid", "the server rejected our request due to an error in our request", {})


def invalid(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> ApiError:
    """422 with its causes."""
    lines = list(dict.fromkeys(f"{error.field}: {error.message}" for error in errors))
    text = lines[0] if len(lines) == 1 else "[" + ", ".join(lines) + "]"
    causes = [{"reason": e.reason, "message": e.message, "field": e.field} for e in errors]
    full = f"{kind}.{group}" if group else kind
    return failure(422, "Invalid", f'{full} "{name}" is invalid: {text}', details(name, group, kind, causes=causes))


def invalid_object(kind: Kind, name: str, errors: Sequence[FieldError]) -> ApiError:
    """422 of a served kind."""
    return invalid(kind.group, kind.kind, name, errors)


def not_emulated(what: str) -> ApiError:
    """501: honest about what the sandbox does not do."""
    return failure(501, "NotImplemented", f"the sandbox does not emulate {what}", {})
