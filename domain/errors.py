"""Refusals: a type, a stable code and facts. Wording and HTTP belong elsewhere."""

from typing import Any


class DomainError(Exception):
    """Something the rules do not allow.

    `code` is stable and has wording in Chinese and English (`service/wording.toml`);
    `facts` fill that wording's places and must hold no personal data.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class NotFound(DomainError):
    """It does not exist, or the asker may not know that it does."""


class SignedOut(DomainError):
    """Nobody is signed in, the session has ended, or login and password do not fit."""


class Conflict(DomainError):
    """It cannot be done to what is there now."""


class Forbidden(DomainError):
    """This person may not do it, whatever the state."""


class Invalid(DomainError):
    """The input is malformed; `field` names the place (a JSON path such as `account.number`, or `line 7`).

    `others` are what else is wrong with it, where everything is told at once.
    """

    others: tuple["Invalid", ...] = ()

    def __init__(self, code: str, field: str, **facts: Any) -> None:
        super().__init__(code, **facts)
        self.field = field


class Malformed(Invalid):
    """It cannot even be read: a forged cursor, a header given twice."""


class Ineligible(DomainError):
    """Well formed, but the rules in force do not grant it; `facts` carry the whole decision."""


class Unavailable(DomainError):
    """A foreign system gave no answer: never a refusal, always asked again."""


class Throttled(DomainError):
    """Tried too often; `minutes` says for how long nobody is heard."""
