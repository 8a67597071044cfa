"""Query options, checked as the API server checks them.

Source: k8s.io/apimachinery pkg/apis/meta/v1/validation and pkg/apis/meta/internalversion/validation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..kinds import fields
from ..kinds.fields import FieldError
from .status import bad_request, invalid

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False", "")
_DIRECTIVES = ("", "Ignore", "Strict", "Warn")


def boolean(query: Mapping[str, str], name: str) -> bool:
    """A boolean option; whatever is no false is true, as the server's conversion has it."""
    return query.get(name, "") not in (*_FALSE,)


def integer(query: Mapping[str, str], name: str) -> int | None:
    """An integer option, or None. Raises 400."""
    text = query.get(name)
    if text in (None, ""):
        return None
    assert text is not None
    if not re.fullmatch(r"[+-]?\d+", text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def write_options(
    query: Mapping[str, str], all_dry_run: list[str], kind: str, *, applies: bool = False
) -> tuple[bool, str]:
    """Whether it is a dry run, and the field validation. `kind` names the options: CreateOptions ... Raises 422."""
    errors: list[FieldError] = []
    manager = query.get("fieldManager", "")
    if kind != "DeleteOptions":
        if len(manager) > 128:
            errors.append(FieldError("FieldValueTooLong", "fieldManager", "Too long: may not be more than 128 bytes"))
        elif not manager.isprintable():
            errors.append(fields.invalid("fieldManager", manager, "should only contain printable characters"))
    if kind == "PatchOptions" and query.get("force") is not None and not applies:
        errors.append(fields.forbidden("force", "may not be specified for non-apply patch"))
    if all_dry_run and all_dry_run != ["All"]:
        listed = "[]string{" + ", ".join(f'"{value}"' for value in all_dry_run) + "}"
        message = f'Unsupported value: {listed}: supported values: "All"'
        errors.append(FieldError("FieldValueNotSupported", "dryRun", message))
    directive = query.get("fieldValidation", "")
    if directive not in _DIRECTIVES:
        errors.append(fields.unsupported("fieldValidation", directive, _DIRECTIVES))
    if errors:
        raise invalid("meta.k8s.io", kind, "", errors)
    return bool(all_dry_run), directive or "Warn"


def list_options(query: Mapping[str, str], *, watching: bool, watch_list: bool) -> None:
    """Checks what depends on one another. Raises 422."""
    errors: list[FieldError] = []
    match, version = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    initial = query.get("sendInitialEvents")
    if initial is not None and not watching:
        errors.append(fields.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    elif initial is not None and not watch_list:
        message = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        errors.append(fields.forbidden("sendInitialEvents", message))
    elif initial is not None and not match:
        message = "resourceVersionMatch is required when sendInitialEvents is provided"
        errors.append(fields.forbidden("resourceVersionMatch", message))
    elif initial is not None and match != "NotOlderThan":
        errors.append(fields.unsupported("resourceVersionMatch", match, ("NotOlderThan",)))
    elif match and initial is None:
        errors += _match_errors(match, version, query, watching=watching)
    if errors:
        raise invalid("meta.k8s.io", "ListOptions", "", errors)


def _match_errors(match: str, version: str, query: Mapping[str, str], *, watching: bool) -> list[FieldError]:
    if watching:
        message = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        return [fields.forbidden("resourceVersionMatch", message)]
    if not version:
        message = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        return [fields.forbidden("resourceVersionMatch", message)]
    if query.get("continue"):
        message = "resourceVersionMatch is forbidden when continue is provided"
        return [fields.forbidden("resourceVersionMatch", message)]
    if match not in ("Exact", "NotOlderThan"):
        return [fields.unsupported("resourceVersionMatch", match, ("Exact", "NotOlderThan", ""))]
    if match == "Exact" and version == "0":
        message = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        return [fields.forbidden("resourceVersionMatch", message)]
    return []
