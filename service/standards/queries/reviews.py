"""Reviews of standards: for everybody once they are closed, before that for those who work on them."""

from collections import Counter
from typing import Any
from uuid import UUID

from msgspec.structs import asdict
from sqlalchemy import ColumnElement, func, select

from domain.errors import NotFound
from domain.level import LEVELS
from domain.review import PUBLISHED, Measure
from service.database import Tx
from service.standards.schemas import FiguresView, OpinionView, ReviewsView, ReviewView, WholeReviewView
from service.standards.tables import ReviewAnswerRow, ReviewOpinionRow, ReviewRow, ReviewSampleRow
from service.wording import words

#: The latest reviews that are listed.
REVIEWS_MAX = 100


async def reviews(tx: Tx, *, public: bool) -> ReviewsView:
    """The latest reviews, newest first; those that are published, for the public."""
    return ReviewsView(await _views(tx, *_within(public)))


async def review_view(tx: Tx, review_id: UUID) -> ReviewView:
    """NotFound `review.not_found`."""
    found = await _views(tx, ReviewRow.id == review_id)
    if not found:
        raise NotFound("review.not_found")
    return found[0]


async def whole_review(tx: Tx, review_id: UUID, *, public: bool) -> WholeReviewView:
    """A review with its figures, its opinions in short and their answers. NotFound `review.not_found`, also for the
    public while it is not published."""
    found = await _views(tx, ReviewRow.id == review_id, *_within(public))
    if not found:
        raise NotFound("review.not_found")
    said = await _opinions(tx, review_id)
    heard = dict(sorted(Counter(each.voice for each in said).items()))
    return WholeReviewView(**asdict(found[0]), figures=await _figures(tx, review_id), heard=heard, said=said)


async def unanswered(tx: Tx, review_id: UUID) -> int:
    """How many of those who were heard have no answer yet."""
    return int((await tx.execute(select(_unanswered()).where(ReviewRow.id == review_id))).scalar_one())


def _within(public: bool) -> list[ColumnElement[bool]]:
    return [ReviewRow.status.in_(PUBLISHED)] if public else []


def _unanswered() -> Any:
    answered = select(ReviewAnswerRow.opinion_id).where(ReviewAnswerRow.opinion_id == ReviewOpinionRow.id).exists()
    return (
        select(func.count())
        .where(ReviewOpinionRow.review_id == ReviewRow.id, ~answered)
        .correlate(ReviewRow)
        .scalar_subquery()
    )


async def _views(tx: Tx, *where: ColumnElement[bool]) -> list[ReviewView]:
    row = ReviewRow
    samples, opinions = (
        select(func.count()).where(of.review_id == row.id).correlate(row).scalar_subquery()
        for of in (ReviewSampleRow, ReviewOpinionRow)
    )
    asked = (
        select(*row.__table__.c, samples.label("samples"), opinions.label("opinions"), _unanswered().label("waiting"))
        .where(*where)
        .order_by(row.opened_at.desc(), row.id)
        .limit(REVIEWS_MAX)
    )
    return [
        ReviewView(
            id=each.id,
            title=each.title,
            first=each.first,
            last=each.last,
            status=each.status,
            status_name=words(f"status.{each.status}"),
            summary=each.summary,
            closed_on=each.closed_on,
            set_id=each.set_id,
            samples=each.samples,
            opinions=each.opinions,
            unanswered=each.waiting,
        )
        for each in await tx.execute(asked)
    ]


async def _figures(tx: Tx, review_id: UUID) -> list[FiguresView]:
    row = ReviewSampleRow
    median = func.percentile_disc(0.5).within_group(row.value)
    rows = await tx.execute(
        select(row.occupation, row.level, row.measure, func.count(), median)
        .where(row.review_id == review_id)
        .group_by(row.occupation, row.level, row.measure)
        .order_by(row.occupation, row.level, row.measure)
    )
    return [
        FiguresView(
            *(occupation, level, LEVELS[level].name, measure, words(f"measure.{measure}")),
            *(number, value, Measure(measure).unit),
        )
        for occupation, level, measure, number, value in rows
    ]


async def _opinions(tx: Tx, review_id: UUID) -> list[OpinionView]:
    row, answer = ReviewOpinionRow, ReviewAnswerRow
    rows = await tx.execute(
        select(row.id, row.voice, row.speaker, row.summary, row.heard_on, row.document_sha256)
        .add_columns(answer.adopted, answer.answer)
        .outerjoin(answer, answer.opinion_id == row.id)
        .where(row.review_id == review_id)
        .order_by(row.heard_on, row.recorded_at, row.id)
    )
    return [
        OpinionView(
            *(each.id, each.voice, words(f"voice.{each.voice}"), each.speaker, each.summary, each.heard_on),
            *(each.document_sha256, each.adopted, each.answer),
        )
        for each in rows
    ]
