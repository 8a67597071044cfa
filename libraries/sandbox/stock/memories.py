"""An emulated process's memory as bytes, and back. Only what belongs to the emulation is read back."""

from __future__ import annotations

import io
import pickle
from typing import Any

_OWN = "sandbox.runtime."


class ForeignMemoryError(ValueError):
    """The bytes hold something else than the memory of an emulated process."""


def frozen(value: Any) -> bytes:
    """The bytes of a value."""
    return pickle.dumps(value, protocol=5)


def thawed(data: bytes) -> Any:
    """The value of bytes; what follows it (a page is filled up) is left. Raises ForeignMemoryError."""
    try:
        return _Reader(io.BytesIO(data)).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError) as wrong:
        raise ForeignMemoryError(f"no memory of an emulated process: {wrong}") from None


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name) if module.startswith(_OWN) else None
        if not isinstance(found, type):
            raise pickle.UnpicklingError(f"{module}.{name} is not of the emulation")
        return found
