"""Bodies of answers: read piece by piece as they come, with an end to how long and how large they may be."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator

import requests
from requests import exceptions
from urllib3.exceptions import HTTPError

from .answers import LONGEST_LOOK
from .errors import NotUnderstood, Unreachable

LARGEST_ANSWER = 256 * 1024 * 1024
"""Bytes; a list of a million actions is about as much."""
PIECE = 64 * 1024
PLAIN = "utf-8"


class Body:
    """The body of one answer, to be read once.

    Attributes:
        beginning: what was read so far, or as much of it as is ever shown.
        length: characters that were read so far.
    """

    def __init__(self, operation: str, response: requests.Response, deadline: float) -> None:
        self.operation, self._response, self._deadline = operation, response, deadline
        self.beginning, self.length = "", 0

    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces())

    def pieces(self) -> Iterator[str]:
        """The text as it comes; what cannot be decoded is replaced.

        Raises:
            PropagatorError: it is too large, or comes too slowly: the read timeout alone would let it drip for ever.
            requests.ConnectionError: it broke off.
        """
        decoder = _decoder(self._response)
        for piece in self._bytes():
            yield self._came(decoder.decode(piece))
        if rest := decoder.decode(b"", final=True):
            yield self._came(rest)

    def _came(self, text: str) -> str:
        self.length += len(text)
        self.beginning += text[: LONGEST_LOOK - len(self.beginning)]
        return text

    def _bytes(self) -> Iterator[bytes]:
        size = 0
        try:
            while piece := self._response.raw.read1(PIECE, decode_content=True):
                size += len(piece)
                if size > LARGEST_ANSWER:
                    raise NotUnderstood(self.operation, f"an answer of more than {LARGEST_ANSWER // 1024**2} MB")
                if time.monotonic() > self._deadline:
                    raise Unreachable(self.operation, "the answer came too slowly", sent=True, in_time=False)
                yield piece
        except HTTPError as broken:
            raise exceptions.ConnectionError(broken) from None


def _decoder(response: requests.Response) -> codecs.IncrementalDecoder:
    """That of the charset which the answer names, if it is one of text; else of UTF-8."""
    named = response.encoding if "charset" in response.headers.get("Content-Type", "").lower() else None
    try:
        b" ".decode(named or PLAIN, "replace")
        return codecs.getincrementaldecoder(named or PLAIN)("replace")
    except LookupError:
        return codecs.getincrementaldecoder(PLAIN)("replace")
