"""Which Helm carries operations out."""

from __future__ import annotations

from enum import StrEnum

from harness.failures import OperationFailed

from .command_engine import find_command
from .embedded_engine import find_embedded
from .releases import Engine


class EngineChoice(StrEnum):
    """Where Helm comes from."""

    AUTO = "auto"
    """The command where there is one that can be used, else the wheel."""
    COMMAND = "command"
    """The `helm` on PATH, 3.8 or later."""
    WHEEL = "wheel"
    """The wheel helm-python-sdk."""


def find_engine(choice: EngineChoice = EngineChoice.AUTO) -> Engine:
    """The engine of that choice.

    Raises:
        OperationFailed: there is none.
    """
    command = find_command() if choice is not EngineChoice.WHEEL else None
    if command:
        return command
    embedded = find_embedded() if choice is not EngineChoice.COMMAND else None
    if embedded:
        return embedded
    raise OperationFailed(
        "Helm to be there",
        f"there is neither a helm 3.8 or later on PATH nor the wheel helm-python-sdk (engine {choice})",
        "pip install -r requirements.txt brings the wheel",
        cause="helm-failed",
    )
