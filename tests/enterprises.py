"""An enterprise on a stage: registered, with an account that two persons put in force, and a clerk."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.actor import Actor, Post
from domain.institution import InstitutionKind
from service.claims.commands.filing import file_claim
from service.claims.schemas import ClaimView, NewClaim
from service.database import Tx
from service.employment.commands import record_contract
from service.employment.schemas import NewContract, NewEmployee
from service.institutions.commands import accounts, registering
from service.institutions.schemas import NewInstitution, NewInstitutionAccount
from tests.world import Trainee, World


@dataclass
class Enterprise:
    """It hired everybody on `signed`, for three years."""

    world: World
    id: UUID
    name: str
    clerk: Actor
    officers: list[Actor]
    account: str = ""
    hired: list[Trainee] = field(default_factory=list)
    answered: timedelta = timedelta(0)

    @classmethod
    async def build(cls, tx: Tx, world: World, district: str | None = None, *, account: bool = True) -> "Enterprise":
        district = district or world.here
        officers = [await world.user(tx, {Post.INSTITUTION_OFFICER}, district) for _ in range(2)]
        city = await world.user(tx, {Post.INSTITUTION_OFFICER})
        name = f"示例制造有限公司{uuid4().hex[:4]}"
        new = NewInstitution(world.maker.credit_code(), name, InstitutionKind.ENTERPRISE, district)
        made = await registering.register(tx, city, new, world.now)
        clerk = await world.user(tx, {Post.CLERK}, district, made.id)
        enterprise = cls(world, made.id, name, clerk, officers)
        if account:
            await enterprise.open_account(tx, "6225 8800 1234")
        return enterprise

    async def open_account(self, tx: Tx, number: str) -> UUID:
        """Proposed by the clerk, confirmed by an officer, in force from today."""
        world, bank = self.world, self.world.maker.bank_code()
        new = NewInstitutionAccount(number, self.name, bank, "示例", world.today.isoformat())
        proposed = await accounts.propose_account(tx, self.clerk, self.id, new, world.today, world.now)
        self.answered += timedelta(seconds=1)
        now = world.now + self.answered
        await accounts.confirm_account(tx, self.officers[0], self.id, proposed.id, world.today, now)
        self.account = number.replace(" ", "")
        return proposed.id

    def new_contract(self, trainee: Trainee, **other: Any) -> NewContract:
        today = self.world.today
        given: dict[str, Any] = {
            "employee": NewEmployee(trainee.made.name, trainee.made.id_number, trainee.made.phone),
            "number": "HT-2026-0001",
            "signed_on": today.isoformat(),
            "valid_from": today.isoformat(),
            "valid_to": date(today.year + 3, today.month, 1).isoformat(),
            "document_sha256": "a" * 64,
        }
        return NewContract(**{**given, **other})

    async def contract(self, tx: Tx, trainee: Trainee, **other: Any) -> UUID:
        new = self.new_contract(trainee, **other)
        return (await record_contract(tx, self.clerk, new, self.world.today, self.world.now)).id

    def new_claim(self, trainee: Trainee, contract_id: UUID, **other: Any) -> NewClaim:
        given = {"contract_id": contract_id, "account": None, "district": None, **other}
        return self.world.new_claim(trainee, **given)

    async def claim(self, tx: Tx, trainee: Trainee | None = None, **other: Any) -> ClaimView:
        """Filed for somebody it hired today."""
        trainee = trainee or await self.world.trainee(tx)
        self.hired.append(trainee)
        new = self.new_claim(trainee, await self.contract(tx, trainee), **other)
        await self.world.provide(tx, self.clerk.district or "")
        return await file_claim(tx, self.clerk, new, self.world.today, self.world.now)
