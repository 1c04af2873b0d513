"""The stage of a test: people, users, institutions; and claims brought to a status through the real commands."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from domain.actor import Actor, Post
from domain.claim import ClaimAction
from domain.identity import CreditCode, NationalId, PersonName, Phone
from service import clock
from service.access.commands import make_user
from service.access.tables import UserPostRow, UserRow
from service.claims.commands.filing import file_claim
from service.claims.commands.mandates import record_mandate
from service.claims.commands.moves import move_claim
from service.claims.commands.review import withdraw_claim
from service.claims.schemas import ClaimView, NewAccount, NewClaim, NewMandate, NewTrainee
from service.crypto import keyring
from service.database import Tx
from service.funds.commands import confirm_appropriation, propose_appropriation
from service.funds.schemas import NewAppropriation
from service.institutions.commands import list_institution
from service.journal import By
from service.local.made_up import MadeUpPerson, Maker
from service.people.commands import NewPerson, ensure_person, make_people
from service.policies import commands as policies
from service.policies.schemas import NewPolicy
from service.verification.tables import RegistryReplyRow

#: A shortage item with five levels, and the amounts of `data/standards-sample.toml`.
WELDER, WELDER_LEVEL_4_FEN = "6-18-02-04", 120_000

_PATH_TO = {
    "filed": [],
    "verified": [ClaimAction.VERIFY],
    "in_review": [ClaimAction.QUESTION],
    "approved": [ClaimAction.VERIFY, ClaimAction.APPROVE],
    "noticed": [ClaimAction.VERIFY, ClaimAction.APPROVE, ClaimAction.PUBLISH],
    "payable": [ClaimAction.VERIFY, ClaimAction.APPROVE, ClaimAction.PUBLISH, ClaimAction.CLEAR],
    "refused": [ClaimAction.QUESTION, ClaimAction.REFUSE],
    "withdrawn": [],  # by its own command, which takes it out of the figures
}

#: What a district has of the fund that pays for whoever belongs to no group, unless a test says otherwise.
FUND, GENEROUS_FEN = "employment_subsidy", 10**10
#: The fund that pays for employees of enterprises.
INSURANCE = "unemployment_insurance"

#: Every world of a run makes other people, so committed worlds never meet.
_seeds = count(1)
_made: set[str] = set()


def new_maker() -> Maker:
    """Makes what no other made in this process: each test process has a database of its own, where much stays."""
    return Maker(int.from_bytes(os.urandom(4)) + next(_seeds), _made)


@dataclass
class Trainee:
    """A person with a user, what they would type, and the actor they act as."""

    actor: Actor
    made: MadeUpPerson
    card: str


@dataclass
class World:
    """District `here` and the `other`; staff by post of `here`; two institutions with a clerk each. Districts in
    which claims are made have money, unless they are `poor`."""

    maker: Maker
    today: date
    now: datetime
    here: str = "370102"
    other: str = "370112"
    staff: dict[Post, Actor] = field(default_factory=dict)
    other_staff: dict[Post, Actor] = field(default_factory=dict)
    clerks: list[Actor] = field(default_factory=list)
    poor: set[str] = field(default_factory=set)
    provided: set[tuple[str, int]] = field(default_factory=set)

    @classmethod
    async def build(cls, tx: Tx) -> "World":
        world = cls(new_maker(), clock.today(), clock.now())
        officers = (
            Post.REVIEWER,
            Post.SECOND_REVIEWER,
            Post.NOTICE_PUBLISHER,
            Post.MAKER,
            Post.CHECKER,
            Post.RELEASER,
        )
        readers, districts = (Post.AUDITOR, Post.OPERATOR), (world.here, world.other)
        schools = [
            await list_institution(
                tx, CreditCode.parse(world.maker.credit_code()), "示例学校", district, date(2020, 1, 1), "示例"
            )
            for district in districts
        ]
        cast = await world.users(
            tx,
            [
                *((post, district, None) for district in districts for post in officers),
                *((post, None, None) for post in readers),
                *((Post.CLERK, district, school) for district, school in zip(districts, schools, strict=True)),
            ],
        )
        made = iter(cast)
        world.staff, world.other_staff = ({post: next(made) for post in officers} for _ in districts)
        world.staff |= {post: next(made) for post in readers}
        world.clerks = list(made)
        for district in districts:
            await world.provide(tx, district)
        return world

    async def person(self, tx: Tx, made: MadeUpPerson | None = None) -> tuple[UUID, MadeUpPerson]:
        made = made or self.maker.person()
        return await ensure_person(tx, self._as_new(made)), made

    def _as_new(self, made: MadeUpPerson) -> NewPerson:
        number = NationalId.parse(made.id_number, today=self.today)
        return NewPerson(PersonName.parse(made.name), number, Phone.parse(made.phone))

    async def user(
        self, tx: Tx, posts: set[Post], district: str | None = None, institution_id: UUID | None = None
    ) -> Actor:
        person_id, made = await self.person(tx)
        user_id = await make_user(tx, f"u{made.id_number}", "no password", person_id, posts, district, institution_id)
        return Actor(user_id, person_id, frozenset(posts), district, institution_id)

    async def users(self, tx: Tx, wanted: Sequence[tuple[Post, str | None, UUID | None]]) -> list[Actor]:
        """Many of one post each, of new persons, in three statements: a stage is built for most tests."""
        made = [self.maker.person() for _ in wanted]
        people = {uuid4(): self._as_new(each) for each in made}
        assert await make_people(tx, people) == people.keys()
        actors = [
            Actor(uuid4(), person_id, frozenset({post}), district, institution_id)
            for person_id, (post, district, institution_id) in zip(people, wanted, strict=True)
        ]
        rows = [
            {
                "id": each.user_id,
                "login": f"u{person.id_number}".lower(),
                "person_id": each.person_id,
                "password_hash": "no password",
                "district": each.district,
                "institution_id": each.institution_id,
            }
            for each, person in zip(actors, made, strict=True)
        ]
        await tx.execute(insert(UserRow), rows)
        posts = [
            {"user_id": each.user_id, "post": str(post)} for each, (post, _, _) in zip(actors, wanted, strict=True)
        ]
        await tx.execute(insert(UserPostRow), posts)
        return actors

    async def trainee(self, tx: Tx, made: MadeUpPerson | None = None) -> Trainee:
        person_id, made = await self.person(tx, made)
        user_id = await make_user(tx, f"u{made.id_number}", "no password", person_id, {Post.TRAINEE})
        return Trainee(Actor(user_id, person_id, frozenset({Post.TRAINEE})), made, self.maker.card())

    def new_claim(self, trainee: Trainee, **other: Any) -> NewClaim:
        """A claim that is eligible today, for the welder's level 4; any field may be given otherwise."""
        given: dict[str, Any] = {
            "item_code": WELDER,
            "level": "4",
            "district": self.here,
            "certificate_number": self.maker.certificate("4", self.today.year),
            "certificate_issued_on": self.today.isoformat(),
            "account": NewAccount(trainee.card, trainee.made.name, self.maker.bank_code()),
        }
        return NewClaim(**{**given, **other})

    async def set_policy(self, tx: Tx, key: str, value: Any) -> None:
        """A parameter changed from today on, by two persons."""
        editor, publisher = [await self.user(tx, {post}) for post in (Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER)]
        new = NewPolicy(key, value, self.today.isoformat(), "示例", "示例")
        proposal = await policies.propose(tx, editor, new, self.today, self.now)
        await policies.confirm(tx, publisher, proposal.id, self.today, self.now)

    async def provide(self, tx: Tx, district: str) -> None:
        """Generous money for a district that is not poor, once a year."""
        if district not in self.poor and (district, self.today.year) not in self.provided:
            self.provided.add((district, self.today.year))
            await self.appropriate(tx, district, GENEROUS_FEN)

    async def appropriate(self, tx: Tx, district: str, amount_fen: int, fund: str = FUND) -> None:
        """Money for this year, proposed and confirmed by two persons."""
        maker, checker = [await self._officer(tx, post, district) for post in (Post.MAKER, Post.CHECKER)]
        new = NewAppropriation(fund, self.today.year, amount_fen, "示例下达文件", "示例")
        proposed = await propose_appropriation(tx, maker, new, self.today, self.now)
        await confirm_appropriation(tx, checker, proposed.id, self.now)

    async def _officer(self, tx: Tx, post: Post, district: str) -> Actor:
        known = (each for each in (self.staff[post], self.other_staff[post]) if each.district == district)
        return next(known, None) or await self.user(tx, {post}, district)

    async def mandate(self, tx: Tx, clerk: Actor, trainee: Trainee) -> UUID:
        new = NewMandate(
            trainee=NewTrainee(trainee.made.name, trainee.made.id_number, trainee.made.phone),
            signed_on=self.today.isoformat(),
            valid_from=self.today.isoformat(),
            valid_to=self.today.replace(month=12, day=31).isoformat(),
            document_sha256="0" * 64,
            fee_fen=0,
        )
        return (await record_mandate(tx, clerk, new, self.today)).id

    async def claim(self, tx: Tx, status: str = "filed", trainee: Trainee | None = None, **other: Any) -> ClaimView:
        """A claim of a new trainee, filed by the real command and moved to `status` by a machine."""
        trainee = trainee or await self.trainee(tx)
        await self.provide(tx, other.get("district", self.here))
        view = await file_claim(tx, trainee.actor, self.new_claim(trainee, **other), self.today, self.now)
        if status not in ("filed", "withdrawn"):
            await self.registered(tx, view.id)
        if status == "withdrawn":
            await withdraw_claim(tx, trainee.actor, view.id, "", self.now)
        for action in _PATH_TO[status]:
            await move_claim(tx, action, view.id, By("tests.world", self.now))
        view.status = status
        return view

    async def registered(self, tx: Tx, claim_id: UUID, outcome: str = "found", at: datetime | None = None) -> None:
        """The registry's answer about a claim, without asking one."""
        said = {"outcome": outcome, "detail": {"fields": [], "silent": []}, "source": "tests.world"}
        reply_id = uuid4()
        raw = {"raw_sealed": keyring().seal("[]", reply_id), "received_at": at or self.now}
        await tx.execute(insert(RegistryReplyRow).values(id=reply_id, claim_id=claim_id, **said, **raw))

    async def through_institution(self, tx: Tx, clerk: Actor | None = None) -> ClaimView:
        """A claim filed by an institution's clerk for a new trainee."""
        clerk = clerk or self.clerks[0]
        trainee = await self.trainee(tx)
        await self.provide(tx, clerk.district or self.here)
        mandate_id = await self.mandate(tx, clerk, trainee)
        new = self.new_claim(trainee, mandate_id=mandate_id, district=None)
        return await file_claim(tx, clerk, new, self.today, self.now)
