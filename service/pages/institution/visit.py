"""A clerk at their browser: who asks, for which institution and when; and how a form of theirs is answered."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from litestar import Response
from litestar.di import NamedDependency

from domain.actor import Actor
from domain.claim import Channel
from domain.errors import NotFound
from service.claims.schemas import ClaimView
from service.pages import door
from service.pages.acts import done_once, typed_of
from service.pages.forms import Fault, Typed
from service.pages.institution import frame
from service.pages.institution.frame import Ask
from service.web import Me, Now, StrictRequest, Today, Tx

T = TypeVar("T")
_NOTHING: Typed = {}


@dataclass(frozen=True)
class Visit:
    """What a clerk asks for, and in whose name."""

    request: Ask
    tx: Tx
    me: Actor
    today: date
    now: datetime

    @property
    def institution_id(self) -> UUID:
        """NotFound `institution.not_found` for a clerk of none."""
        if self.me.institution_id is None:
            raise NotFound("institution.not_found")
        return self.me.institution_id

    async def shown(
        self,
        template: str,
        typed: Typed = _NOTHING,
        faults: Sequence[Fault] = (),
        **given: Any,
    ) -> Response[bytes]:
        """A page in the frame of my institution; with `faults` it is the form again, with what was typed."""
        form = {"typed": typed, "faults": list(faults), "once": uuid4(), "status": 422 if faults else 200}
        return await frame.shown(self.request, self.tx, self.me, template, self.today, **{**form, **given})

    async def typed(self) -> dict[str, str]:
        """The fields of the form that was sent; of a file that was chosen the fingerprint."""
        return await typed_of(self.request)

    async def does(
        self, typed: Typed, view: type[T], effect: Callable[[], Awaitable[T]]
    ) -> tuple[list[T], list[Fault]]:
        """What came of it, once however often the form is sent; or else everything that is wrong."""
        return await done_once(self.request, self.tx, self.me, typed, view, effect)

    async def files(
        self, typed: Typed, channel: Channel, effect: Callable[[], Awaitable[ClaimView]]
    ) -> tuple[list[ClaimView], list[Fault]]:
        """The same for a claim: whom the rules turn away is counted."""

        async def refused(tx: Tx, file: Callable[[], Awaitable[Any]]) -> list[Fault]:
            return await door.filed(tx, channel, self.today, file)

        return await done_once(self.request, self.tx, self.me, typed, ClaimView, effect, refused)


def placed(faults: Sequence[Fault], labels: Mapping[str, str]) -> list[Fault]:
    """Each at its field, of which `labels` has what it is called; of the form as a whole where it has no such
    field."""
    return [
        (field, f"{labels[field]}：{message}") if field in labels else ("form", message) for field, message in faults
    ]


async def visit_of_clerk(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Visit:
    """Whoever asks for a page of their institution."""
    return Visit(request, tx, me, today, now)


AtDesk = NamedDependency[Visit]
