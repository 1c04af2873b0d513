"""Payments on a stage: a district of its own, its signers, claims, and a batch brought along by the real commands."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, text

from domain.actor import Actor, Post
from domain.money import fen_display
from service.access.tables import DistrictRow
from service.batches import commands, queries
from service.batches.schemas import BatchFilter, BatchView, NewBatch, NewRelease, Shown
from service.batches.tables import AttemptRow
from service.claims.schemas import NewGroup
from service.claims.tables import ClaimRow
from service.database import Tx
from service.gateways.bank import FileState
from tests.world import FUND, GENEROUS_FEN, INSURANCE, Trainee, World

#: One line of a return: (reference, amount in fen, code, reason).
Said = tuple[str, int, str, str]


@dataclass
class Stage:
    """`claims` in the order of filing. Nobody else's claims are in this district, so a batch takes just these."""

    world: World
    district: str
    staff: dict[Post, Actor]
    claims: list[UUID] = field(default_factory=list)

    @classmethod
    async def build(cls, tx: Tx, world: World, claims: int = 3) -> "Stage":
        district = f"Z{uuid4().hex[:10]}"
        await tx.execute(insert(DistrictRow).values(code=district, name="示例区", kind="district"))
        staff = {post: await world.user(tx, {post}, district) for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)}
        stage = cls(world, district, staff)
        for _ in range(claims):
            await stage.claim(tx)
        return stage

    async def claim(self, tx: Tx, trainee: Trainee | None = None, **other: Any) -> UUID:
        view = await self.world.claim(tx, "payable", trainee, district=self.district, **other)
        self.claims.append(view.id)
        return view.id

    async def employee(self, tx: Tx) -> UUID:
        """A claim that the unemployment insurance pays: of somebody whom an enterprise employs."""
        await self.world.appropriate(tx, self.district, GENEROUS_FEN, INSURANCE)
        contract = NewGroup("enterprise_employee", "labour_contract", "HT-2026-0001", self.world.today.isoformat())
        return await self.claim(tx, group=contract)

    async def open(self, tx: Tx, filed_to: date | None = None, limit: int = 9_999, fund: str = FUND) -> BatchView:
        new = NewBatch(fund, BatchFilter(filed_to), limit)
        return await commands.open_batch(tx, self.staff[Post.MAKER], new, self.world.today, self.world.now)

    async def frozen(self, tx: Tx, fund: str = FUND) -> BatchView:
        batch = await self.open(tx, fund=fund)
        await commands.assemble(tx, batch.id, self.world.now)
        return await self.see(tx, batch.id)

    async def released(self, tx: Tx) -> BatchView:
        batch = await self.frozen(tx)
        now = self.world.now
        await commands.submit_batch(tx, self.staff[Post.MAKER], batch.id, shown(batch), now)
        await commands.check_batch(tx, self.staff[Post.CHECKER], batch.id, shown(batch), now)
        return await self.release(tx, batch)

    async def release(self, tx: Tx, batch: BatchView, voucher: str | None = None) -> BatchView:
        release = transfer(batch, self.world.today, voucher)
        return await commands.release_batch(
            tx, self.staff[Post.RELEASER], batch.id, release, self.world.today, self.world.now
        )

    async def written(self, tx: Tx) -> BatchView:
        batch = await self.released(tx)
        await commands.write_bank_file(tx, batch.id, self.world.now)
        return batch

    async def sent(self, tx: Tx) -> BatchView:
        """As when the bank has taken the file."""
        batch = await self.written(tx)
        file = await commands.intend_to_send(tx, batch.id, self.world.now)
        assert file is not None
        assert await commands.settle_answer(tx, file, FileState("accepted", sha256=file.sha256), self.world.now)
        return await self.see(tx, batch.id)

    async def see(self, tx: Tx, batch_id: UUID) -> BatchView:
        return await queries.find_batch(tx, self.staff[Post.MAKER], batch_id)


def shown(batch: BatchView, **other: Any) -> Shown:
    """What a signer sees of this batch."""
    assert batch.content_hash
    assert batch.line_count
    assert batch.sum_fen
    seen = {"content_hash": batch.content_hash, "line_count": batch.line_count, "sum_fen": batch.sum_fen}
    return Shown(**{**seen, **other})


def transfer(batch: BatchView, on: date, voucher: str | None = None) -> NewRelease:
    seen = shown(batch)
    return NewRelease(
        seen.content_hash, seen.line_count, seen.sum_fen, voucher=voucher or f"V-{uuid4()}", transferred_on=on
    )


async def lines_of(tx: Tx, batch_id: UUID) -> list[Any]:
    """The batch's attempts in order of reference."""
    row = AttemptRow.__table__
    return list((await tx.execute(select(row).where(row.c.batch_id == batch_id).order_by(row.c.reference))).all())


async def attempt_statuses(tx: Tx, batch_id: UUID) -> list[str]:
    return [line.status for line in await lines_of(tx, batch_id)]


async def claim_statuses(tx: Tx, claims: Sequence[UUID]) -> list[str]:
    rows = await tx.execute(select(ClaimRow.id, ClaimRow.status).where(ClaimRow.id.in_(claims)))
    found = {row.id: row.status for row in rows}
    return [found[claim] for claim in claims]


async def ready_jobs(tx: Tx, subject: UUID) -> list[str]:
    """The kinds of work that is owed about `subject`."""
    rows = await tx.execute(
        text("SELECT kind FROM jobs WHERE subject = :subject AND state = 'ready' ORDER BY kind"), {"subject": subject}
    )
    return list(rows.scalars())


async def journal_of(tx: Tx, kind: str, subject: UUID) -> list[Any]:
    rows = await tx.execute(
        text(
            "SELECT action, before, after, actor_person_id, actor_name, reason FROM journal"
            " WHERE subject_kind = :kind AND subject_id = :subject ORDER BY id"
        ),
        {"kind": kind, "subject": subject},
    )
    return list(rows.all())


def a_return(batch: BatchView, lines: Sequence[Said], account: str | None = None) -> bytes:
    """A return file as a bank writes it, by hand: the count and sum are those of `lines`."""
    total = _yuan(sum(line[1] for line in lines))
    out = io.StringIO(newline="")
    rows: list[Sequence[Any]] = [
        ("H", "ZHIDA-RETURN-1", batch.number, account or batch.debit_account, len(lines), total),
        *(("R", at, line[0], _yuan(line[1]), *line[2:]) for at, line in enumerate(lines, start=1)),
        ("T", batch.number, len(lines), total),
    ]
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def _yuan(fen: int) -> str:
    return fen_display(fen).replace(",", "")
