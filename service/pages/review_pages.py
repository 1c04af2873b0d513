"""Reviews of standards: figures and opinions are collected, each is answered, the summary is for everybody."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response

from domain.actor import Post
from domain.errors import NotFound
from domain.level import LEVELS
from domain.review import NAMELESS, Measure, ReviewStatus, Voice
from service.pages.catalog_desk import Visit, chosen, pick, told_at
from service.pages.forms import Fault, Typed
from service.pages.standard_pages import set_name, with_formula
from service.standards.commands import reviewing
from service.standards.queries import reviews as kept
from service.standards.schemas import (
    NewAnswer,
    NewClosing,
    NewConclusion,
    NewOpinion,
    NewReview,
    NewSamples,
    OpinionView,
    ReviewView,
)
from service.web import as_wanted
from service.wording import words

_Page = Response[Any]
_NONE: Typed = {}
AT = "/catalog-desk/reviews"
TONES = {"open": "amber", "closed": "green", "concluded": "green"}
_MEASURES = [(str(each), words(f"measure.{each}")) for each in Measure]
_VOICES = [(str(each), words(f"voice.{each}")) for each in Voice]
_LEVELS = [(code, level.short) for code, level in LEVELS.items()]


def _edits(visit: Visit) -> bool:
    return visit.me.holds(Post.STANDARD_EDITOR)


async def listed(visit: Visit, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """Every review, and the form to open one."""
    found = (await kept.reviews(visit.tx, public=False)).reviews
    return visit.shown("reviews", typed, faults, reviews=found, may_edit=_edits(visit), tones=TONES)


async def begin(visit: Visit) -> _Page:
    """Open a review."""
    typed, made = await visit.typed(), list[ReviewView]()

    async def effect() -> None:
        new = as_wanted(pick(typed, "title", "from", "to"), NewReview)
        once, put = visit.once(typed), reviewing.open_review
        answer = await once(visit.tx, ReviewView, lambda: put(visit.tx, visit.me, new, visit.now))
        made.append(answer.view)

    return await visit.does(
        effect, lambda: f"{AT}/{made[0].id}", "review_opened", lambda faults: listed(visit, typed, faults)
    )


async def shown(visit: Visit, review_id: UUID, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """A review: its figures, its opinions with their answers, and how it ends."""
    view = await kept.whole_review(visit.tx, review_id, public=False)
    is_open = view.status == ReviewStatus.OPEN
    concludes = view.status == ReviewStatus.CLOSED and _edits(visit)
    sets = [(str(each.id), set_name(each)) for each in await with_formula(visit)]
    given = {
        "review": view,
        "figures": [(each, Measure(each.measure).written(each.median)) for each in view.figures],
        "may_edit": _edits(visit) and is_open,
        "may_conclude": concludes,
        "sets": sets,
        "led_to": dict(sets).get(str(view.set_id), ""),
        "waiting": next((each.id for each in view.said if each.answer is None), None),
    }
    return visit.shown("review", typed, faults, **given, tones=TONES)


async def sample_page(visit: Visit, review_id: UUID, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """The form of a figure."""
    view = await kept.review_view(visit.tx, review_id)
    return visit.shown("review_sample", typed, faults, review=view, measures=_MEASURES, levels=_LEVELS)


async def add_sample(visit: Visit, review_id: UUID) -> _Page:
    """Add a figure with its source; of the document only the fingerprint stays here."""
    typed = await visit.typed()

    async def effect() -> None:
        measure = Measure(chosen(typed, "measure", set(Measure)))
        sample: dict[str, Any] = pick(typed, "occupation", "level", "source")
        sample |= {"measure": str(measure), "value": measure.read(typed.get("value", ""), "value")}
        sample["document_sha256"] = await visit.fingerprint()
        new = as_wanted({"samples": [sample]}, NewSamples)
        once, add = visit.once(typed), reviewing.add_samples
        await once(visit.tx, ReviewView, lambda: add(visit.tx, visit.me, review_id, new, visit.now))

    return await visit.does(
        effect,
        lambda: f"{AT}/{review_id}",
        "sample_added",
        lambda faults: sample_page(visit, review_id, typed, faults),
    )


async def opinion_page(visit: Visit, review_id: UUID, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """The form of an opinion."""
    view = await kept.review_view(visit.tx, review_id)
    nameless = [words(f"voice.{each}") for each in sorted(NAMELESS)]
    return visit.shown("review_opinion", typed, faults, review=view, voices=_VOICES, nameless=nameless)


async def hear(visit: Visit, review_id: UUID) -> _Page:
    """Record what somebody said."""
    typed = await visit.typed()

    async def effect() -> None:
        said: dict[str, Any] = pick(typed, "voice", "summary", "heard_on", "speaker")
        chosen(typed, "voice", set(Voice))
        if typed.get("has_document") == "yes":
            said["document_sha256"] = await visit.fingerprint()
        new = as_wanted(said, NewOpinion)
        once, put = visit.once(typed), reviewing.hear
        await once(visit.tx, ReviewView, lambda: put(visit.tx, visit.me, review_id, new, visit.today, visit.now))

    return await visit.does(
        effect, lambda: f"{AT}/{review_id}", "heard", lambda faults: opinion_page(visit, review_id, typed, faults)
    )


async def answer_page(
    visit: Visit, review_id: UUID, opinion_id: UUID, typed: Typed = _NONE, faults: Sequence[Fault] = ()
) -> _Page:
    """One opinion, to be answered; which of how many."""
    view = await kept.whole_review(visit.tx, review_id, public=False)
    opinion: OpinionView | None = next((each for each in view.said if each.id == opinion_id), None)
    if opinion is None:
        raise NotFound("review.no_opinion")
    can = _edits(visit) and view.status == ReviewStatus.OPEN and opinion.answer is None
    return visit.shown("review_answer", typed, faults, review=view, opinion=opinion, may_answer=can)


async def answer(visit: Visit, review_id: UUID, opinion_id: UUID) -> _Page:
    """Answer it, and go on to the next that has none."""
    typed = await visit.typed()

    async def effect() -> None:
        adopted = chosen(typed, "adopted", {"yes", "no"}) == "yes"
        new = as_wanted({"adopted": adopted, "answer": typed.get("answer", "")}, NewAnswer)
        once, put = visit.once(typed), reviewing.answer
        await once(visit.tx, ReviewView, lambda: put(visit.tx, visit.me, review_id, opinion_id, new, visit.now))

    done = await visit.does(
        effect, lambda: AT, "answered", lambda faults: answer_page(visit, review_id, opinion_id, typed, faults)
    )
    if done.status_code != 303:
        return done
    view = await kept.whole_review(visit.tx, review_id, public=False)
    following = next((f"/opinions/{each.id}" for each in view.said if each.answer is None), "")
    return told_at(f"{AT}/{review_id}{following}", "answered")


async def close(visit: Visit, review_id: UUID) -> _Page:
    """End it and say what it came to."""
    typed = await visit.typed()

    async def effect() -> None:
        new = as_wanted(pick(typed, "summary"), NewClosing)
        once, put = visit.once(typed), reviewing.close
        await once(visit.tx, ReviewView, lambda: put(visit.tx, visit.me, review_id, new, visit.today, visit.now))

    return await _ended(visit, review_id, typed, effect, "review_closed")


async def conclude(visit: Visit, review_id: UUID) -> _Page:
    """Name the set that it led to."""
    typed = await visit.typed()

    async def effect() -> None:
        known = {str(each.id) for each in await with_formula(visit)}
        new = as_wanted({"set_id": chosen(typed, "set_id", known)}, NewConclusion)
        once, put = visit.once(typed), reviewing.conclude
        await once(visit.tx, ReviewView, lambda: put(visit.tx, visit.me, review_id, new, visit.now))

    return await _ended(visit, review_id, typed, effect, "review_concluded")


async def drop(visit: Visit, review_id: UUID) -> _Page:
    """Give up one that was opened by mistake."""
    typed = await visit.typed()

    async def effect() -> None:
        once, put = visit.once(typed), reviewing.drop_review
        await once(visit.tx, ReviewView, lambda: put(visit.tx, visit.me, review_id, visit.now))

    return await _ended(visit, review_id, typed, effect, "review_dropped")


async def _ended(visit: Visit, review_id: UUID, typed: Typed, effect: Any, told: str) -> _Page:
    return await visit.does(
        effect, lambda: f"{AT}/{review_id}", told, lambda faults: shown(visit, review_id, typed, faults)
    )
