"""Where clusters come from: one module a provider, all behind `Provider`."""

from .base import Provider, Started
from .docker import DockerOptions, DockerProvider
from .existing import ExistingProvider
from .k3s import NativeOptions, NativeProvider
from .sandbox import SandboxProvider

PROVIDERS: dict[str, type[Provider]] = {
    "sandbox": SandboxProvider,
    "k3s": NativeProvider,
    "docker": DockerProvider,
    "existing": ExistingProvider,
}

__all__ = [
    "PROVIDERS",
    "DockerOptions",
    "DockerProvider",
    "ExistingProvider",
    "NativeOptions",
    "NativeProvider",
    "Provider",
    "Started",
]
