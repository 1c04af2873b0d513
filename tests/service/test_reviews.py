"""动态评估: figures and opinions are collected, each is answered, the summary is published."""

import random
import re
from datetime import timedelta
from statistics import median_low
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.actor import Actor
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.review import BOUNDS, NAMELESS, Voice
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.standards import STANDARDS
from service.database import Tx, transaction
from service.standards import commands
from service.standards.commands import reviewing
from service.standards.queries.reviews import reviews, whole_review
from service.standards.schemas import (
    NewAnswer,
    NewClosing,
    NewConclusion,
    NewOpinion,
    NewReview,
    NewSample,
    NewSamples,
    ReviewView,
)
from tests.service.test_batches_http import client, desk
from tests.standards import Bureaus, flat
from tests.world import WELDER, World

__all__ = ["client"]

SHA = "ab" * 32


@pytest.fixture
async def bureaus(tx: Tx, world: World) -> Bureaus:
    return await Bureaus.of(tx, world)


async def opened(tx: Tx, bureaus: Bureaus) -> ReviewView:
    new = NewReview("2026 年度补贴标准评估", "2026-01-01", "2026-12-31")
    return await reviewing.open_review(tx, bureaus.editor, new, bureaus.world.now)


def sample(**changed: Any) -> NewSample:
    given = {"occupation": WELDER, "level": "4", "measure": "training_cost", "value": 120_000}
    return NewSample(**{**given, "source": "济南某学校成本表", "document_sha256": SHA, **changed})


async def collect(tx: Tx, bureaus: Bureaus, review: ReviewView, *samples: NewSample) -> ReviewView:
    return await reviewing.add_samples(tx, bureaus.editor, review.id, NewSamples(list(samples)), bureaus.world.now)


async def hear(tx: Tx, bureaus: Bureaus, review: ReviewView, voice: Voice = Voice.PUBLIC, **said: Any) -> UUID:
    """The id of an opinion that was recorded."""
    world, speaker = bureaus.world, "" if voice in NAMELESS else "济南市焊接协会"
    given = {"summary": "焊工的标准偏低", "heard_on": world.today.isoformat(), "speaker": speaker}
    new = NewOpinion(voice, **{**given, **said})
    await reviewing.hear(tx, bureaus.editor, review.id, new, world.today, world.now)
    whole = await whole_review(tx, review.id, public=False)
    return next(each.id for each in whole.said if each.answer is None)


async def answer(tx: Tx, bureaus: Bureaus, review: ReviewView, opinion_id: UUID) -> ReviewView:
    new = NewAnswer(adopted=True, answer="拟提高")
    return await reviewing.answer(tx, bureaus.editor, review.id, opinion_id, new, bureaus.world.now)


async def close(tx: Tx, bureaus: Bureaus, review: ReviewView, summary: str = "成本上升，拟上调") -> ReviewView:
    world = bureaus.world
    return await reviewing.close(tx, bureaus.editor, review.id, NewClosing(summary), world.today, world.now)


async def test_from_opening_to_the_set_that_it_led_to(tx: Tx, bureaus: Bureaus) -> None:
    world, review = bureaus.world, await opened(tx, bureaus)
    assert (review.status, review.status_name) == ("open", "收集中")
    await collect(tx, bureaus, review, sample(), sample(measure="pass_rate", value=873))
    opinion_id = await hear(tx, bureaus, review, Voice.EXPERT)
    with pytest.raises(Conflict, match=r"review\.unanswered"):
        await close(tx, bureaus, review)
    answered = await answer(tx, bureaus, review, opinion_id)
    assert (answered.samples, answered.opinions, answered.unanswered) == (2, 1, 0)
    closed = await close(tx, bureaus, review)
    assert (closed.status, closed.closed_on, closed.summary) == ("closed", world.today, "成本上升，拟上调")
    proposed = await bureaus.propose(tx, flat(90_000), world.today)
    new = NewConclusion(proposed.id)
    concluded = await reviewing.conclude(tx, bureaus.editor, review.id, new, world.now)
    assert (concluded.status, concluded.set_id) == ("concluded", proposed.id)
    for promise in (JOURNALLED, LEGAL_MOVES, STANDARDS):
        assert await first_breach(tx, promise.checks) is None


async def test_medians_are_those_of_the_samples(tx: Tx, bureaus: Bureaus) -> None:
    chance, review = random.Random(5), await opened(tx, bureaus)
    values: dict[tuple[str, str, str], list[int]] = {}
    samples = []
    for _ in range(60):
        measure = chance.choice(list(BOUNDS))
        key = (chance.choice([WELDER, "6-18-01-01"]), chance.choice(["5", "4"]), str(measure))
        values.setdefault(key, []).append(chance.randint(*BOUNDS[measure]))
        samples.append(sample(occupation=key[0], level=key[1], measure=measure, value=values[key][-1]))
    await collect(tx, bureaus, review, *samples)
    whole = await whole_review(tx, review.id, public=False)
    found = {(each.occupation, each.level, each.measure): (each.samples, each.median) for each in whole.figures}
    assert found == {key: (len(each), median_low(each)) for key, each in values.items()}


async def test_an_old_code_is_followed_to_the_occupation_it_means(tx: Tx, bureaus: Bureaus) -> None:
    review = await opened(tx, bureaus)
    await collect(tx, bureaus, review, sample(occupation="2-02-10-09", level="junior"))
    await collect(tx, bureaus, review, sample(occupation="2-02-38-01", level="初级"))
    (figures,) = (await whole_review(tx, review.id, public=False)).figures
    assert (figures.occupation, figures.level, figures.samples) == ("2-02-38-01", "junior", 2)


@pytest.mark.parametrize(
    ("changed", "code", "place"),
    [
        ({"occupation": "9-99-99-99"}, "standards.unknown_occupation", "samples.1.occupation"),
        ({"level": "九级"}, "level.unknown", "samples.1.level"),
        ({"level": "junior"}, "lookup.other_levels", "samples.1.level"),
        ({"measure": "pass_rate", "value": 1_001}, "review.value", "samples.1.value"),
        ({"value": 0}, "review.value", "samples.1.value"),
        ({"source": "电话 13800001234"}, "text.personal_number", "samples.1.source"),
        ({"source": " "}, "words.empty", "samples.1.source"),
    ],
)
async def test_all_samples_go_in_or_none(
    tx: Tx, bureaus: Bureaus, changed: dict[str, Any], code: str, place: str
) -> None:
    review = await opened(tx, bureaus)
    with pytest.raises(Invalid) as wrong:
        await collect(tx, bureaus, review, sample(), sample(**changed))
    assert (wrong.value.code, wrong.value.field) == (code, place)
    assert (await whole_review(tx, review.id, public=False)).samples == 0


async def test_what_is_refused_of_opinions(tx: Tx, bureaus: Bureaus) -> None:
    review, world = await opened(tx, bureaus), bureaus.world
    for said, code in (
        ({"speaker": "王小明"}, "review.nameless"),
        ({"voice": Voice.TRAINEE, "speaker": "王小明"}, "review.nameless"),
        ({"voice": Voice.EXPERT, "speaker": ""}, "review.speaker"),
        ({"voice": Voice.EXPERT, "speaker": "李 13800001234"}, "text.personal_number"),
        ({"summary": "我的身份证 11010519491231002X"}, "text.personal_number"),
        ({"summary": "　"}, "words.empty"),
        ({"heard_on": (world.today + timedelta(days=1)).isoformat()}, "date.in_future"),
    ):
        with pytest.raises(Invalid, match=re.escape(code)):
            await hear(tx, bureaus, review, **said)
    opinion_id = await hear(tx, bureaus, review)
    await answer(tx, bureaus, review, opinion_id)
    with pytest.raises(Conflict, match=r"review\.answered"):
        await answer(tx, bureaus, review, opinion_id)
    other = await opened(tx, bureaus)
    with pytest.raises(NotFound, match=r"review\.no_opinion"):
        await answer(tx, bureaus, other, opinion_id)


async def test_nothing_is_collected_once_it_is_closed_or_dropped(tx: Tx, bureaus: Bureaus) -> None:
    world, editor = bureaus.world, bureaus.editor
    closed = await close(tx, bureaus, await opened(tx, bureaus))
    dropped = await reviewing.drop_review(tx, editor, (await opened(tx, bureaus)).id, world.now)
    for review in (closed, dropped):
        for work in (collect(tx, bureaus, review, sample()), hear(tx, bureaus, review)):
            with pytest.raises(Conflict, match=r"review\.not_open"):
                await work
        with pytest.raises(Conflict, match="wrong_status"):
            await close(tx, bureaus, review)
    proposed = await bureaus.propose(tx, flat(90_000), world.today)
    gone = await bureaus.propose(tx, flat(91_000), world.today)
    await commands.drop(tx, editor, gone.id, world.now)
    for set_id in (uuid4(), gone.id):
        with pytest.raises(NotFound, match=r"standards\.not_found"):
            await reviewing.conclude(tx, editor, closed.id, NewConclusion(set_id), world.now)
    with pytest.raises(Conflict, match="wrong_status"):
        await reviewing.conclude(tx, editor, dropped.id, NewConclusion(proposed.id), world.now)


async def test_only_editors_of_standards_work_on_it(tx: Tx, bureaus: Bureaus) -> None:
    review, world = await opened(tx, bureaus), bureaus.world
    opinion_id = await hear(tx, bureaus, review)
    sign: Actor = bureaus.hr
    new = NewReview("x", "2026-01-01", "2026-12-31")
    said = NewOpinion(Voice.PUBLIC, "x", world.today.isoformat())
    for work in (
        reviewing.open_review(tx, sign, new, world.now),
        reviewing.add_samples(tx, sign, review.id, NewSamples([sample()]), world.now),
        reviewing.hear(tx, sign, review.id, said, world.today, world.now),
        reviewing.answer(tx, sign, review.id, opinion_id, NewAnswer(adopted=True, answer="x"), world.now),
        reviewing.close(tx, sign, review.id, NewClosing("x"), world.today, world.now),
        reviewing.conclude(tx, sign, review.id, NewConclusion(uuid4()), world.now),
        reviewing.drop_review(tx, sign, review.id, world.now),
    ):
        with pytest.raises(Forbidden, match="post_missing"):
            await work


async def test_everybody_reads_it_once_it_is_closed(tx: Tx, bureaus: Bureaus) -> None:
    review = await opened(tx, bureaus)
    await collect(tx, bureaus, review, sample())
    opinion_id = await hear(tx, bureaus, review, Voice.TRAINEE, document_sha256=SHA)
    with pytest.raises(NotFound, match=r"review\.not_found"):
        await whole_review(tx, review.id, public=True)
    assert review.id not in {each.id for each in (await reviews(tx, public=True)).reviews}
    assert review.id in {each.id for each in (await reviews(tx, public=False)).reviews}
    await answer(tx, bureaus, review, opinion_id)
    await close(tx, bureaus, review)
    whole = await whole_review(tx, review.id, public=True)
    (said,) = whole.said
    assert (said.voice_name, said.speaker, said.summary, said.adopted, said.answer) == (
        *("学员", "", "焊工的标准偏低", True, "拟提高"),
    )
    assert (whole.heard, whole.samples, whole.figures[0].median) == ({"trainee": 1}, 1, 120_000)
    dropped = await opened(tx, bureaus)
    await reviewing.drop_review(tx, bureaus.editor, dropped.id, bureaus.world.now)
    with pytest.raises(NotFound):
        await whole_review(tx, dropped.id, public=True)


async def test_over_http(client: Any, committed: World) -> None:
    async with transaction() as tx:
        bureaus = await Bureaus.of(tx, committed)
    editor, hr = await desk(client, bureaus.editor), await desk(client, bureaus.hr)
    period = {"from": "2026-01-01", "to": "2026-12-31"}
    new = await editor.post("/standards/reviews", {"title": "年度评估", **period}, key="r")
    assert new.status_code == 201, new.text
    assert (await editor.post("/standards/reviews", {"title": "年度评估", **period}, key="r")).json() == new.json()
    at = f"/standards/reviews/{new.json()['id']}"
    figure = {"occupation": WELDER, "level": "4", "measure": "employment_rate", "value": 620}
    document = {"source": "就业回访表", "document_sha256": SHA}
    assert (await editor.post(f"{at}/samples", {"samples": [{**figure, **document}]})).json()["samples"] == 1
    wrong = await editor.post(f"{at}/samples", {"samples": [{**figure, **document, "value": 6_200}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "samples.0.value")
    heard_on = committed.today.isoformat()
    opinion = {"voice": "public", "summary": "希望提高", "heard_on": heard_on}
    assert (await editor.post(f"{at}/opinions", opinion)).json()["unanswered"] == 1
    refusal = await editor.post(f"{at}/close", {"summary": "维持"})
    assert (refusal.status_code, refusal.json()["code"]) == (409, "review.unanswered")
    assert (await client.get(f"/api{at}")).status_code == 404
    (said,) = (await hr.get(at)).json()["said"]
    reply = await editor.post(f"{at}/opinions/{said['id']}/answer", {"adopted": False, "answer": "财力所限"})
    assert reply.status_code == 201, reply.text
    assert (await hr.post(f"{at}/close", {"summary": "维持"})).status_code == 403
    assert (await editor.post(f"{at}/close", {"summary": "维持"})).json()["status"] == "closed"
    published = (await client.get(f"/api{at}")).json()
    assert (published["summary"], published["said"][0]["answer"]) == ("维持", "财力所限")
    assert new.json()["id"] in {each["id"] for each in (await client.get("/api/standards/reviews")).json()["reviews"]}
    assert (await editor.post(f"{at}/drop", {})).status_code == 409
    unknown = await editor.post(f"{at}/conclude", {"set_id": str(uuid4())})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "standards.not_found")
