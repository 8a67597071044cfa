"""CustomResourceDefinitions and the kinds that they define: validation by the definition's schema, printer columns.

Source: k8s.io/apiextensions-apiserver pkg/apiserver (schema, validation, defaulting, pruning) and
pkg/registry/customresource (tableconvertor).
"""
# ruff: noqa: ARG002 - a strategy need not look at all that it is given

from __future__ import annotations

import copy
from typing import Any

from . import CRD, fields
from .custom_limits import limits, unchecked
from .fields import FieldError
from .strategy import AGE, NAME, Column, Object, Strategy, age, default, dig, register, since

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
_OPEN = "x-kubernetes-preserve-unknown-fields"


@register(CRD)
class DefinitionStrategy(Strategy):
    """CustomResourceDefinitions."""

    has_status = True
    needs_version = True
    columns = (NAME, Column("Created At", "@io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.creationTimestamp"))

    def default(self, obj: Object) -> None:
        spec = obj["spec"]
        names = spec.setdefault("names", {})
        kind = names.get("kind") or ""
        default(names, singular=kind.lower(), listKind=f"{kind}List")
        spec.setdefault("conversion", {"strategy": "None"})

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": None}

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old["spec"]

    def validate(self, obj: Object) -> list[FieldError]:
        spec, name = obj["spec"], obj["metadata"].get("name") or ""
        names = spec.get("names") or {}
        errors = [fields.required(f"spec.{key}") for key in ("group", "scope") if not spec.get(key)]
        errors += [fields.required(f"spec.names.{key}") for key in ("plural", "kind") if not names.get(key)]
        wanted = f"{names.get('plural')}.{spec.get('group')}"
        if name != wanted:
            errors.append(fields.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
        versions = spec.get("versions") or []
        if sum(bool(version.get("storage")) for version in versions) != 1:
            message = "must have exactly one version marked as storage version"
            errors.append(
                fields.go_invalid("spec.versions", "[]apiextensions.CustomResourceDefinitionVersion{}", message)
            )
        for index, version in enumerate(versions):
            if not dig(version, "schema.openAPIV3Schema"):
                here = f"spec.versions[{index}].schema.openAPIV3Schema"
                errors.append(fields.required(here, "schemas are required"))
        return errors

    def warnings(self, obj: Object) -> list[str]:
        schemas = [dig(version, "schema.openAPIV3Schema") for version in obj["spec"].get("versions") or []]
        return [f"the sandbox keeps `{name}` in schemas but does not check it" for name in sorted(unchecked(schemas))]

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        return [
            fields.invalid(f"spec.{key}", dig(obj, f"spec.{key}"), fields.IMMUTABLE)
            for key in ("group", "scope", "names.plural", "names.kind")
            if dig(obj, f"spec.{key}") != dig(old, f"spec.{key}")
        ]

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp", "")]


class CustomStrategy(Strategy):
    """One version of a defined kind."""

    needs_version = True

    def __init__(self, definition: Object, version: Object) -> None:
        self._schema: Object = dig(version, "schema.openAPIV3Schema") or {}
        self.has_status = "status" in (version.get("subresources") or {})
        self._printed = version.get("additionalPrinterColumns") or []
        self.columns = [NAME] + [
            Column(c["name"], c.get("description") or c.get("jsonPath", ""), c["type"], c.get("priority", 0))
            for c in self._printed
        ]
        if not self._printed:
            self.columns.append(AGE)
        self.selectable = (
            "metadata.name",
            "metadata.namespace",
            *(item["jsonPath"].lstrip(".") for item in version.get("selectableFields") or []),
        )

    def default(self, obj: Object) -> None:
        _prune(obj, self._schema, top=True)
        _fill(obj, self._schema)

    def unknown_fields(self, obj: Object) -> list[str]:
        kept = copy.deepcopy(obj)
        _prune(kept, self._schema, top=True)
        return _missing(obj, kept, "")

    def prepare_create(self, obj: Object) -> None:
        if self.has_status:
            obj.pop("status", None)

    def prepare_update(self, obj: Object, old: Object) -> None:
        if not self.has_status:
            return
        obj.pop("status", None)
        if "status" in old:
            obj["status"] = copy.deepcopy(old["status"])

    def prepare_status(self, obj: Object, old: Object) -> None:
        for key in [key for key in obj if key not in ("status", "metadata", "apiVersion", "kind")]:
            del obj[key]
        obj.update({key: copy.deepcopy(value) for key, value in old.items() if key not in ("status", "metadata")})

    def validate(self, obj: Object) -> list[FieldError]:
        return _check(obj, self._schema, "", top=True)

    def row(self, obj: Object) -> list[Any]:
        cells: list[Any] = [obj["metadata"]["name"]]
        for column in self._printed:
            value = dig(obj, column.get("jsonPath", "").lstrip("."))
            cells.append(since(value) if column["type"] == "date" and value else value)
        return cells if self._printed else [*cells, age(obj)]


def _prune(value: Any, schema: Object, *, top: bool = False) -> None:
    if isinstance(value, list):
        for item in value:
            _prune(item, schema.get("items") or {})
        return
    if not isinstance(value, dict):
        return
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    embedded = top or schema.get("x-kubernetes-embedded-resource")
    for key in list(value):
        if embedded and key in ("apiVersion", "kind", "metadata"):
            continue
        if key in properties:
            _prune(value[key], properties[key])
        elif extra:
            _prune(value[key], extra if isinstance(extra, dict) else {_OPEN: True})
        elif not schema.get(_OPEN):
            del value[key]


def _missing(value: Any, kept: Any, path: str) -> list[str]:
    """What is in a value and not in its pruned copy."""
    found: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            here = f"{path}.{key}" if path else key
            found += _missing(item, kept[key], here) if key in kept else [here]
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _missing(item, kept[index], f"{path}[{index}]")
    return found


def _fill(value: Any, schema: Object) -> None:
    if isinstance(value, list):
        for item in value:
            _fill(item, schema.get("items") or {})
    if not isinstance(value, dict):
        return
    for key, inner in (schema.get("properties") or {}).items():
        if key not in value and "default" in inner:
            value[key] = copy.deepcopy(inner["default"])
        if key in value:
            _fill(value[key], inner)
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        for key in value:
            if key not in (schema.get("properties") or {}):
                _fill(value[key], extra)


def _check(value: Any, schema: Object, path: str, *, top: bool = False) -> list[FieldError]:
    if value is None and schema.get("nullable"):
        return []
    wrong = _wrong_type(value, schema, path)
    if wrong:
        return wrong
    errors = limits(value, schema, path)
    if isinstance(value, dict):
        for name in schema.get("required") or []:
            if name not in value:
                errors.append(fields.required(f"{path}.{name}".lstrip(".")))
        properties = schema.get("properties") or {}
        for key, item in value.items():
            inner = properties.get(key, schema.get("additionalProperties"))
            if isinstance(inner, dict) and not (top and key == "metadata"):
                errors += _check(item, inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            errors += _check(item, schema.get("items") or {}, f"{path}[{index}]")
    return errors


def _wrong_type(value: Any, schema: Object, path: str) -> list[FieldError]:
    wanted = schema.get("type")
    if schema.get("x-kubernetes-int-or-string") or not wanted:
        return []
    is_number = isinstance(value, bool) and wanted in ("integer", "number")
    if isinstance(value, _TYPES[wanted]) and not is_number:
        return []
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    found = names.get(type(value), "null")
    message = f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'
    return [FieldError("FieldValueTypeInvalid", path, message)]
