"""Helm charts and releases: install, upgrade, roll back, uninstall, and look."""

from .library import HelmLibrary

__all__ = ["HelmLibrary"]
