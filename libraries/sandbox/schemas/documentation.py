"""The published definitions of the API (OpenAPI v3), as `distil` kept them for the served kinds."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(1)
def definitions() -> dict[str, Any]:
    """Definitions by name, `io.k8s.api.core.v1.Pod`."""
    text = gzip.decompress((Path(__file__).parent / "openapi.json.gz").read_bytes())
    return json.loads(text)  # type: ignore[no-any-return]


def description(definition: str, field: str) -> str:
    """What the documentation says of a field; empty when it says nothing."""
    found = definitions().get(definition, {}).get("properties", {}).get(field, {})
    return str(found.get("description", ""))
