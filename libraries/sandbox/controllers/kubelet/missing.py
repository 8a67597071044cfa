"""What keeps a pod waiting."""


class Missing(Exception):
    """An object that a volume or the environment needs is not there; the message is the kubelet's."""
