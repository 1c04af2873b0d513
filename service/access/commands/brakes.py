"""Wrong passwords are counted by login and by address; after too many nobody is heard for a while.

A login that nobody has is counted like any other, so that nothing is learned from being refused. What was right is
refused as well while the brake is on: of a thousand guesses at once only the first few are heard.
"""

import ipaddress
import math
from datetime import timedelta

from sqlalchemy import case, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import Throttled
from service.access.tables import SignInBrakeRow
from service.crypto import keyring
from service.database import Tx

#: A household or an office shares an address, so it may be wrong more often than one login.
LOGIN_WRONG_MAX, ADDRESS_WRONG_MAX = 5, 100
BRAKE_MINUTES = 15
_BRAKE = timedelta(minutes=BRAKE_MINUTES)

#: Blind index → how often it may be wrong.
Watched = dict[bytes, int]


def watched(login: str, address: str = "") -> Watched:
    """What is counted of a sign-in: its login, unless nobody can have it, and where it comes from, if it is known."""
    keys, network, found = keyring(), _network(address), Watched()
    if login:
        found[keys.blind_index("sign_in_login", login)] = LOGIN_WRONG_MAX
    if network:
        found[keys.blind_index("sign_in_address", network)] = ADDRESS_WRONG_MAX
    return found


def _network(address: str) -> str:
    """The address, or the /64 of one of IPv6: who has one of those has all of them. Empty for this machine's own,
    behind which anybody may be, and where nothing is known."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.is_loopback:
        return ""
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


async def stand_in_line(tx: Tx, keys: Watched) -> None:
    """One guess after the other to the end of the transaction, so that each sees what those before it came to."""
    for key in sorted(keys):
        await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"sign-in {key.hex()}", 0))))


async def must_be_heard(tx: Tx, keys: Watched) -> None:
    """Throttled `sign_in.braked` (minutes) while one of them is locked."""
    row = SignInBrakeRow
    left = func.extract("epoch", func.max(row.locked_until) - func.now())
    seconds = (await tx.execute(select(left).where(row.key.in_(keys), row.locked_until > func.now()))).scalar_one()
    if seconds is not None:
        raise Throttled("sign_in.braked", minutes=math.ceil(seconds / 60))


async def count_wrong(tx: Tx, keys: Watched) -> None:
    """One more of each; locked from the last that may be wrong on. What was long ago does not count."""
    row = SignInBrakeRow
    for key in sorted(keys):  # in one order, so that nobody waits for each other
        stale = or_(row.counted_since < func.now() - _BRAKE, row.locked_until <= func.now())
        count = case((stale, 1), else_=row.wrong_count + 1)
        first = {"key": key, "wrong_count": 1, "counted_since": func.now()}
        again = {
            "wrong_count": count,
            "counted_since": case((stale, func.now()), else_=row.counted_since),
            "locked_until": case((count >= keys[key], func.now() + _BRAKE), else_=None),
        }
        await tx.execute(upsert(row).values(first).on_conflict_do_update(index_elements=["key"], set_=again))


async def forget_wrong(tx: Tx, login: str) -> None:
    """The login's owner was there: what was wrong before was theirs. The address stays counted."""
    await tx.execute(delete(SignInBrakeRow).where(SignInBrakeRow.key.in_(watched(login))))


async def forget_brakes(tx: Tx) -> None:
    """Forget what does not count any more."""
    await tx.execute(delete(SignInBrakeRow).where(SignInBrakeRow.counted_since < func.now() - 2 * _BRAKE))
