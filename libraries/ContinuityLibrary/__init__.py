"""Witnesses and verdicts: did the process go on?"""

from .library import ContinuityLibrary

__all__ = ["ContinuityLibrary"]
