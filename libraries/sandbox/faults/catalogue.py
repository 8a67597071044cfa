"""Every fault there is, by name."""

from __future__ import annotations

from . import (
    checkpoints,
    confinement,
    copies,
    files,
    install,
    kubernetes,
    moments,
    network,
    nodes,
    owners,
    policies,
    propagator,
    restore_work,
    restored_pods,
    restores,
    servers,
    sidecars,
    starts,
    storage,
    transport,
    workloads,
)
from .declaration import Fault

CATALOGUE: dict[str, Fault] = {
    fault.name: fault
    for declared in (
        restores.FAULTS,
        restored_pods.FAULTS,
        servers.FAULTS,
        network.FAULTS,
        confinement.FAULTS,
        starts.FAULTS,
        restore_work.FAULTS,
        copies.FAULTS,
        moments.FAULTS,
        files.FAULTS,
        owners.FAULTS,
        sidecars.FAULTS,
        storage.FAULTS,
        checkpoints.FAULTS,
        propagator.FAULTS,
        transport.FAULTS,
        policies.FAULTS,
        kubernetes.FAULTS,
        nodes.FAULTS,
        workloads.FAULTS,
        install.FAULTS,
    )
    for fault in declared.all
}
