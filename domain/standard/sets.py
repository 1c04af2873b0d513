"""A set of standards: one formula over one edition, signed by two bureaus, published as a whole (notice 三)."""

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.actor import Actor, Post
from domain.catalog.edition import Publishing, calendar_faults
from domain.errors import Conflict, Forbidden, Invalid
from domain.lifecycle import Lifecycle
from domain.standard.formula import FACTS, Shape


class SetStatus(StrEnum):
    DRAFT = "draft"
    SIGNED = "signed"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    DROPPED = "dropped"


class SetAction(StrEnum):
    """LOAD: a sample, or what was in force before there were sets; nobody signed it."""

    SIGN = "sign"
    PUBLISH = "publish"
    LOAD = "load"
    SUPERSEDE = "supersede"
    DROP = "drop"


SET_LIFECYCLE = Lifecycle(
    "standard_set",
    SetStatus.DRAFT,
    {
        (SetStatus.DRAFT, SetAction.SIGN): SetStatus.SIGNED,
        (SetStatus.DRAFT, SetAction.LOAD): SetStatus.PUBLISHED,
        (SetStatus.DRAFT, SetAction.DROP): SetStatus.DROPPED,
        (SetStatus.SIGNED, SetAction.PUBLISH): SetStatus.PUBLISHED,
        (SetStatus.SIGNED, SetAction.DROP): SetStatus.DROPPED,
        (SetStatus.PUBLISHED, SetAction.SUPERSEDE): SetStatus.SUPERSEDED,
    },
)


#: Who works on standards before they are published: sees sets and open reviews, and computes what sets would cost.
WORKS_ON_STANDARDS = (Post.STANDARD_EDITOR, Post.HR_SIGNER, Post.FINANCE_SIGNER, Post.AUDITOR)


class Bureau(StrEnum):
    """Whose signatures a set needs, one of each."""

    HR = "hr"
    FINANCE = "finance"


_SIGNS_FOR = {Post.HR_SIGNER: Bureau.HR, Post.FINANCE_SIGNER: Bureau.FINANCE}


def bureau_of(me: Actor) -> tuple[Bureau, Post]:
    """The bureau for which they sign, and the post in which. Forbidden `post_missing` for whoever signs for none."""
    me.must_hold(*_SIGNS_FOR)
    post = next(post for post in _SIGNS_FOR if me.holds(post))
    return _SIGNS_FOR[post], post


def must_be_three_persons(proposer: UUID | None, signers: Mapping[str, UUID], bureau: Bureau, me: UUID) -> None:
    """Conflict `standards.bureau_signed`; Forbidden `standards.same_person` for who proposed it or signed before."""
    if bureau in signers:
        raise Conflict("standards.bureau_signed", bureau=str(bureau))
    if me == proposer or me in signers.values():
        raise Forbidden("standards.same_person")


def must_be_explained(asked: Publishing, first: date, reason: str) -> None:
    """A set goes out of season, or for days that are past (`first` is its first), only with a `reason`: it stands in
    what both bureaus sign.

    Invalid `standards.reason`; Conflict `standards.calendar` (faults): standards keep the calendar of the catalog
    (notice 三.7: assessed and published in the first quarter).
    """
    if reason:
        return
    if first < asked.day:
        raise Invalid("standards.reason", field="reason")
    if faults := list(calendar_faults(asked)):
        raise Conflict("standards.calendar", faults=faults)


def content_of(told: Mapping[str, Any], rows: Collection[tuple[str, str, Mapping[str, Any], int]]) -> str:
    """SHA-256, in hex, of what is signed: the set as it was proposed, and each (occupation, level, facts, fen).

    A set that does not price projects has the hash that it had before any could.
    """
    if told.get("projects") is None:
        told = {name: value for name, value in told.items() if name != "projects"}
    ordered = sorted((occupation, level, dict(facts), fen) for occupation, level, facts, fen in rows)
    content = json.dumps([dict(told), ordered], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


#: What may be said of an occupation beside its lists; the rest of a formula's facts are the claim's.
_OF_OCCUPATION = ("scarcity", "cost", "hours")


def occupation_facts(raw: object) -> dict[str, dict[str, str | int]]:
    """By occupation, what `raw` says (fact → occupation → word or number). Invalid `formula.…` with its place."""
    if not isinstance(raw, dict):
        raise Invalid("formula.not_object", "facts")
    found: dict[str, dict[str, str | int]] = {}
    for name, said in raw.items():
        if name not in _OF_OCCUPATION:
            raise Invalid("formula.unknown_fact", f"facts.{name}"[:120], known=sorted(_OF_OCCUPATION))
        if not isinstance(said, dict):
            raise Invalid("formula.not_object", f"facts.{name}")
        for occupation, value in said.items():
            number = FACTS[name].shape is Shape.NUMBER
            fits = isinstance(value, int if number else str) and not isinstance(value, bool)
            if not fits or (isinstance(value, int) and not 0 <= value <= FACTS[name].most):
                raise Invalid("formula.fact", f"facts.{name}.{occupation}"[:120])
            found.setdefault(occupation, {})[name] = value
    return found
