"""k3s as a native process on this host, in namespaces of its own: what it makes there goes with its last process."""
