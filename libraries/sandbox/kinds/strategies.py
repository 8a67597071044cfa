"""Loads the strategies of all built-in kinds: importing this registers them."""

from . import batch, core, customs, network, nodes, pods, rights, storage, workloads

__all__ = ["batch", "core", "customs", "network", "nodes", "pods", "rights", "storage", "workloads"]
