"""A stand-in for iptables and iptables-save, for machines without them: it keeps rules in a file of its directory.

It knows what the provider and the stand-in k3s ask for: `-I` and `-D` of rules, and `-N` of chains.
"""

from __future__ import annotations

import sys
from pathlib import Path

RULES = Path(__file__).with_name("rules.txt")


def main(words: list[str]) -> int:
    """Changes or prints the rules."""
    rules = RULES.read_text().splitlines() if RULES.exists() else []
    if Path(sys.argv[0]).name == "iptables-save":
        print("\n".join(f"-A {rule}" for rule in rules))
        return 0
    words = [word for word in words if word != "-w"]
    if words[:2] == ["-t", "nat"]:
        words = words[2:]
    operation, rule = words[0], " ".join(words[1:])
    if operation == "-D" and rule not in rules:
        print("iptables: Bad rule (does a matching rule exist in that chain?).", file=sys.stderr)
        return 1
    if operation == "-D":
        rules.remove(rule)
    else:
        rules.append(rule)
    RULES.write_text("\n".join(rules) + ("\n" if rules else ""))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
