"""The witness over HTTP, as a script of Python's `http.server` declares it: each answer is one step of its memory.

Such a server speaks HTTP/1.0 and closes after each answer (docs.python.org, "http.server").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .requests import Request, Response
from .shell.memory import WitnessState, begin_witness
from .shell.program import is_witness, witness_of

_SERVER = re.compile(r"HTTPServer\(\s*\(\s*[\"'][\d.]*[\"']\s*,\s*(\d+)\s*\)")


@dataclass
class ServedWitness:
    """Its memory, and the port that it listens on; one that is `stuck` says the same again and again."""

    state: WitnessState
    port: int
    line: bytes = b""
    stuck: bool = False

    def copy(self) -> ServedWitness:
        """An independent copy."""
        return replace(self, state=replace(self.state))

    def answer(self, request: Request) -> Response:
        """One step, on whatever path."""
        if request.method != "GET":
            return Response(501)
        if not (self.stuck and self.line):
            self.line = self.state.advance()
        return Response(200, self.line, {"Server": "BaseHTTP/0.6 Python/emulated", "Content-Type": "text/plain"})


def declared(text: str) -> ServedWitness | None:
    """The server that a script declares; None where it declares none."""
    server = _SERVER.search(text)
    if not server or not is_witness(text):
        return None
    return ServedWitness(begin_witness(witness_of(text), {}), int(server[1]))
