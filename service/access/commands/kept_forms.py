"""Whoever sends a form when their session has ended loses nothing: it is kept, sealed, until they have signed in."""

import json
from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

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
    told = json.dumps({name: text for name, text in typed.items() if name not in SECRETS}, ensure_ascii=False)
    if user_id is None or len(told.encode()) > SIZE_MAX:
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
