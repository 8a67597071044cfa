"""What errors of kubelets, runtimes and CRIU mean: what they say stays, what is known beside it is added."""

from __future__ import annotations

_MEANINGS = (
    (
        "executable file not found in $PATH",
        "CRIU is not installed on the node, or not in the PATH of its runtime",
    ),
    ("CRIU binary not found or too old", "CRIU 3.16 or later must be in the PATH of the node's runtime"),
    (
        "criu failed: type DUMP",
        "the reason stands only in the node's file named there; most often it is an established TCP connection, which "
        "`tcp-close` in the node's /etc/criu/runc.conf lets pass",
    ),
    (
        "criu failed: type RESTORE",
        "the runtime says no more; mounts, open files, sockets and the archive had been looked at before",
    ),
    (
        "no command specified",
        "the runtime took the image for an ordinary one: it does not restore, or restore is switched off in it",
    ),
    (
        "checkpoint restore via CreateContainer is disabled",
        "enable_experimental_restore_via_create = true in containerd's configuration switches it on",
    ),
    (
        "subresource(s)=[checkpoint]",
        "the agent's ServiceAccount needs the right to create nodes/checkpoint",
    ),
    ("404 page not found", "the kubelet's feature gate ContainerCheckpoint is off"),
    (
        "server gave HTTP response to HTTPS client",
        "the runtime asks the agent's registry on the node's loopback by HTTPS only; CRI-O asks by HTTP where "
        'registries.conf has a [[registry]] with location = "127.0.0.1:5999" and insecure = true',
    ),
    (
        "DeadlineExceeded",
        "it took longer than the kubelet waits for its runtime: for a dump the value agent.dumpTimeout of the agents' "
        "chart gives more time, for a restore the kubelet's own runtimeRequestTimeout",
    ),
    ("no space left on device", "the node's disk is full"),
    ("failed to pull checkpoint base image", "the runtime pulls the base image again, anonymously and by HTTPS"),
)


def explained(text: str) -> str:
    """The text, and in brackets what is known of it."""
    meaning = next((meaning for sign, meaning in _MEANINGS if sign in text), "")
    return f"{text} ({meaning})" if meaning and meaning not in text else text
