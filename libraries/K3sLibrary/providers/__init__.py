"""Where clusters come from: one module a provider, all behind `Provider`."""

from .base import Provider, Started
from .existing import ExistingProvider
from .sandbox import SandboxProvider

PROVIDERS: dict[str, type[Provider]] = {"sandbox": SandboxProvider, "existing": ExistingProvider}

__all__ = ["PROVIDERS", "Provider", "Started"]
