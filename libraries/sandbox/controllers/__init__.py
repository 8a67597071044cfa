"""The controllers of an emulated cluster; each module is one of them."""

from __future__ import annotations

from .accounts import Accounts
from .base import Controller
from .daemonset import DaemonSets
from .deployment import Deployments
from .disruption import Disruptions
from .endpoints import EndpointSlices
from .garbage import Garbage
from .job import Jobs
from .kubelet import Kubelet
from .namespaces import Namespaces
from .nodes import NodeLife
from .replicaset import ReplicaSets
from .scheduler import Scheduler
from .statefulset import StatefulSets
from .storage import Storage

__all__ = ["CONTROLLERS", "Controller"]

CONTROLLERS: tuple[type[Controller], ...] = (
    Accounts,
    NodeLife,
    Storage,
    Scheduler,
    Kubelet,
    Deployments,
    ReplicaSets,
    DaemonSets,
    StatefulSets,
    Jobs,
    EndpointSlices,
    Disruptions,
    Garbage,
    Namespaces,
)
