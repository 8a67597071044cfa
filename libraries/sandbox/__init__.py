"""The embedded stand-in: an emulated Kubernetes API with a propagator over it, on loopback, in one process."""
