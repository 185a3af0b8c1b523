"""Three-valued logic after Kleene (strong): a value that is not known stays not known until the rest settles it.

The three values are ordered, false < unknown < true, so that *all of* is the smallest, *any of* the
largest, and *at least k of* the k-th largest. CQL (Clinical Quality Language, HL7) uses the same tables.
"""

from collections.abc import Iterable
from enum import IntEnum


class Truth(IntEnum):
    """False, unknown or true. Not a bool: `if truth` would turn unknown into yes, so it is refused."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2

    def __bool__(self) -> bool:
        raise TypeError("a three-valued truth is neither yes nor no: compare it, for example `is Truth.TRUE`")

    def __invert__(self) -> "Truth":
        return Truth(2 - self.value)

    def __and__(self, other: "Truth") -> "Truth":
        return min(self, other)

    def __or__(self, other: "Truth") -> "Truth":
        return max(self, other)

    @property
    def settled(self) -> bool:
        return self is not Truth.UNKNOWN


def truth(value: bool | None) -> Truth:
    """A bool, or None for not known, as Truth."""
    return Truth.UNKNOWN if value is None else Truth.TRUE if value else Truth.FALSE


def all_of(values: Iterable[Truth]) -> Truth:
    """True if every value is; of none it is true."""
    return min(values, default=Truth.TRUE)


def any_of(values: Iterable[Truth]) -> Truth:
    """True if one value is; of none it is false."""
    return max(values, default=Truth.FALSE)


def at_least(k: int, values: Iterable[Truth]) -> Truth:
    """True if k values are true, false if even the unknown ones could not make it k. Raises ValueError for k < 1."""
    if k < 1:
        raise ValueError(f"at least {k} of a list says nothing; expected 1 or more")
    ranked = sorted(values, reverse=True)
    return ranked[k - 1] if k <= len(ranked) else Truth.FALSE
