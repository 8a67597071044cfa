"""A stock Kubernetes as what the propagator works on: real checkpoints through the kubelets' checkpoint API.

Agents on the nodes (`chart/`) take them and serve them to the runtimes as images; a restore is a pod with such images.
Needed on the nodes: CRIU, and a runtime that restores (`runtimes`).
"""
