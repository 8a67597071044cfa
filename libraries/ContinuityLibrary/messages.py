"""Messages between two witnesses: what each of them has sent and got, a line a step, beside the witness's own line.

`messages/1 nonce=<16 hex> step=<n> sent=<number>/<tag> got=<nonce of the sender>/<number>/<tag>`: the last message that
the process has sent, and the last one that it got; number 0 stands for none yet. A message is sent when the one before
it was got. Its tag is drawn at random when it is sent, so that a process that is set back and sends a message of that
number again sends another one.

They meet in two small files of a volume that the containers share. Each process writes only its own file, whole, in
each step: what it sent last, what it got last. So nothing is lost when a restore brings an empty volume, for both write
again what they hold in memory. No file stays open, as an open file of an emptyDir cannot be restored, and no connection
is made, as an established one cannot be dumped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .logs import LogLine

SCRIPT = (
    r"k=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n'); n=0; c=0000000000000000; s=0; t=-; f=-; g=0; u=-" + "\n"
    r"""while :; do
  n=$((n+1)); c=$(printf '%s %s %s' "$c" "$k" "$n" | sha256sum | cut -c1-16)
  r=$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n'); d=
  if [ -s "/box/$PEER" ]; then read -r p m q a b d < "/box/$PEER"; fi
  if [ "$d" = . ]; then
    if [ "$p $m $q" != "$f $g $u" ]; then f=$p; g=$m; u=$q; fi
    if [ "$a $b" = "$s $t" ]; then s=$((s+1)); t=$r; fi
  fi
  echo "$k $s $t $g $u ." > "/box/$ME"
  echo "witness/1 nonce=$k step=$n chain=$c"
  echo "messages/1 nonce=$k step=$n sent=$s/$t got=$f/$g/$u"
  sleep 0.1
done
"""
)
"""The witness that exchanges messages; `ME` and `PEER` name its file and the other one's below /box."""

_HEX = "[0-9a-f]"
_LINE = re.compile(
    rf"messages/1 nonce=({_HEX}{{16}}) step=([1-9]\d{{0,11}}) sent=(\d{{1,12}})/(-|{_HEX}{{8}}) "
    rf"got=(-|{_HEX}{{16}})/(\d{{1,12}})/(-|{_HEX}{{8}})\r?",
    re.ASCII,
)


@dataclass(frozen=True, order=True)
class Message:
    """A message: its number, and the tag that was drawn when it was sent."""

    number: int
    tag: str

    def __str__(self) -> str:
        return f"{self.number} ({self.tag})"


@dataclass(frozen=True, order=True)
class Exchange:
    """What a process had sent and got last when it took a step; None where there was nothing yet."""

    step: int
    nonce: str
    sent: Message | None
    sender: str
    got: Message | None


@dataclass(frozen=True, order=True)
class Told:
    """An exchange with the stamp of the line that holds it."""

    stamp: int
    exchange: Exchange

    @property
    def step(self) -> int:
        """The step's number."""
        return self.exchange.step


def parse(text: str) -> Exchange | None:
    """What a line's text tells; None for any other text, a line that was cut off included."""
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    nonce, step, sent, tag, sender, got, got_tag = found.groups()
    return Exchange(int(step), nonce, _message(sent, tag), sender, _message(got, got_tag))


def told(lines: Iterable[LogLine]) -> set[Told]:
    """What the lines tell of messages."""
    found = ((line.stamp, parse(line.text)) for line in lines)
    return {Told(stamp, exchange) for stamp, exchange in found if exchange is not None}


def _message(number: str, tag: str) -> Message | None:
    return Message(int(number), tag) if int(number) else None
