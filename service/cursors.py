"""The place after a row in a list, as whoever reads page after page is given it."""

import base64
import binascii
import hmac
from datetime import datetime
from uuid import UUID

import msgspec

from domain.errors import Malformed
from service.crypto import keyring

_STAMP_BYTES = 16


def cursor_of(at: datetime, row_id: UUID) -> str:
    """The place after a row, for the next page; a stamp tells ours from a forged one."""
    place = msgspec.json.encode([at, row_id])
    return base64.urlsafe_b64encode(_stamp(place) + place).decode()


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """Malformed `cursor.forged` for anything but a cursor that we gave out."""
    try:
        told = base64.urlsafe_b64decode(cursor)
    except (binascii.Error, ValueError):
        told = b""
    stamp, place = told[:_STAMP_BYTES], told[_STAMP_BYTES:]
    if not hmac.compare_digest(stamp, _stamp(place)):
        raise Malformed("cursor.forged", field="cursor")
    return msgspec.json.decode(place, type=tuple[datetime, UUID])


def _stamp(place: bytes) -> bytes:
    return keyring().blind_index("cursor", place.hex())[:_STAMP_BYTES]
