"""动态评估: open a review, collect figures and opinions, answer each, close it, name the set it led to."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from domain.level import level_named, schemes_for
from domain.period import parse_date
from domain.review import (
    REVIEW_LIFECYCLE,
    ReviewAction,
    ReviewStatus,
    must_be_answered,
    must_be_named_rightly,
    must_be_plausible,
)
from domain.standard import SetStatus
from domain.text import must_hold_no_personal_number, public_words
from service.catalog.queries.canonical import canonical_codes
from service.database import Tx
from service.journal import By, move, record
from service.standards.queries.reviews import review_view, unanswered
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
from service.standards.tables import (
    ReviewAnswerRow,
    ReviewOpinionRow,
    ReviewRow,
    ReviewSampleRow,
    StandardSetRow,
)


async def open_review(tx: Tx, me: Actor, new: NewReview, now: datetime) -> ReviewView:
    """A review that collects until it is closed."""
    me.must_hold(Post.STANDARD_EDITOR)
    title = public_words(new.title, "title")
    first, last = parse_date(new.first, "from"), parse_date(new.last, "to")
    if last < first:
        raise Invalid("period.reversed", "to", first=str(first), last=str(last))
    review_id, said = uuid4(), {"title": title, "status": str(ReviewStatus.OPEN)}
    after = {**said, "first": first.isoformat(), "last": last.isoformat()}
    await record(tx, "standard_review", [review_id], "open", By.actor(me, Post.STANDARD_EDITOR, now), [after])
    opened = {"opened_by": me.user_id, "opened_at": now}
    await tx.execute(insert(ReviewRow).values(id=review_id, first=first, last=last, **said, **opened))
    return await review_view(tx, review_id)


async def add_samples(tx: Tx, me: Actor, review_id: UUID, new: NewSamples, now: datetime) -> ReviewView:
    """Figures, each with its source: all of them, or none where one is wrong.

    NotFound `review.not_found`; Conflict `review.not_open`; Invalid with the place, such as `samples.3.value`.
    """
    me.must_hold(Post.STANDARD_EDITOR)
    await _open(tx, review_id)
    canonical = await canonical_codes(tx, {each.occupation for each in new.samples})
    rows = [_sample(each, f"samples.{number}", canonical) for number, each in enumerate(new.samples)]
    own = {"review_id": review_id, "recorded_by": me.user_id, "recorded_at": now}
    ids = [uuid4() for _ in rows]
    by = By.actor(me, Post.STANDARD_EDITOR, now)
    await record(tx, "review_sample", ids, "collect", by, [{"review_id": str(review_id), **each} for each in rows])
    await tx.execute(
        insert(ReviewSampleRow), [{"id": id_, **each, **own} for id_, each in zip(ids, rows, strict=True)]
    )
    return await review_view(tx, review_id)


def _sample(new: NewSample, at: str, canonical: dict[str, str]) -> dict[str, str | int]:
    occupation = canonical.get(new.occupation)
    if occupation is None:
        raise Invalid("standards.unknown_occupation", f"{at}.occupation", occupation=new.occupation)
    level = level_named(new.level, field=f"{at}.level")
    if level.scheme not in schemes_for(occupation):
        raise Invalid("lookup.other_levels", f"{at}.level", level=level.short)
    must_be_plausible(new.measure, new.value, f"{at}.value")
    source = public_words(new.source, f"{at}.source")
    measured: dict[str, str | int] = {"measure": str(new.measure), "value": new.value}
    document = {"source": source, "document_sha256": new.document_sha256}
    return {"occupation": occupation, "level": level.code, **measured, **document}


async def hear(tx: Tx, me: Actor, review_id: UUID, new: NewOpinion, today: date, now: datetime) -> ReviewView:
    """An opinion in short, as it will be published. NotFound `review.not_found`; Conflict `review.not_open`; Invalid
    `review.nameless`, `review.speaker`, `date.in_future`, `text.personal_number`."""
    me.must_hold(Post.STANDARD_EDITOR)
    await _open(tx, review_id)
    speaker = new.speaker.strip()
    must_hold_no_personal_number(speaker, "speaker")
    must_be_named_rightly(new.voice, speaker, "speaker")
    heard_on = parse_date(new.heard_on, "heard_on")
    if heard_on > today:
        raise Invalid("date.in_future", "heard_on")
    opinion_id, summary = uuid4(), public_words(new.summary, "summary")
    said = {"review_id": str(review_id), "voice": str(new.voice), "summary": summary}
    by = By.actor(me, Post.STANDARD_EDITOR, now)
    await record(tx, "review_opinion", [opinion_id], "hear", by, [said])
    await tx.execute(
        insert(ReviewOpinionRow).values(
            id=opinion_id,
            review_id=review_id,
            voice=str(new.voice),
            speaker=speaker,
            summary=summary,
            heard_on=heard_on,
            document_sha256=new.document_sha256,
            recorded_by=me.user_id,
            recorded_at=now,
        )
    )
    return await review_view(tx, review_id)


async def answer(tx: Tx, me: Actor, review_id: UUID, opinion_id: UUID, new: NewAnswer, now: datetime) -> ReviewView:
    """What was made of an opinion, and why, once. NotFound `review.not_found`, `review.no_opinion`; Conflict
    `review.not_open`, `review.answered`."""
    me.must_hold(Post.STANDARD_EDITOR)
    await _open(tx, review_id)
    row, text = ReviewOpinionRow, public_words(new.answer, "answer")
    if (await tx.execute(select(row.id).where(row.id == opinion_id, row.review_id == review_id))).first() is None:
        raise NotFound("review.no_opinion")
    given = select(ReviewAnswerRow.opinion_id).where(ReviewAnswerRow.opinion_id == opinion_id)
    if (await tx.execute(given)).first() is not None:
        raise Conflict("review.answered")
    said = {"adopted": new.adopted, "answer": text}
    by = By.actor(me, Post.STANDARD_EDITOR, now)
    await record(tx, "review_opinion", [opinion_id], "answer", by, [said])
    own = {"opinion_id": opinion_id, "review_id": review_id, "answered_by": me.user_id, "answered_at": now}
    await tx.execute(insert(ReviewAnswerRow).values(**own, **said))
    return await review_view(tx, review_id)


async def close(tx: Tx, me: Actor, review_id: UUID, new: NewClosing, today: date, now: datetime) -> ReviewView:
    """End the collecting and publish what it came to. NotFound `review.not_found`; Conflict `review.unanswered`
    (count), `wrong_status`."""
    me.must_hold(Post.STANDARD_EDITOR)
    summary = public_words(new.summary, "summary")
    await _locked(tx, review_id)
    must_be_answered(await unanswered(tx, review_id))
    by, changes = By.actor(me, Post.STANDARD_EDITOR, now), {"summary": summary, "closed_on": today}
    await move(tx, ReviewRow.__table__, REVIEW_LIFECYCLE, ReviewAction.CLOSE, review_id, by, changes=changes)
    return await review_view(tx, review_id)


async def conclude(tx: Tx, me: Actor, review_id: UUID, new: NewConclusion, now: datetime) -> ReviewView:
    """Name the set of standards that a closed review led to. NotFound `review.not_found`, `standards.not_found` (also
    for one that was dropped); Conflict `wrong_status`."""
    me.must_hold(Post.STANDARD_EDITOR)
    await _locked(tx, review_id)
    row = StandardSetRow
    lives = select(row.id).where(row.id == new.set_id, row.status != SetStatus.DROPPED)
    if (await tx.execute(lives)).first() is None:
        raise NotFound("standards.not_found")
    by, changes = By.actor(me, Post.STANDARD_EDITOR, now), {"set_id": new.set_id}
    await move(tx, ReviewRow.__table__, REVIEW_LIFECYCLE, ReviewAction.CONCLUDE, review_id, by, changes=changes)
    return await review_view(tx, review_id)


async def drop_review(tx: Tx, me: Actor, review_id: UUID, now: datetime) -> ReviewView:
    """Give up a review that was opened by mistake; it is never published."""
    me.must_hold(Post.STANDARD_EDITOR)
    await _locked(tx, review_id)
    by = By.actor(me, Post.STANDARD_EDITOR, now)
    await move(tx, ReviewRow.__table__, REVIEW_LIFECYCLE, ReviewAction.DROP, review_id, by)
    return await review_view(tx, review_id)


async def _locked(tx: Tx, review_id: UUID) -> str:
    """The status of a review that nobody else collects into or ends meanwhile."""
    row = ReviewRow
    status = (await tx.execute(select(row.status).where(row.id == review_id).with_for_update())).scalar_one_or_none()
    if status is None:
        raise NotFound("review.not_found")
    return status


async def _open(tx: Tx, review_id: UUID) -> None:
    status = await _locked(tx, review_id)
    if status != ReviewStatus.OPEN:
        raise Conflict("review.not_open", status=status)
