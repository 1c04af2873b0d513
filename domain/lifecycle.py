"""A lifecycle is a table; what is not in it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from domain.errors import Conflict

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


@dataclass(frozen=True)
class Lifecycle(Generic[S, A]):
    """`moves[(status, action)]` is the status that follows. `noun` names the thing in journal and refusals."""

    noun: str
    first: S
    moves: Mapping[tuple[S, A], S]

    def after(self, status: S, action: A) -> S:
        """The status after `action`; Conflict `wrong_status` when the table does not have the move."""
        try:
            return self.moves[status, action]
        except KeyError:
            raise Conflict("wrong_status", noun=self.noun, status=str(status), action=str(action)) from None

    def sources(self, action: A) -> dict[S, S]:
        """Every status from which `action` is legal, with the status it leads to."""
        return {before: after for (before, done), after in self.moves.items() if done == action}

    def final(self) -> frozenset[S]:
        """Statuses that nothing leaves."""
        return frozenset(self.moves.values()) - {status for status, _ in self.moves}
