"""A clerk at their browser: who asks, for which institution and when; and how a form of theirs is answered."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from litestar import Response
from litestar.di import NamedDependency

from domain.actor import Actor
from domain.errors import NotFound
from service.database import Tx
from service.pages import forms
from service.pages.acts import fingerprints
from service.pages.forms import Fault, Typed
from service.pages.institution import frame
from service.pages.institution.frame import Ask
from service.web import Me, Now, StrictRequest, Today

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
        return {**await forms.typed(self.request), **await fingerprints(self.request)}

    async def does(
        self, typed: Typed, view: type[T], effect: Callable[[], Awaitable[T]]
    ) -> tuple[list[T], list[Fault]]:
        """What came of it, once however often the form is sent; or else everything that is wrong."""
        done = list[T]()

        async def run() -> None:
            once = forms.once_of(self.request, self.me, typed, typed.get("once", ""))
            done.append((await once(self.tx, view, effect)).view)

        return done, await forms.refused(self.tx, run)


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
