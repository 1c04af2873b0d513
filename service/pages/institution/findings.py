"""What patrols of our classes and inspections of our sites found, once they are over, and what is to be mended."""

from uuid import UUID

from litestar import Response

from service.oversight.queries.penalties import penalty_list
from service.pages.institution.home import to_mend
from service.pages.institution.visit import Visit
from service.training.queries import inspections, patrols
from service.web import private_file

_PENALTIES_MAX = 50


async def listed(clerk: Visit) -> Response[bytes]:
    """The latest, with what is to be mended by when."""
    penalties = (await penalty_list(clerk.tx, clerk.me, None, _PENALTIES_MAX)).penalties
    over = (await inspections.inspections(clerk.tx, clerk.me, clerk.institution_id)).inspections
    return await clerk.shown(
        "findings",
        patrols=await patrols.ours(clerk.tx, clerk.me, clerk.today),
        inspections=over,
        mending=to_mend(penalties),
    )


async def photo(clerk: Visit, patrol_id: UUID, sha256: str) -> Response[bytes]:
    """A photo or paper of one that is over. NotFound `document.none`."""
    media_type, content = await patrols.evidence(clerk.tx, clerk.me, patrol_id, sha256)
    return private_file(content, media_type)
