"""Read many values and tell everything that is malformed at once (一次性告知)."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from domain.errors import Invalid

P = ParamSpec("P")
T = TypeVar("T")


class Faults:
    """What could not be read, in the order in which it was tried."""

    def __init__(self) -> None:
        self.found: list[Invalid] = []

    def read(self, parse: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """What `parse` makes of it. After an Invalid the answer is a None that only looks like one: whoever reads
        many values uses none of them before `raise_first`."""
        try:
            return parse(*given, **named)
        except Invalid as fault:
            self.found.append(fault)
            return cast(T, None)

    def raise_first(self) -> None:
        """The first Invalid, when there is one."""
        if self.found:
            raise self.found[0]

    def raise_all(self) -> None:
        """The first Invalid with the others behind it, when there is one."""
        if self.found:
            first, *others = self.found
            first.others = tuple(others)
            raise first
