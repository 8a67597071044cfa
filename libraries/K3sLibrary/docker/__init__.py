"""k3s in containers of a Docker daemon, by python-on-whales."""
