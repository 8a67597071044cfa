"""RobotDebug's interactive shell. Version 4.6.1 does not give Robot Framework 7.5 the doc format that it asks for."""

from __future__ import annotations

from functools import partialmethod

from RobotDebug import RobotDebug
from RobotDebug.robotlib import ImportedLibraryDocBuilder, ImportedResourceDocBuilder


class Shell(RobotDebug):
    """The keyword `Debug`, which opens the shell."""

    def __init__(self) -> None:
        super().__init__(repl=True)


for _builder in (ImportedLibraryDocBuilder, ImportedResourceDocBuilder):
    _builder.__init__ = partialmethod(_builder.__init__, "ROBOT")
