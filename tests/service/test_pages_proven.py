"""On a page too, whoever decides about money gives the password and a code; over HTTP the header goes with it."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from domain.actor import Post
from domain.step_up import Decision
from service.database import transaction
from service.funds.commands import propose_appropriation
from service.funds.schemas import NewAppropriation
from service.pages import money_doing
from tests.pages import read
from tests.service.test_pages_finance import Window, asked, client, windows
from tests.service.test_step_up import PASSWORD, Signing, said, signing
from tests.world import FUND

__all__ = ["asked", "client", "signing", "windows"]  # fixtures


async def proposed(signing: Signing) -> UUID:
    world, maker = signing.stage.world, signing.stage.staff[Post.MAKER]
    new = NewAppropriation(FUND, world.today.year, 100, "示例文件", "示例")
    async with transaction() as tx:
        return (await propose_appropriation(tx, maker, new, world.today, world.now)).id


async def uses(subject: UUID) -> list[str]:
    async with transaction() as tx:
        asked = "SELECT sign FROM step_up_uses WHERE sign LIKE '% ' || :subject"
        return list((await tx.execute(text(asked), {"subject": str(subject)})).scalars())


@pytest.mark.usefixtures("asked")
async def test_a_second_person_gives_a_code_on_the_page(signing: Signing, windows: dict[Post, Window]) -> None:
    of, window = await proposed(signing), windows[Post.CHECKER]
    at = f"/finance/acts/appropriation-confirm/{of}"
    page = await window.get(at)
    assert 'id="code"' in page.text
    for code, password, told in (
        ("", PASSWORD, "6 位数字"),
        (await window.signer.code(), "another", "不对"),
    ):
        wrong = await window.send(page, at, password=password, code=code)
        assert (wrong.status_code, told in read(wrong).text, PASSWORD in wrong.text) == (422, True, False)
    assert await uses(of) == []
    done = await window.send(page, at, password=PASSWORD, code=await window.signer.code())
    assert done.status_code == 303, done.text
    assert await uses(of) == [f"{Decision.APPROPRIATION} {of}"]


@pytest.mark.usefixtures("asked")
async def test_saying_no_asks_for_none(signing: Signing, windows: dict[Post, Window]) -> None:
    of, window = await proposed(signing), windows[Post.CHECKER]
    at = f"/finance/acts/appropriation-decline/{of}"
    page = await window.get(at)
    assert 'id="code"' not in page.text
    assert (await window.send(page, at, reason="示例")).status_code == 303


async def test_where_none_are_asked_for_the_page_has_no_box(signing: Signing, windows: dict[Post, Window]) -> None:
    of, window = await proposed(signing), windows[Post.CHECKER]
    at = f"/finance/acts/appropriation-confirm/{of}"
    page = await window.get(at)
    assert 'id="code"' not in page.text
    assert (await window.send(page, at)).status_code == 303


@pytest.mark.usefixtures("asked")
async def test_over_http_the_header_goes_with_it(signing: Signing, windows: dict[Post, Window]) -> None:
    of, signer = await proposed(signing), windows[Post.CHECKER].signer
    at = f"/funds/appropriations/{of}/confirm"
    assert said(await signer.post(at, {})) == (403, "step_up.needed")
    for subject, expected in ((uuid4(), (403, "step_up.other")), (of, (200, ""))):
        sign = {"purpose": str(Decision.APPROPRIATION), "subject": str(subject)}
        code = await signer.code(0 if subject != of else 1)
        granted = await signer.post("/step-up", {"password": PASSWORD, "code": code, "signs": [sign]})
        assert granted.status_code == 201, granted.text
        assert said(await signer.post(at, {}, granted.json()["token"])) == expected


def test_every_decision_has_a_form_that_asks() -> None:
    assert {act.decision for act in money_doing.ACTS.values()} - {None} == set(Decision)
