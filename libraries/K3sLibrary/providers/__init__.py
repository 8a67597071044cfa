"""Where clusters come from: one module a provider, all behind `Provider`."""

from .base import Provider, Started
from .existing import ExistingProvider
from .k3s import NativeOptions, NativeProvider
from .sandbox import SandboxProvider

PROVIDERS: dict[str, type[Provider]] = {
    "sandbox": SandboxProvider,
    "k3s": NativeProvider,
    "existing": ExistingProvider,
}

__all__ = ["PROVIDERS", "NativeOptions", "NativeProvider", "Provider", "Started"]
