"""A small season, written as the service's role through the one door, so that every guard has agreed to it."""

import hashlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import Range

from domain.actor import Actor, Post
from domain.batch import (
    ATTEMPT_LIFECYCLE,
    BATCH_LIFECYCLE,
    AttemptAction,
    BatchAction,
    PaymentLine,
    Step,
    content_of,
    steps_of,
)
from domain.claim import Channel, ClaimAction
from domain.eligibility import StandardFacts, decide
from domain.fund import Pot
from service.access.tables import UserRow
from service.batches.commands.counting import counted
from service.batches.queries import debit_account
from service.batches.tables import AttemptRow, BankFileRow, BatchRow, SendingRow, SignatureRow, TreasuryTransferRow
from service.catalog.tables import CatalogItemRow, EditionRow
from service.claims.commands.moves import move_claims
from service.claims.queries.decisions import stored_decision
from service.claims.tables import ClaimRow, ClaimTallyDeltaRow, MandateRow
from service.crypto import keyring
from service.database import Tx
from service.employment.tables import EmploymentContractRow
from service.funds.commands import confirm_appropriation, follow, propose_appropriation
from service.funds.schemas import NewAppropriation
from service.gateways.bank_files import BankFileHeader, neutral, write
from service.institutions.commands.accounts import payable_account
from service.institutions.tables import AccountAnswerRow, AccountProposalRow, InstitutionRow
from service.journal import By, move_all, record
from service.people.tables import AccountRow, PersonRow
from service.reconciliation.tables import ReturnFileRow, ReturnLineRow
from service.standards.tables import StandardRow
from tests.facts import MANDATE, eligible

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DAY = AT.date()
BY = By("season", AT)
ACCOUNT, BANK_CODE = "6217000010000000018", "102451000018"


def _account(account_id: UUID) -> dict[str, Any]:
    sealed = {
        "holder_sealed": keyring().seal("张三", account_id),
        "number_sealed": keyring().seal(ACCOUNT, account_id),
    }
    return {
        "id": account_id, **sealed, "number_index": account_id.bytes, "tail": ACCOUNT[-4:], "bank_code": BANK_CODE,
    }  # fmt: skip


@asynccontextmanager
async def fresh_database(admin_url: str, suffix: str) -> AsyncIterator[str]:
    """The name of a database of one's own, copied from the migrated template and dropped afterwards."""
    base, _, worker = admin_url.rpartition("/")
    name = f"{worker}_{suffix}"
    connection = await asyncpg.connect(f"{base}/postgres")
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE zhida OWNER zhida_owner")
        yield name
    finally:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.close()


async def keep_answers(tx: Tx) -> None:
    """The answers to signatures that commands were called for, as the routes would have kept them."""
    await tx.execute(
        text("""INSERT INTO idempotency_keys (user_id, route, key, body_sha256, answer)
                SELECT s.user_id, 'POST /api/batches/' || s.batch_id || '/' || named.verb, 'kept', '-',
                       jsonb_build_object('id', s.batch_id, 'status', named.status)
                  FROM batch_signatures s
                  JOIN (VALUES ('assemble', 'submit', 'submitted'), ('check', 'check', 'checked'),
                               ('release', 'release', 'released')) AS named (step, verb, status)
                    ON named.step = s.step
                ON CONFLICT DO NOTHING""")
    )


@dataclass
class Season:
    """`persons` and `users` are three pairs for signatures, then one of a trainee."""

    districts: Sequence[str]
    persons: list[UUID] = field(default_factory=list)
    users: list[UUID] = field(default_factory=list)
    item_id: UUID = field(default_factory=uuid4)
    standard_id: UUID = field(default_factory=uuid4)
    institution_id: UUID = field(default_factory=uuid4)
    employers_account: UUID | None = None

    LISTS: ClassVar = ("shortage", "manufacturing", "general")
    LEVELS: ClassVar = ("5", "4", "3", "2", "1")

    @classmethod
    async def build(cls, tx: Tx, districts: Sequence[str] = ("370102", "370112")) -> "Season":
        season, edition_id = cls(districts), uuid4()
        for code in districts:
            await tx.execute(
                text("INSERT INTO districts VALUES (:code, :code || '区', NULL, 'district') ON CONFLICT DO NOTHING"),
                {"code": code},
            )
        for number in range(4):
            season.persons.append(await season.person(tx))
            season.users.append(uuid4())
            user = {"id": season.users[-1], "login": f"season-{season.users[-1]}", "password_hash": "-"}
            # the three who sign work for the district of the batches
            place = "370102" if number < 3 and "370102" in districts else None
            await tx.execute(insert(UserRow).values(**user, person_id=season.persons[number], district=place))
        await record(tx, "edition", [edition_id], "import", BY, [{"status": "draft"}])
        await tx.execute(
            insert(EditionRow).values(
                id=edition_id, year=random.randint(3000, 2**30), source_name="season", source_sha256=b"-"
            )
        )
        await tx.execute(
            insert(CatalogItemRow).values(
                id=season.item_id, edition_id=edition_id, list_name="急需紧缺", list_kind="shortage",
                serial="1", place=1, line=1, code="6-18-01-01", name="车工", industry="制造业",
            )
        )  # fmt: skip
        season.standard_id = (await tx.execute(select(StandardRow.id).limit(1))).scalar_one()
        await tx.execute(
            insert(InstitutionRow).values(
                id=season.institution_id,
                credit_code=str(season.institution_id),
                name="培训学校",
                district=districts[0],
                kind="enterprise_centre",  # it employs as well
            )
        )
        await season.provide(tx)
        return season

    async def provide(self, tx: Tx) -> None:
        """Money for this year in the first district."""
        maker, checker = (
            Actor(self.users[place], self.persons[place], frozenset({post}), self.districts[0])
            for place, post in enumerate((Post.MAKER, Post.CHECKER))
        )
        new = NewAppropriation("employment_subsidy", DAY.year, 10**10, "season", "season")
        proposed = await propose_appropriation(tx, maker, new, DAY, AT)
        await confirm_appropriation(tx, checker, proposed.id, AT)

    async def person(self, tx: Tx) -> UUID:
        person_id = uuid4()
        keys = keyring()
        sealed = {"name_sealed": keys.seal("张三", person_id), "id_number_sealed": keys.seal("-", person_id)}
        await tx.execute(insert(PersonRow).values(id=person_id, **sealed))
        return person_id

    async def file(
        self,
        tx: Tx,
        *,
        filed_on: date = DAY,
        district: str = "370102",
        list_kind: str = "shortage",
        industry: str = "制造业",
        level: str = "5",
        channel: str = "individual",
        amount_fen: int = 70_000,
        person_id: UUID | None = None,
    ) -> UUID:
        """One filed claim, with its journal row and its delta, as filing writes them."""
        claim_id, account_id = uuid4(), uuid4()
        person_id = person_id or await self.person(tx)
        employer_id = self.institution_id if channel == "enterprise" else None
        if employer_id:
            account_id = await self._account_of_employer(tx)
        else:
            await tx.execute(insert(AccountRow).values(**_account(account_id), person_id=person_id))
        contract_id = await self._contract(tx, person_id) if employer_id else None
        mandate_id = await self._mandate(tx, person_id) if channel == "institution" else None
        said = {
            "status": "filed", "amount_fen": amount_fen, "account_id": str(account_id),
            "subsidy_key": "6-18-01-01", "level": level,
        }  # fmt: skip
        await record(tx, "claim", [claim_id], "file", BY, [said])
        counted = {
            "filed_on": filed_on, "district": district, "list_kind": list_kind, "industry": industry,
            "level": level, "channel": channel, "amount_fen": amount_fen,
        }  # fmt: skip
        await tx.execute(
            insert(ClaimRow).values(
                id=claim_id, person_id=person_id, via="web", filed_by=self.users[3], mandate_id=mandate_id,
                institution_id=self.institution_id if mandate_id or employer_id else None, item_id=self.item_id,
                contract_id=contract_id, payee_institution_id=employer_id,
                subsidy_key="6-18-01-01", once_in="ever", certificate_number=claim_id.hex[:22],
                certificate_issued_on=filed_on, training_started_on=filed_on, standard_id=self.standard_id,
                account_id=account_id, status="filed", filed_at=AT, **counted,
                decision=self._decided(filed_on, level, channel, amount_fen),
            )
        )  # fmt: skip
        await tx.execute(insert(ClaimTallyDeltaRow).values(count=1, **counted))
        return claim_id

    def _decided(self, filed_on: date, level: str, channel: str, amount_fen: int) -> dict[str, Any]:
        facts = eligible(
            today=filed_on, training_started_on=filed_on, issued_on=filed_on, level=level,
            certificate_number="ZX37012026", channel=Channel(channel),
            standard=StandardFacts(str(self.standard_id), amount_fen, sample=True),
            mandate=replace(MANDATE, first=filed_on, last=filed_on) if channel == "institution" else None,
        )  # fmt: skip
        return stored_decision(facts, decide(facts))

    async def _mandate(self, tx: Tx, person_id: UUID) -> UUID:
        mandate_id = uuid4()
        await tx.execute(
            insert(MandateRow).values(
                id=mandate_id, institution_id=self.institution_id, person_id=person_id, signed_on=AT.date(),
                in_force=Range(AT.date(), None), document_sha256="-", fee_fen=0, recorded_by=self.users[0],
            )
        )  # fmt: skip
        return mandate_id

    async def _contract(self, tx: Tx, person_id: UUID) -> UUID:
        contract_id, days = uuid4(), Range(AT.date(), None)
        await tx.execute(
            insert(EmploymentContractRow).values(
                id=contract_id, institution_id=self.institution_id, employer_kind="enterprise_centre",
                person_id=person_id, number_sealed=keyring().seal("-", contract_id), signed_on=AT.date(),
                in_force=days, document_sha256="-", recorded_by=self.users[0], recorded_at=AT,
            )
        )  # fmt: skip
        return contract_id

    async def _account_of_employer(self, tx: Tx) -> UUID:
        """Confirmed once by two of the season's persons."""
        if self.employers_account is None:
            made = {**_account(uuid4()), "institution_id": self.institution_id}
            asked = {"first": DAY, "reason": "season", "proposer_id": self.persons[0], "proposed_by": self.users[0]}
            await tx.execute(insert(AccountProposalRow).values(**made, **asked, proposed_at=AT))
            answer = {"proposer_id": self.persons[0], "person_id": self.persons[1], "answered_by": self.users[1]}
            answered = insert(AccountAnswerRow).values(proposal_id=made["id"], answer="confirmed", **answer)
            await tx.execute(answered.values(answered_at=AT))
            self.employers_account = await payable_account(tx, made["id"])
        return self.employers_account

    async def withdraw(self, tx: Tx, claim_id: UUID) -> None:
        """Withdraw, and take the claim out of the figures of the day on which it was filed."""
        assert await move_claims(tx, ClaimAction.WITHDRAW, [claim_id], BY)
        await tx.execute(
            text("""INSERT INTO claim_tally_deltas
                        (filed_on, district, list_kind, industry, level, channel, count, amount_fen)
                    SELECT filed_on, district, list_kind, industry, level, channel, -1, -amount_fen
                      FROM claims WHERE id = :id"""),
            {"id": claim_id},
        )

    async def move_claims(self, tx: Tx, ids: list[UUID], *actions: ClaimAction) -> None:
        for action in actions:
            assert len(await move_claims(tx, action, ids, BY)) == len(ids)

    async def freeze(self, tx: Tx, claim_ids: list[UUID]) -> tuple[UUID, list[UUID]]:
        """A frozen batch over filed claims: its id and its attempts'."""
        await self.move_claims(
            tx, claim_ids, ClaimAction.VERIFY, ClaimAction.APPROVE, ClaimAction.PUBLISH, ClaimAction.CLEAR
        )
        batch_id, number = uuid4(), uuid4().hex[:8].upper()
        paying = {"fund": "employment_subsidy", "debit_account": debit_account("就业补助资金", "370102")}
        await record(tx, "batch", [batch_id], "open", BY, [{"status": "opened", **paying}])
        await tx.execute(
            insert(BatchRow).values(
                id=batch_id, number=number, district="370102", filter={}, status="opened",
                opened_by=self.users[0], opened_at=AT, **paying,
            )
        )  # fmt: skip
        await self.move_claims(tx, claim_ids, ClaimAction.BATCH)
        claims = (await tx.execute(select(ClaimRow.id, ClaimRow.amount_fen).where(ClaimRow.id.in_(claim_ids)))).all()
        lines, attempts = [], []
        for place, claim in enumerate(claims):
            attempts.append(uuid4())
            lines.append(PaymentLine(f"{number}{place}", "张三", ACCOUNT, BANK_CODE, claim.amount_fen))
            await self._prepare(tx, attempts[-1], batch_id, claim.id, lines[-1])
        content = content_of(lines)
        changes = {"content_hash": content.content_hash, "line_count": content.line_count, "sum_fen": content.sum_fen}
        await self.move_batch(tx, batch_id, BatchAction.FREEZE, changes)
        return batch_id, attempts

    async def _prepare(self, tx: Tx, attempt_id: UUID, batch_id: UUID, claim_id: UUID, line: PaymentLine) -> None:
        said = {
            "status": "prepared", "reference": line.reference, "amount_fen": line.amount_fen,
            "claim_id": str(claim_id),
        }  # fmt: skip
        await record(tx, "attempt", [attempt_id], "prepare", BY, [said])
        keys = keyring()
        await tx.execute(
            insert(AttemptRow).values(
                id=attempt_id, claim_id=claim_id, batch_id=batch_id, reference=line.reference,
                amount_fen=line.amount_fen, payee_sealed=keys.seal(line.payee, attempt_id),
                account_sealed=keys.seal(line.account, attempt_id), account_tail=line.account[-4:],
                bank_code=line.bank_code, status="prepared",
            )
        )  # fmt: skip

    async def move_batch(
        self, tx: Tx, batch_id: UUID, action: BatchAction, changes: dict[str, Any] | None = None, by: By = BY
    ) -> None:
        assert await move_all(tx, BatchRow.__table__, BATCH_LIFECYCLE, action, [batch_id], by, changes=changes)

    async def move_attempts(self, tx: Tx, ids: list[UUID], *actions: AttemptAction) -> None:
        for action in actions:
            moved = await move_all(tx, AttemptRow.__table__, ATTEMPT_LIFECYCLE, action, ids, BY)
            assert len(moved) == len(ids)

    async def sign(self, tx: Tx, batch_id: UUID) -> None:
        """Three persons, the treasury's transfer, released."""
        batch = (await tx.execute(select(BatchRow).where(BatchRow.id == batch_id))).one()
        content = {"content_hash": batch.content_hash, "line_count": batch.line_count, "sum_fen": batch.sum_fen}
        steps = zip(steps_of(1), (BatchAction.SUBMIT, BatchAction.CHECK, BatchAction.RELEASE), strict=True)
        for place, (step, action) in enumerate(steps):
            signed = {"person_id": self.persons[place], "user_id": self.users[place], "signed_at": AT}
            await tx.execute(insert(SignatureRow).values(batch_id=batch_id, step=str(step), **signed, **content))
            if step is Step.RELEASE:
                await tx.execute(
                    insert(TreasuryTransferRow).values(
                        batch_id=batch_id, voucher=str(batch_id), transferred_on=AT.date(),
                        sum_fen=batch.sum_fen, recorded_by=self.users[2],
                    )
                )  # fmt: skip
            changes = await counted(tx, batch, batch.sum_fen, AT) if action == BatchAction.SUBMIT else None
            signer = By(f"season {step}", AT, self.users[place], self.persons[place])
            await self.move_batch(tx, batch_id, action, changes, signer)
        await keep_answers(tx)

    async def send(self, tx: Tx, batch_id: UUID, attempts: list[UUID]) -> None:
        """The bank file, written and sent."""
        batch = (await tx.execute(select(BatchRow).where(BatchRow.id == batch_id))).one()
        header = BankFileHeader(batch.number, AT.date(), batch.debit_account, batch.line_count, batch.sum_fen)
        rows = (await tx.execute(select(AttemptRow).where(AttemptRow.batch_id == batch_id))).all()
        lines = [PaymentLine(row.reference, "张三", ACCOUNT, row.bank_code, row.amount_fen) for row in rows]
        plain = b"".join(write(neutral, header, sorted(lines, key=lambda each: each.reference)))
        sha256 = hashlib.sha256(plain).hexdigest()
        await tx.execute(
            insert(BankFileRow).values(
                batch_id=batch_id, file_id=batch.number, bytes_sealed=keyring().seal(plain, batch_id),
                sha256=sha256, line_count=batch.line_count, sum_fen=batch.sum_fen,
            )
        )  # fmt: skip
        left = insert(SendingRow).values(id=uuid4(), batch_id=batch_id, kind="sent", sha256=sha256, began_at=AT)
        await tx.execute(left)
        await follow(tx, [row.claim_id for row in rows], Pot.IN_FLIGHT, BY)
        await self.move_attempts(tx, attempts, AttemptAction.INTEND, AttemptAction.SEND)
        await self.move_batch(tx, batch_id, BatchAction.SEND)

    async def settle(self, tx: Tx, batch_id: UUID, attempts: list[UUID]) -> None:
        """Every payment reported done."""
        rows = (await tx.execute(select(AttemptRow).where(AttemptRow.id.in_(attempts)))).all()
        return_id = uuid4()
        await tx.execute(
            insert(ReturnFileRow).values(
                id=return_id, sha256=return_id.hex, file_id="-", bytes_sealed=keyring().seal("-", return_id),
                line_count=len(rows), sum_fen=sum(row.amount_fen for row in rows), source="season",
                received_at=AT,
            )
        )  # fmt: skip
        for line_no, row in enumerate(rows, start=1):
            await tx.execute(
                insert(ReturnLineRow).values(
                    return_file_id=return_id, line_no=line_no, reference=row.reference, amount_fen=row.amount_fen,
                    code="done", reason="", attempt_id=row.id, verdict="settled",
                )
            )  # fmt: skip
        await self.move_attempts(tx, attempts, AttemptAction.SUCCEED)
        await self.move_claims(tx, [row.claim_id for row in rows], ClaimAction.PAY)
        await self.move_batch(tx, batch_id, BatchAction.SETTLE)

    async def dissolve(self, tx: Tx, batch_id: UUID, attempts: list[UUID]) -> None:
        rows = (await tx.execute(select(AttemptRow.claim_id).where(AttemptRow.id.in_(attempts)))).scalars().all()
        await self.move_attempts(tx, attempts, AttemptAction.VOID)
        await self.move_claims(tx, list(rows), ClaimAction.UNBATCH)
        await self.move_batch(tx, batch_id, BatchAction.DISSOLVE)

    async def random_claim(self, tx: Tx, dice: random.Random, first: date, days: int) -> UUID:
        """A claim somewhere in the figures' whole space."""
        return await self.file(
            tx,
            filed_on=first + timedelta(days=dice.randrange(days)),
            district=dice.choice(self.districts),
            list_kind=dice.choice(self.LISTS),
            industry=dice.choice(("制造业", "现代服务业")),
            level=dice.choice(self.LEVELS),
            channel=dice.choice(("individual", "individual", "institution", "enterprise")),
            amount_fen=dice.randint(1, 300_000),
        )
