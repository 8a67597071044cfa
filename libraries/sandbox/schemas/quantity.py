"""Quantities such as `500m` and `1Gi`: parsing, and the canonical spelling that the API answers with.

Source: k8s.io/apimachinery pkg/api/resource (quantity.go, suffix.go).
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal
from functools import lru_cache

PATTERN_MESSAGE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_MESSAGE = "unable to parse quantity's suffix"

_FORM = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_EXPONENT = re.compile(r"[eE][-+]?\d+")
_NANO = Decimal(1).scaleb(-9)
_WIDE = Context(prec=60)


class QuantityError(ValueError):
    """The text is no quantity; the message is the API server's."""


@lru_cache(4096)
def parse(text: str) -> Decimal:
    """The value of a quantity, rounded up to nano as the API does."""
    return _split(text)[0]


@lru_cache(4096)
def canonical(text: str) -> str:
    """The quantity as the API server writes it: `1000m` as `1`, `1024Mi` as `1Gi`, `0.5` as `500m`."""
    value, style = _split(text)
    if value == 0:
        return "0"
    if style == "binary":
        return _binary(value) if abs(value) >= 1024 and value == value.to_integral_value() else _decimal(value)
    return _exponent(value) if style == "exponent" else _decimal(value)


def _split(text: str) -> tuple[Decimal, str]:
    form = _FORM.fullmatch(text)
    if not form or not (form[2] or form[3]):
        raise QuantityError(PATTERN_MESSAGE)
    number = Decimal(f"{form[1]}{form[2] or '0'}.{form[3] or '0'}")
    suffix = form[4]
    if suffix in _BINARY:
        value, style = number * _BINARY[suffix], "binary"
    elif suffix in _DECIMAL:
        value, style = number.scaleb(_DECIMAL[suffix]), "decimal"
    elif _EXPONENT.fullmatch(suffix):
        value, style = number.scaleb(int(suffix[1:])), "exponent"
    else:
        raise QuantityError(SUFFIX_MESSAGE)
    return value if value == value.quantize(_NANO, context=_WIDE) else value.quantize(_NANO, ROUND_UP, _WIDE), style


def _binary(value: Decimal) -> str:
    number = int(value)
    best = ""
    for suffix, factor in _BINARY.items():
        if number % factor == 0:
            best = suffix
    return f"{number // _BINARY[best] if best else number}{best}"


def _decimal(value: Decimal) -> str:
    for suffix in reversed(_DECIMAL):
        scaled = value.scaleb(-_DECIMAL[suffix])
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    return f"{value.normalize():f}"


def _exponent(value: Decimal) -> str:
    for exponent in range(18, -10, -3):
        scaled = value.scaleb(-exponent)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}e{exponent}" if exponent else str(int(scaled))
    return f"{value.normalize():f}"
