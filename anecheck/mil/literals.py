"""One element of a tensor, as MIL text spells it."""

from __future__ import annotations

from collections.abc import Callable

from anecheck.mil.scanner import unescape
from anecheck.mil.values import Scalar


def element_reader(dtype: str) -> Callable[[str], Scalar]:
    """What turns a token into an element of a type; floats may be in hexadecimal, integers have any base.

    The reader raises ValueError or OverflowError for tokens that are none.
    """
    return _READERS.get(dtype, _read_integer)


def _read_float(token: str) -> float:
    return float.fromhex(token) if "x" in token or "X" in token else float(token)


def _read_integer(token: str) -> int:
    return int(token, 0)


def _read_boolean(token: str) -> bool:
    if token not in {"true", "false"}:
        raise ValueError(token)
    return token == "true"


def _read_string(token: str) -> str:
    if not token.startswith('"'):
        raise ValueError(token)
    return unescape(token)


_READERS: dict[str, Callable[[str], Scalar]] = {
    "string": _read_string,
    "bool": _read_boolean,
    **dict.fromkeys(("fp16", "fp32", "fp64"), _read_float),
}
