"""Clusters as several libraries see them: connections by alias, waiting by watch, objects, pods and their logs."""

from .connection import CLUSTERS, Cluster, answers_unread, recorded
from .errors import api_errors

__all__ = ["CLUSTERS", "Cluster", "answers_unread", "api_errors", "recorded"]
