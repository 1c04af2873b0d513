"""What waits for the registry: what officers and operators read of it, and having it asked now, by HTTP and pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from domain.actor import Post
from domain.errors import Throttled
from service.audit.queries.checks import first_breach
from service.audit.queries.story import story_of
from service.audit.queries.territory import TERRITORY
from service.database import transaction
from service.settings import settings
from service.verification.commands.asking import ask_again
from service.wording import words
from tests.office import XSS, Office, office
from tests.pages import read
from tests.payments import journal_of
from tests.service.test_batches_http import client, desk
from tests.world import World

__all__ = ["client", "office"]  # fixtures

NOW = "现在再问登记库"


async def put_off(claim_id: UUID, why: str = "registry.unavailable", state: str = "ready", seconds: int = 60) -> None:
    """Its check waits, as a worker leaves it."""
    told = {"claim": claim_id, "why": why, "state": state, "seconds": seconds}
    async with transaction() as tx:
        left = await tx.execute(
            text(
                "UPDATE jobs SET next_at = now() + make_interval(secs => :seconds), last_error = :why, state = :state"
                " WHERE subject = :claim AND kind = 'verification.verify_certificate'"
            ),
            told,
        )
        assert left.rowcount == 1


async def jobs_of(claim_id: UUID) -> list[tuple[str, int]]:
    """The state of each check that is owed or was, and in how many seconds it is due."""
    async with transaction() as tx:
        asked = text(
            "SELECT state, extract(epoch FROM next_at - now())::integer FROM jobs"
            " WHERE subject = :claim AND kind = 'verification.verify_certificate' ORDER BY id"
        )
        return [tuple(each) for each in await tx.execute(asked, {"claim": claim_id})]


@asynccontextmanager
async def a_line(until: str, *, on_trial: bool = False) -> AsyncIterator[None]:
    """The registry that is set is left alone; afterwards nothing is known of it."""
    source = {"source": settings().registry_url}
    async with transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO registry_lines (source, rests, open_until, last_failure, last_failed_at, on_trial)"
                f" VALUES (:source, 3, {until}, 'timeout', now(), {on_trial})"
                f" ON CONFLICT (source) DO UPDATE SET open_until = {until}, on_trial = {on_trial}, rests = 3"
            ),
            source,
        )
    try:
        yield
    finally:
        async with transaction() as tx:
            back = "UPDATE registry_lines SET open_until = NULL, failures = 0, rests = 0, on_trial = false"
            await tx.execute(text(f"{back} WHERE source = :source"), source)


RESTS = "now() + interval '9 minutes'"


async def test_the_officer_reads_it_and_has_it_asked_about_once(office: Office) -> None:
    claim, window = await office.claim("filed"), await office.open_browser(office.desk.reviewer)
    at = f"/desk/claims/{claim}"
    assert NOW not in read(await window.get(at)).text, "it is being asked"
    await put_off(claim)
    page = await window.get(at)
    shown = read(page).text
    assert "等登记库答复" in shown
    assert words("registry.unavailable") in shown
    assert "再问。" in shown
    done = await window.send(page, f"{at}/ask-again")
    assert (done.status_code, done.headers["location"]) == (303, f"{at}?told=registry_asked")
    ((state, due),) = await jobs_of(claim)
    assert (state, due <= settings().job_lease_seconds) == ("ready", True)
    twice = await window.send(page, f"{at}/ask-again")  # the same form
    assert twice.headers["location"] == done.headers["location"]
    await put_off(claim)
    after = read(await window.get(f"{at}?told=registry_asked"))
    assert NOW not in after.text
    assert "有人请系统再问过" in after.text
    async with transaction() as tx:
        (noted,) = await journal_of(tx, "registry_asking", claim)
        assert (noted.action, noted.actor_person_id) == ("ask_now", office.desk.reviewer.person_id)
        story = await story_of(tx, office.desk.reviewer, claim)
        assert await first_breach(tx, TERRITORY.checks) is None
    assert words("story.registry_asking.ask_now") in [each.what for each in story.steps]


async def test_soon_after_another_or_while_it_rests_it_is_refused_in_words(office: Office) -> None:
    claim, world = await office.claim("filed"), office.world
    mine, theirs = [await office.open_browser(me) for me in (office.desk.reviewer, office.desk.colleague)]
    at = f"/desk/claims/{claim}"
    await put_off(claim)
    page, other = await mine.get(at), await theirs.get(at)
    async with a_line(RESTS):
        resting = read(await mine.get(at))
        assert "以前不问" in resting.text
        assert NOW not in resting.text
        refused = await mine.send(page, f"{at}/ask-again")
        assert refused.status_code == 409
        assert "9 分钟内先不问" in read(refused).text
    async with a_line("now() + interval '20 seconds'", on_trial=True):
        assert words("registry.being_asked") in read(await mine.get(at)).text
        assert (await mine.send(page, f"{at}/ask-again")).status_code == 409
    assert (await jobs_of(claim))[0][1] > settings().job_lease_seconds, "it was not hurried"
    assert (await mine.send(page, f"{at}/ask-again")).status_code == 303
    await put_off(claim)
    soon = await theirs.send(other, f"{at}/ask-again")
    assert soon.status_code == 409
    assert "10 分钟后才能再请" in read(soon).text
    async with transaction() as tx:
        with pytest.raises(Throttled):
            await ask_again(tx, office.desk.colleague, claim, world.now + timedelta(minutes=9))
        await ask_again(tx, office.desk.colleague, claim, world.now + timedelta(minutes=11))
    assert [state for state, _ in await jobs_of(claim)] == ["ready"]


@pytest.mark.parametrize(
    ("why", "state", "said"),
    [
        ("registry.unanswered", "ready", "registry.unanswered"),
        ("registry.calls_used_up", "ready", "registry.calls_used_up"),
        ("KeyError", "ready", "registry.failed"),
        ("KeyError", "dead", "registry.gave_up"),
    ],
)
async def test_what_it_waits_for_is_said(office: Office, why: str, state: str, said: str) -> None:
    claim, window = await office.claim("filed"), await office.open_browser(office.desk.reviewer)
    await put_off(claim, why, state)
    shown = read(await window.get(f"/desk/claims/{claim}")).text
    assert words(said) in shown
    assert (NOW in shown) == (why == "registry.unanswered")


async def test_over_http_for_reviewers_of_the_district_alone(office: Office, client: httpx.AsyncClient) -> None:
    claim, checked, world = await office.claim("filed"), await office.claim(), office.world
    await put_off(claim)
    async with transaction() as tx:
        elsewhere = await world.user(tx, {Post.REVIEWER}, world.other)
        auditor = await world.user(tx, {Post.AUDITOR}, office.desk.district)
        operator, acceptor = [await world.user(tx, {post}) for post in (Post.OPERATOR, Post.ACCEPTOR)]
    reviewer = await desk(client, office.desk.reviewer)
    path = f"/claims/{claim}/registry-asking"
    seen = (await reviewer.get(path)).json()
    assert (seen["reason"], seen["may_ask"], seen["by_hand_at"]) == ("registry.unavailable", True, None)
    assert (await (await desk(client, auditor)).get(path)).json()["may_ask"] is False
    for me, status in ((auditor, 403), (operator, 403), (acceptor, 403), (elsewhere, 404)):
        assert (await (await desk(client, me)).post(path, None)).status_code == status
    assert (await (await desk(client, elsewhere)).get(path)).status_code == 404
    assert (await (await desk(client, acceptor)).get(path)).status_code == 403
    first, again = [await reviewer.post(path, None, key="one") for _ in range(2)]
    assert (first.status_code, first.json()["may_ask"], again.json()) == (200, False, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    await put_off(claim)
    soon = await reviewer.post(path, None)
    assert (soon.status_code, soon.json()["code"], soon.headers["Retry-After"]) == (
        429,
        "registry.asked_by_hand",
        "600",
    )
    nothing = await reviewer.post(f"/claims/{checked}/registry-asking", None)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "registry.nothing_owed")
    assert (await reviewer.get(f"/claims/{checked}/registry-asking")).status_code == 404


async def test_an_operator_has_a_service_asked_over_http_once(committed: World, client: httpx.AsyncClient) -> None:
    async with transaction() as tx:
        operator, auditor, maker = [
            await committed.user(tx, {post}) for post in (Post.OPERATOR, Post.AUDITOR, Post.MAKER)
        ]
    desks = [await desk(client, me) for me in (operator, auditor, maker)]
    path, new = "/operations/outside", {"service": "registry", "reason": "登记库说已经好了"}
    assert [(await each.get(path)).status_code for each in desks] == [200, 200, 403]
    assert [(await each.post(path, new)).status_code for each in desks[1:]] == [403, 403]
    mine = desks[0]
    for wrong in ({"service": "weather", "reason": "x"}, {"service": "sms"}, {"service": "sms", "reason": ""}):
        assert (await mine.post(path, wrong)).status_code == 400
    assert (await mine.post(path, {**new, "reason": "问 13812345678"})).status_code == 422
    async with a_line(RESTS):
        (registry,) = [each for each in (await mine.get(path)).json()["outside"] if each["service"] == "registry"]
        assert (registry["standing"], registry["resting_until"] is not None) == ("open", True)
        first, again = [await mine.post(path, new, key="one") for _ in range(2)]
        assert (first.status_code, first.json()["standing"], first.json()["resting_until"]) == (200, "trial", None)
        assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    async with a_line("now() + interval '20 seconds'", on_trial=True):
        out = await mine.post(path, new)
        assert (out.status_code, out.json()["code"]) == (409, "outside.being_asked")


async def test_operators_press_it_on_their_page_with_a_reason(office: Office) -> None:
    claim = await office.claim("filed")
    await put_off(claim, "registry.resting")
    async with transaction() as tx:
        operator, auditor = [await office.world.user(tx, {post}) for post in (Post.OPERATOR, Post.AUDITOR)]
    mine, theirs = await office.open_browser(operator), await office.open_browser(auditor)
    at, button = "/operate/outside/registry", "现在再问：证书登记库"
    async with a_line(RESTS):
        page = await mine.get("/operate")
        shown = read(page)
        assert "连着几次没有答复，停问" in shown.text
        assert "以前不问" in shown.text
        assert button in shown.values("aria-label", "button")
        assert button not in read(await theirs.get("/operate")).values("aria-label", "button")
        assert (await theirs.client.post(at)).status_code == 403
        assert (await mine.client.post(at)).status_code == 403  # without the form's token
        nothing = await mine.send(page, at, reason="")
        assert nothing.status_code == 422
        assert 'href="#reason-registry"' in nothing.text
        number = await mine.send(page, at, reason=f"问 13812345678{XSS}")
        assert (number.status_code, XSS in number.text, "13812345678" in number.text) == (422, False, True)
        later = await mine.get("/operate")
        done = await mine.send(page, at, reason="登记库来电话说好了")
        again = await mine.send(page, at, reason="登记库来电话说好了")
        assert {each.headers["location"] for each in (done, again)} == {"/operate?told=asked_now"}
        told = read(await mine.get("/operate?told=asked_now"))
        assert words("told.asked_now") in told.text
        assert button not in told.values("aria-label", "button"), "one call is to try first"
    async with a_line("now() + interval '20 seconds'", on_trial=True):
        out = await mine.send(later, at, reason="再问一次")
        assert out.status_code == 409
        assert words("outside.being_asked") in read(out).text
