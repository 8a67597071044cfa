"""The node agent: takes checkpoints through its own kubelet and serves them to its own runtime as images.

Python's standard library only: the code is mounted from a ConfigMap into a public python image.
"""
