"""Sets of standards brought to a status through the real commands."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from domain.actor import Actor, Post
from service.database import Tx
from service.standards import commands
from service.standards.schemas import NewSignature, NewStandardSet, SetView
from tests.world import World


def flat(fen: int, **factors: dict[str, int]) -> dict[str, Any]:
    """A formula: the same base for every level, times tables by fact (`group={"graduate": 120}`)."""
    terms: dict[str, Any] = {"base": {"kind": "constant", "unit": "fen", "value": fen}}
    for fact, values in factors.items():
        terms[fact] = {"kind": "table", "by": fact, "unit": "percent", "values": values, "default": 100}
    terms["whole"] = {"kind": "product", "of": ["base", *factors]}
    terms["amount"] = {"kind": "round", "of": "whole", "to": "yuan", "how": "half_up"}
    return {"result": "amount", "terms": terms}


@dataclass
class Bureaus:
    """The editor of standards and the two who sign."""

    editor: Actor
    hr: Actor
    finance: Actor
    world: World = field(repr=False)

    @classmethod
    async def of(cls, tx: Tx, world: World) -> "Bureaus":
        posts = (Post.STANDARD_EDITOR, Post.HR_SIGNER, Post.FINANCE_SIGNER)
        editor, hr, finance = [await world.user(tx, {post}) for post in posts]
        return cls(editor, hr, finance, world)

    def new(self, formula: dict[str, Any], first: date, last: date | None = None, **other: Any) -> NewStandardSet:
        given: dict[str, Any] = {"year": first.year, "source": "示例文件", "reason": "示例"}
        return NewStandardSet(
            formula=formula, first=str(first), last=str(last) if last else None, **{**given, **other}
        )

    async def propose(
        self, tx: Tx, formula: dict[str, Any], first: date, last: date | None = None, **other: Any
    ) -> SetView:
        new = self.new(formula, first, last, **other)
        return await commands.propose(tx, self.editor, new, self.world.today, self.world.now)

    async def sign(self, tx: Tx, proposed: SetView) -> SetView:
        """Both bureaus."""
        for each in (self.hr, self.finance):
            view = await commands.sign(tx, each, proposed.id, NewSignature(proposed.content_hash), self.world.now)
        return view

    async def publish(self, tx: Tx, set_id: UUID) -> SetView:
        return await commands.publish(tx, self.editor, set_id, self.world.today, self.world.now)

    async def in_force(
        self, tx: Tx, formula: dict[str, Any], first: date, last: date | None = None, **other: Any
    ) -> SetView:
        """Proposed, signed and published."""
        proposed = await self.propose(tx, formula, first, last, **other)
        await self.sign(tx, proposed)
        return await self.publish(tx, proposed.id)
