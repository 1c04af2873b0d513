"""A clawback that is demanded, and the statements by which it comes back."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text

from domain.actor import Post
from service.batches.tables import BatchRow
from service.claims.tables import ClaimRow
from service.clawbacks.commands.repaying import answer_repayment, propose_repayment, settle_by_number
from service.clawbacks.queries.views import clawback_view
from service.clawbacks.schemas import ClawbackView, NewRepayment, RepaymentProposalView
from service.database import Tx
from service.funds.tables import PositionRow
from service.journal import By
from service.statements.commands import taking
from service.statements.schemas import StatementView
from tests import statements
from tests.objections import PaidForThem
from tests.service.test_clawbacks import Office
from tests.statements import OPENING, Line
from tests.world import World


@dataclass
class Owing:
    """`balance` and `sequence`: of the next statement."""

    office: Office
    account: str
    clawback: ClawbackView
    sequence: int = 1
    balance: int = field(default=OPENING)

    @classmethod
    async def build(cls, tx: Tx, world: World, fen: int | None = None) -> "Owing":
        office = Office(await PaidForThem.build(tx, world))
        clawback = await office.demand(tx, (await office.by_hand(tx, fen=fen)).id)
        asked = select(BatchRow.debit_account).where(BatchRow.district == office.paid.stage.district)
        return cls(office, (await tx.execute(asked)).scalar_one(), clawback)

    @property
    def world(self) -> World:
        return self.office.world

    def paid_in(self, fen: int, words: str | None = None) -> Line:
        return ("C", fen, "", "王小明", self.clawback.number if words is None else words)

    def written(self, *lines: Line) -> bytes:
        day = self.world.today + timedelta(self.sequence - 1)
        return statements.neutral(self.account, self.sequence, day, lines, opening=self.balance)

    async def take(self, tx: Tx, *lines: Line) -> StatementView:
        data = self.written(*lines)
        by = By.actor(self.office.staff(Post.MAKER), Post.MAKER, self.world.now)
        view = await taking.take_statement(
            tx, self.office.staff(Post.MAKER), "neutral", taking.read("neutral", data), data, by
        )
        self.sequence, self.balance = self.sequence + 1, statements.closing(lines, self.balance)
        return view

    async def lines(self, tx: Tx, verdict: str = "waiting") -> list[UUID]:
        asked = text(
            "SELECT id FROM statement_lines WHERE account = :account AND verdict = :verdict"
            " ORDER BY booked_on, line_no"
        )
        return list((await tx.execute(asked, {"account": self.account, "verdict": verdict})).scalars())

    async def settle(self, tx: Tx) -> None:
        """As the job does."""
        for line_id in await self.lines(tx):
            await settle_by_number(tx, line_id, self.world.now)

    async def propose(self, tx: Tx, line_id: UUID, fen: int, post: Post = Post.MAKER) -> RepaymentProposalView:
        new = NewRepayment(self.clawback.number, fen, "凭银行回单认定")
        return await propose_repayment(tx, self.office.staff(post), line_id, new, self.world.now)

    async def answer(
        self, tx: Tx, line_id: UUID, post: Post = Post.CHECKER, *, grant: bool = True
    ) -> RepaymentProposalView:
        return await answer_repayment(tx, self.office.staff(post), line_id, grant=grant, now=self.world.now)

    async def now(self, tx: Tx) -> ClawbackView:
        return await clawback_view(tx, self.clawback.id)

    async def claim_status(self, tx: Tx) -> str:
        asked = select(ClaimRow.status).where(ClaimRow.id == self.office.paid.claim_id)
        return (await tx.execute(asked)).scalar_one()

    async def money(self, tx: Tx) -> tuple[int, int]:
        """What is paid, and what is free, of the district's money."""
        row = PositionRow
        asked = select(row.paid_fen, row.free_fen).where(row.district == self.office.paid.stage.district)
        found = (await tx.execute(asked)).one()
        return found.paid_fen, found.free_fen
