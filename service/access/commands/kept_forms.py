"""Forms that are not sent yet, kept sealed: of whoever's session had ended, until they have signed in; and what is
put aside where a network cannot be relied on."""

import json
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from domain.actor import Actor
from service.access.queries import FORMS_KEPT
from service.access.tables import KeptFormRow
from service.crypto import keyring
from service.database import Tx
from service.security import whose_session_ended

#: Nobody leaves more pages open over lunch; a form is a few kilobytes.
FORMS_MAX, SIZE_MAX = 20, 64 * 1024
#: Never kept, not even sealed: what proves who somebody is.
SECRETS = frozenset({"password", "code", "new_password"})


async def keep_form(tx: Tx, token: str, page: str, typed: Mapping[str, str]) -> bool:
    """Keep what was typed on `page` for the user whose session of `token` ran out, in place of what was kept there
    before; whether it is kept: nothing is for a session that nobody knows, nor what is too large."""
    user_id = await whose_session_ended(tx, token)
    return user_id is not None and await _keep(tx, user_id, page, typed)


async def put_aside(tx: Tx, me: Actor, page: str, typed: Mapping[str, str]) -> bool:
    """The same for what I have typed on `page` and not sent yet."""
    return await _keep(tx, me.user_id, page, typed)


async def forget_form(tx: Tx, me: Actor, page: str) -> None:
    """Forget what I typed on `page`: it is sent."""
    row, index = KeptFormRow, keyring().blind_index("page", page)
    await tx.execute(delete(row).where(row.user_id == me.user_id, row.page_index == index))


async def _keep(tx: Tx, user_id: UUID, page: str, typed: Mapping[str, str]) -> bool:
    told = json.dumps({name: text for name, text in typed.items() if name not in SECRETS}, ensure_ascii=False)
    if len(told.encode()) > SIZE_MAX:
        return False
    row, form_id, index = KeptFormRow, uuid4(), keyring().blind_index("page", page)
    await tx.execute(delete(row).where(row.user_id == user_id, row.page_index == index))
    if (await tx.execute(select(func.count()).where(row.user_id == user_id))).scalar_one() >= FORMS_MAX:
        return False
    kept = {"user_id": user_id, "page_index": index, "typed_sealed": keyring().seal(told, form_id)}
    # pressed twice: what the other press kept at this moment is the same
    await tx.execute(insert(row).values(id=form_id, **kept).on_conflict_do_nothing())
    return True


async def forget_forms(tx: Tx) -> None:
    """Forget what nobody came back for in time."""
    await tx.execute(delete(KeptFormRow).where(KeptFormRow.kept_at < func.now() - timedelta(minutes=FORMS_KEPT)))
