"""Documents as they were handed in: found by the SHA-256 of their plain bytes, kept as ciphertext, each once."""

import hashlib
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Integer, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from domain.errors import Invalid, NotFound
from service.crypto import keyring
from service.database import Base, Tx

FILE_BYTES_MAX = 10 * 1024 * 1024

#: How the files begin that a browser shows without running anything.
_BEGINNINGS = {"application/pdf": b"%PDF-", "image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
TYPES = tuple(_BEGINNINGS)


class StoredFileRow(Base):
    """Written once; whoever may read it is for the feature to know that refers to it."""

    __tablename__ = "stored_files"
    __table_args__ = (UniqueConstraint("sha256", name="uq_stored_files_sha256"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[bytes]
    size: Mapped[int] = mapped_column(Integer)
    content_sealed: Mapped[bytes]
    stored_at: Mapped[datetime]


def must_be_document(data: bytes, media_type: str, field: str) -> None:
    """Invalid `document.empty`, `document.too_large` (most), or `document.kind` for bytes that are not what they are
    called."""
    if not data:
        raise Invalid("document.empty", field)
    if len(data) > FILE_BYTES_MAX:
        raise Invalid("document.too_large", field, most=FILE_BYTES_MAX // 2**20)
    if media_type not in _BEGINNINGS or not data.startswith(_BEGINNINGS[media_type]):
        raise Invalid("document.kind", field)


def digest_of(data: bytes) -> bytes:
    """By which the bytes are found."""
    return hashlib.sha256(data).digest()


async def store(tx: Tx, data: bytes, now: datetime) -> bytes:
    """Keep the bytes, unless they are there; their SHA-256."""
    digest, row, file_id = digest_of(data), StoredFileRow, uuid4()
    if (await tx.execute(select(row.id).where(row.sha256 == digest))).first() is None:
        sealed = {"content_sealed": keyring().seal(data, file_id), "size": len(data)}
        new = insert(row).values(id=file_id, sha256=digest, stored_at=now, **sealed)
        await tx.execute(new.on_conflict_do_nothing(index_elements=[row.sha256]))
    return digest


async def content_of(tx: Tx, digest: bytes) -> bytes:
    """The plain bytes. NotFound `document.none`."""
    row = StoredFileRow
    found = await tx.execute(select(row.id, row.content_sealed).where(row.sha256 == digest))
    kept = found.one_or_none()
    if kept is None:
        raise NotFound("document.none")
    return keyring().open_bytes(kept.content_sealed, kept.id)
