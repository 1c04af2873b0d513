"""The registry: what is known of an institution on which days, who sees what, and two persons for its account."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.identity import CreditCode
from domain.institution import ContactRole, Grade, InstitutionKind, Stop
from domain.period import Period
from service.audit.queries.checks import first_breach
from service.audit.queries.in_clear import first_in_clear
from service.audit.queries.territory import TERRITORY
from service.database import Tx
from service.institutions.commands import accounts, impose, let_go, list_institution, record_evaluation, registering
from service.institutions.queries import registry
from service.institutions.schemas import (
    NewBranch,
    NewContact,
    NewEnd,
    NewGrade,
    NewInstitution,
    NewInstitutionAccount,
    NewScope,
    NewScopes,
)
from service.journal import By
from tests.selection import COOK, Selecting, codes
from tests.world import WELDER, World

A_DAY = timedelta(days=1)
NUMBER, BANK = "3701 0240-0912 3456", "102100099996"
NAME = "示例技能学校（历下）"


@pytest.fixture
async def stage(tx: Tx, world: World) -> Selecting:
    return await Selecting.of(tx, world)


async def record(tx: Tx, stage: Selecting, me: Actor | None = None, on: date | None = None) -> Any:
    return await registry.record_of(tx, me or stage.officer, stage.institution_id, on or stage.world.today)


# ---- registering


async def test_a_registered_institution_is_not_in_the_catalog(tx: Tx, stage: Selecting) -> None:
    with pytest.raises(NotFound, match=r"institution\.not_found"):
        await registry.public_view(tx, stage.institution_id, stage.world.today)
    kept = await record(tx, stage)
    assert (kept.institution.name, kept.institution.standing, kept.listings) == (NAME, "never", [])
    page = await registry.public_page(tx, registry.Sought(stage.world.today, stage.world.here), "", 200)
    assert stage.institution_id not in {each.id for each in page.institutions}


async def test_every_fault_of_a_registration_is_told(tx: Tx, stage: Selecting) -> None:
    good = stage.world.maker.credit_code()
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    new = NewInstitution(wrong, "示例\u200b学校", InstitutionKind.PUBLIC_BASE, "999999")
    with pytest.raises(Invalid) as refused:
        await registering.register(tx, stage.officer, new, stage.world.now)
    assert codes(refused.value) == [
        ("credit_code", "credit_code.check_digit"),
        ("name", "words.characters"),
        ("district", "district.unknown"),
    ]
    for name, code in (("学校13812345678", "text.personal_number"), ("学" * 101, "words.too_long")):
        new = NewInstitution(good, name, InstitutionKind.PUBLIC_BASE, stage.world.here)
        with pytest.raises(Invalid, match=code):
            await registering.register(tx, stage.officer, new, stage.world.now)


async def test_a_credit_code_is_registered_once_however_it_is_typed(tx: Tx, stage: Selecting) -> None:
    code = (await record(tx, stage)).institution.credit_code
    new = NewInstitution(f" {code.lower()}\n", "别的名称", InstitutionKind.PUBLIC_BASE, stage.world.here)
    with pytest.raises(Conflict, match=r"institution\.known"):
        await registering.register(tx, stage.officer, new, stage.world.now)


async def test_the_city_registers_and_a_district_keeps_its_own(tx: Tx, stage: Selecting) -> None:
    world = stage.world
    here, there = [
        await world.user(tx, {Post.INSTITUTION_OFFICER}, district) for district in (world.here, world.other)
    ]
    new = NewInstitution(world.maker.credit_code(), "示例", InstitutionKind.PUBLIC_BASE, world.here)
    with pytest.raises(Forbidden, match="city_only"):
        await registering.register(tx, here, new, world.now)
    grade = NewGrade(Grade.A, "示例", str(world.today))
    with pytest.raises(Forbidden, match="city_only"):
        await registering.give_grade(tx, here, stage.institution_id, grade, world.today, world.now)
    branch = NewBranch("东校区", world.here, "示例路 1 号", str(world.today))
    await registering.add_branch(tx, here, stage.institution_id, branch, world.today, world.now)
    for act in (
        registering.add_branch(tx, there, stage.institution_id, branch, world.today, world.now),
        record(tx, stage, there),
        record(tx, stage, world.clerks[0]),
        record(tx, stage, await world.user(tx, {Post.CLERK})),
    ):
        with pytest.raises(NotFound, match=r"institution\.not_found"):
            await act
    assert [each.name for each in (await record(tx, stage, here)).branches] == ["东校区"]


# ---- dated facts


async def test_grades_follow_one_another(tx: Tx, stage: Selecting) -> None:
    today, now = stage.world.today, stage.world.now

    async def give(grade: Grade, first: date, last: date | None = None) -> UUID:
        new = NewGrade(grade, "示例文件", str(first), None if last is None else str(last))
        return (await registering.give_grade(tx, stage.officer, stage.institution_id, new, today, now)).id

    await give(Grade.B, today, today + A_DAY * 9)
    with pytest.raises(Invalid) as refused:
        await give(Grade.A, today + A_DAY * 9)
    assert codes(refused.value) == [("from", "institution.grade_then")]
    later = await give(Grade.A, today + A_DAY * 10)
    shown = [(await record(tx, stage, on=today + A_DAY * day)).institution.grade for day in (-1, 0, 9, 10)]
    assert shown == [None, "B", "B", "A"]
    ended = NewEnd("grades", later, str(today + A_DAY * 20))
    await registering.end(tx, stage.officer, stage.institution_id, ended, today, now)
    assert (await record(tx, stage)).grades[-1].days.last == today + A_DAY * 20
    for last in (today + A_DAY * 9, today + A_DAY * 21):
        with pytest.raises(Invalid, match=r"institution\.ends"):
            await registering.end(
                tx, stage.officer, stage.institution_id, NewEnd("grades", later, str(last)), today, now
            )
    other = NewEnd("branches", later, str(today + A_DAY * 20))
    with pytest.raises(NotFound, match=r"institution\.no_such_fact"):
        await registering.end(tx, stage.officer, stage.institution_id, other, today, now)


async def test_a_fact_ends_no_earlier_than_today(tx: Tx, stage: Selecting) -> None:
    today, now = stage.world.today, stage.world.now
    new = NewBranch("东校区", stage.world.here, "示例路 1 号", str(today - A_DAY * 9))
    branch = await registering.add_branch(tx, stage.officer, stage.institution_id, new, today - A_DAY * 9, now)
    yesterday = NewEnd("branches", branch.id, str(today - A_DAY))
    with pytest.raises(Invalid, match=r"institution\.ends"):
        await registering.end(tx, stage.officer, stage.institution_id, yesterday, today, now)
    with pytest.raises(Invalid) as refused:
        await registering.add_branch(tx, stage.officer, stage.institution_id, new, today, now)
    assert codes(refused.value) == [("from", "institution.in_past"), ("from", "institution.branch_then")]
    await registering.end(
        tx, stage.officer, stage.institution_id, NewEnd("branches", branch.id, str(today)), today, now
    )
    again = NewBranch("东校区", stage.world.here, "示例路 1 号", str(today + A_DAY))
    await registering.add_branch(tx, stage.officer, stage.institution_id, again, today, now)


async def test_scopes_are_occupations_as_they_are_called_now(tx: Tx, stage: Selecting) -> None:
    today, now = stage.world.today, stage.world.now
    scopes = [NewScope(WELDER, ["4", "5"]), NewScope("2-02-10-09", ["senior", "junior"])]
    new = NewScopes(scopes, "示例文件", str(today))
    await registering.add_scopes(tx, stage.officer, stage.institution_id, new, today, now)
    shown = (await record(tx, stage)).institution.scopes
    assert [(each.occupation, each.levels) for each in shown] == [
        ("2-02-38-01", ["junior", "senior"]),
        (WELDER, ["5", "4"]),
    ]
    assert await registry.standings(tx, [stage.institution_id], today)
    wrong = [
        NewScope(WELDER, ["4"]),
        NewScope("9-99-99-99", ["4"]),
        NewScope(COOK, ["junior", "九级"]),
        NewScope(COOK, []),
        NewScope("2-02-38-01", ["junior"]),
    ]
    faulty = NewScopes(wrong, "", str(today), str(today - A_DAY))
    with pytest.raises(Invalid) as refused:
        await registering.add_scopes(tx, stage.officer, stage.institution_id, faulty, today, now)
    assert codes(refused.value) == [
        ("source", "words.empty"),
        ("to", "period.reversed"),
        ("scopes.1.occupation", "standards.unknown_occupation"),
        ("scopes.2.levels.1", "level.unknown"),
        ("scopes.2.levels", "lookup.other_levels"),
        ("scopes.3.occupation", "institution.scope_twice"),
        ("scopes.3.levels", "institution.levels"),
    ]
    again = NewScopes([NewScope(COOK, ["4"]), NewScope("2-02-38-01", ["junior"])], "示例", str(today))
    with pytest.raises(Invalid) as refused:
        await registering.add_scopes(tx, stage.officer, stage.institution_id, again, today, now)
    assert codes(refused.value) == [("scopes.1.occupation", "institution.scope_then")]
    assert len((await record(tx, stage)).scopes) == 2


async def test_nothing_is_told_of_days_that_passed(tx: Tx, stage: Selecting) -> None:
    """A class or a claim of those days was judged by what was known then."""
    about, now = (stage.officer, stage.institution_id), stage.world.now
    scopes = [NewScope(WELDER, ["4"])]
    for first, told in ((stage.world.today - A_DAY, [("from", "institution.in_past")]), (stage.world.today, [])):
        for add, new in (
            (registering.add_branch, NewBranch("东校区", stage.world.here, "示例路 1 号", str(first))),
            (registering.give_grade, NewGrade(Grade.A, "示例", str(first))),
            (registering.add_scopes, NewScopes(scopes, "示例", str(first))),
        ):
            found: list[tuple[str, str]] = []
            try:
                await add(tx, *about, new, stage.world.today, now)  # type: ignore[operator]  # each takes its own
            except Invalid as refusal:
                found = codes(refusal)
            assert found == told


async def test_contacts_are_sealed_and_read_by_those_who_call(tx: Tx, stage: Selecting) -> None:
    world, made = stage.world, stage.world.maker.person()
    new = NewContact(ContactRole.TRAINING, made.name, made.phone, str(world.today))
    await registering.add_contact(tx, stage.officer, stage.institution_id, new, world.now)
    for reader in (stage.officer, stage.clerk):
        (contact,) = (await record(tx, stage, reader)).contacts
        assert (contact.role, contact.name, contact.phone) == ("training", made.name, made.phone)
    (masked,) = (await record(tx, stage, world.staff[Post.AUDITOR])).contacts
    assert masked.phone == f"{made.phone[:3]}****{made.phone[7:]}"
    assert masked.name != made.name
    stored = await tx.execute(text("SELECT row_to_json(c)::text FROM institution_contacts c"))
    noted = await tx.execute(text("SELECT after::text FROM journal WHERE subject_kind = 'institution'"))
    assert not any(made.phone in each or made.name in each for each in (*stored.scalars(), *noted.scalars()))
    wrong = NewContact(ContactRole.TRAINING, "张\u0007", "12345", str(world.today + A_DAY))
    with pytest.raises(Invalid) as refused:
        await registering.add_contact(tx, stage.officer, stage.institution_id, wrong, world.now)
    assert codes(refused.value) == [
        ("name", "name.characters"),
        ("phone", "phone.format"),
        ("from", "institution.contact_then"),
    ]


# ---- the account, under two persons


def account(stage: Selecting, **other: Any) -> NewInstitutionAccount:
    given = {"number": NUMBER, "holder": NAME, "bank_code": BANK, "reason": "首次登记"}
    return NewInstitutionAccount(**{**given, "first": str(stage.world.today), **other})


async def propose(tx: Tx, stage: Selecting, me: Actor, **other: Any) -> UUID:
    new = account(stage, **other)
    added = await accounts.propose_account(tx, me, stage.institution_id, new, stage.world.today, stage.world.now)
    return added.id


async def confirm(tx: Tx, stage: Selecting, me: Actor, proposal: UUID, today: date | None = None) -> None:
    about = stage.institution_id, proposal, today or stage.world.today, stage.world.now
    await accounts.confirm_account(tx, me, *about)


async def test_an_account_holds_from_its_day_when_another_person_confirmed_it(tx: Tx, stage: Selecting) -> None:
    today, now = stage.world.today, stage.world.now
    proposal = await propose(tx, stage, stage.clerk)
    assert await registry.account_on(tx, stage.institution_id, today) is None
    await confirm(tx, stage, stage.officer, proposal)
    held = await registry.account_on(tx, stage.institution_id, today)
    assert held is not None
    proposed_as, account = held
    assert proposed_as == proposal
    assert (account.number, account.holder, account.tail) == ("3701024009123456", NAME, "3456")
    assert "3701024009" not in repr(account)
    assert await registry.account_on(tx, stage.institution_id, today - A_DAY) is None
    other = await world_officer(tx, stage)
    later = await propose(tx, stage, stage.officer, number="88880000111122", first=str(today + A_DAY * 3))
    await confirm(tx, stage, other, later)
    found = [await registry.account_on(tx, stage.institution_id, today + A_DAY * day) for day in (2, 3)]
    assert [each and each[1].tail for each in found] == ["3456", "1122"]
    shown = (await record(tx, stage, stage.clerk)).accounts
    assert {(each.answer, each.mine) for each in shown} == {("confirmed", True), ("confirmed", False)}
    masked = (await record(tx, stage, stage.world.staff[Post.AUDITOR])).accounts
    assert {each.number for each in masked} == {"尾号 3456", "尾号 1122"}
    with pytest.raises(Conflict, match=r"institution\.account_answered"):
        await accounts.decline_account(tx, stage.officer, stage.institution_id, proposal, "不对", now)


async def world_officer(tx: Tx, stage: Selecting) -> Actor:
    return await stage.world.user(tx, {Post.INSTITUTION_OFFICER})


async def test_nobody_answers_for_an_account_of_their_own(tx: Tx, stage: Selecting) -> None:
    proposal = await propose(tx, stage, stage.officer)
    with pytest.raises(Forbidden, match=r"institution\.same_person"):
        await confirm(tx, stage, stage.officer, proposal)
    with pytest.raises(Forbidden, match="post_missing"):
        await confirm(tx, stage, stage.clerk, proposal)
    other = await world_officer(tx, stage)
    with pytest.raises(Conflict, match=r"institution\.account_too_late"):
        await confirm(tx, stage, other, proposal, stage.world.today + A_DAY)
    about = stage.institution_id, proposal
    await accounts.decline_account(tx, other, *about, "户名与开户许可不符", stage.world.now)
    assert await registry.account_on(tx, stage.institution_id, stage.world.today) is None
    with pytest.raises(NotFound, match=r"institution\.no_such_account"):
        await confirm(tx, stage, other, uuid4())
    with pytest.raises(NotFound, match=r"institution\.not_found"):
        await accounts.propose_account(
            tx, stage.world.clerks[0], stage.institution_id, account(stage), stage.world.today, stage.world.now
        )


async def test_every_fault_of_an_account_is_told(tx: Tx, stage: Selecting) -> None:
    wrong = {"number": "1" * 33, "holder": "别人", "bank_code": "12", "reason": "见 13812345678"}
    with pytest.raises(Invalid) as refused:
        await propose(tx, stage, stage.clerk, **wrong, first=str(stage.world.today - A_DAY))
    assert codes(refused.value) == [
        ("number", "account.corporate_length"),
        ("bank_code", "bank_code.length"),
        ("holder", "institution.holder_differs"),
        ("reason", "text.personal_number"),
        ("from", "institution.in_past"),
    ]


async def test_the_audit_finds_nothing_in_clear_and_nobody_elsewhere(tx: Tx, stage: Selecting) -> None:
    made = stage.world.maker.person()
    new = NewContact(ContactRole.HEAD, made.name, made.phone, str(stage.world.today))
    await registering.add_contact(tx, stage.officer, stage.institution_id, new, stage.world.now)
    await confirm(tx, stage, stage.officer, await propose(tx, stage, stage.clerk, number=stage.world.maker.card()))
    assert await first_in_clear(tx) is None
    assert await first_breach(tx, TERRITORY.checks) is None
    planted = """INSERT INTO journal (subject_kind, subject_id, action, after, actor_user_id, actor_name, at)
                 VALUES ('institution', :id, 'hand_in', '{}', :user, 'clerk', now())"""
    await tx.execute(text(planted), {"id": stage.institution_id, "user": stage.world.clerks[0].user_id})
    assert await first_breach(tx, TERRITORY.checks) is not None


# ---- what everybody sees


async def listed(tx: Tx, world: World, first: date, kind: InstitutionKind, name: str = "示例") -> UUID:
    code = CreditCode.parse(world.maker.credit_code())
    return await list_institution(tx, code, name, "370126", first, "示例", kind=kind)


async def test_the_public_list_is_what_stands_on_a_day(tx: Tx, stage: Selecting) -> None:
    world, today, kind = stage.world, stage.world.today, InstitutionKind.ASSESSMENT_BODY
    now_in, left, stopped, later = [
        await listed(tx, world, first, kind) for first in (*[date(2020, 1, 1)] * 3, today + A_DAY * 30)
    ]
    await let_go(tx, stage.officer, left, today, "自愿退出", world.now)
    stops = {Stop.FILE_CLASSES}
    await impose(tx, stage.officer, stopped, Period(today, today + A_DAY), stops, "整改", world.now)

    async def stand(on: date, **asked: Any) -> dict[UUID, str]:
        page = await registry.public_page(tx, registry.Sought(on, "370126", kind, **asked), "", 200)
        return {each.id: each.standing for each in page.institutions}

    assert await stand(today) == {now_in: "listed", left: "exited", stopped: "suspended"}
    assert await stand(today + A_DAY * 30) == {now_in: "listed", left: "exited", stopped: "listed", later: "listed"}
    assert await stand(today - A_DAY) == dict.fromkeys((now_in, left, stopped), "listed")
    assert await stand(today, standing="exited") == {left: "exited"}
    assert await registry.public_page(tx, registry.Sought(today, "370126", "public_base"), "", 9) is not None
    assert (await registry.public_view(tx, later, today)).standing == "never"


async def test_pages_follow_one_another_and_the_file_has_all(
    tx: Tx, stage: Selecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, kind = stage.world, InstitutionKind.ONLINE_PLATFORM
    ids = {await listed(tx, world, date(2020, 1, 1), kind, f"=平台{number}") for number in range(7)}
    monkeypatch.setattr(registry, "_CHUNK", 3)
    sought, seen, after, pages = registry.Sought(world.today, "370126", kind), [], "", 0
    while True:
        page = await registry.public_page(tx, sought, after, 2)
        seen += [each.id for each in page.institutions]
        pages += 1
        if page.next is None:
            break
        after = page.next
    assert (set(seen), len(seen), pages) == (ids, 7, 4)
    lines = (await registry.public_file(tx, sought)).decode("utf-8-sig").splitlines()
    assert len(lines) == 8
    assert all(",'=平台" in line for line in lines[1:])


async def test_an_evaluation_is_recorded_once(tx: Tx, stage: Selecting) -> None:
    by = By("evaluator", stage.world.now, stage.officer.user_id, stage.officer.person_id)
    await record_evaluation(tx, by, stage.institution_id, 2026, False, "第三方评估报告")
    with pytest.raises(Conflict, match=r"institution\.evaluated"):
        await record_evaluation(tx, by, stage.institution_id, 2026, True, "第三方评估报告")
    assert [(each.year, each.passed) for each in (await record(tx, stage)).evaluations] == [(2026, False)]
