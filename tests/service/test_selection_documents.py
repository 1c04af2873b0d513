"""Documents of institutions: what they may be, kept once as ciphertext, read by those who have to do with them."""

import hashlib
from uuid import uuid4

import pytest
from sqlalchemy import text

from domain.actor import Post
from domain.errors import Conflict, Invalid, NotFound
from service.database import Tx
from service.gateways.file_store import FILE_BYTES_MAX
from service.institutions.commands import applying
from service.institutions.queries import selection
from tests.selection import PDF, Selecting
from tests.world import World


@pytest.fixture
async def stage(tx: Tx, world: World) -> Selecting:
    return await Selecting.of(tx, world)


async def test_the_same_bytes_are_kept_once_as_ciphertext(tx: Tx, stage: Selecting) -> None:
    _, other = await stage.institution(tx, stage.world, stage.officer)
    data = PDF + uuid4().bytes
    mine, again, theirs = [await stage.document(tx, data, who) for who in (stage.clerk, stage.clerk, other)]
    assert mine == again
    assert mine != theirs
    digest = hashlib.sha256(data).digest()
    kept = (
        await tx.execute(text("SELECT size, content_sealed FROM stored_files WHERE sha256 = :d"), {"d": digest})
    ).all()
    assert [row.size for row in kept] == [len(data)]
    assert data not in kept[0].content_sealed
    read = await selection.document(tx, stage.clerk, stage.institution_id, mine)
    assert read == ("办学许可证", "application/pdf", data)


async def test_documents_are_read_by_those_who_have_to_do_with_them(tx: Tx, stage: Selecting) -> None:
    institution_id, other = await stage.institution(tx, stage.world, stage.officer)
    announced = await stage.announced(tx)
    document, loose = await stage.document(tx, PDF + b"1"), await stage.document(tx, PDF + b"2")
    await stage.applied(tx, announced.id, documents=[document])
    for reader in (stage.officer, stage.clerk, stage.assessors[0], stage.world.staff[Post.AUDITOR]):
        assert (await selection.document(tx, reader, stage.institution_id, document))[2] == PDF + b"1"
    with pytest.raises(NotFound, match=r"document\.none"):
        await selection.document(tx, stage.assessors[0], stage.institution_id, loose)
    for reader, whose in ((other, stage.institution_id), (stage.officer, institution_id)):
        with pytest.raises(NotFound):
            await selection.document(tx, reader, whose, document)


@pytest.mark.parametrize(
    ("data", "media_type", "expected"),
    [
        (b"", "application/pdf", "document.empty"),
        (b"<html>", "application/pdf", "document.kind"),
        (PDF, "image/png", "document.kind"),
        (PDF, "text/html", "document.kind"),
        (PDF + b" " * FILE_BYTES_MAX, "application/pdf", "document.too_large"),
    ],
)
async def test_a_document_is_what_it_is_called(
    tx: Tx, stage: Selecting, data: bytes, media_type: str, expected: str
) -> None:
    with pytest.raises(Invalid, match=expected.replace(".", r"\.")):
        await applying.hand_in_document(
            tx, stage.clerk, stage.institution_id, "许可证", media_type, data, stage.world.now
        )


async def test_an_institution_does_not_fill_the_store(
    tx: Tx, stage: Selecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "DOCUMENTS_MAX", 2)
    for number in range(2):
        await stage.document(tx, PDF + bytes([number]))
    with pytest.raises(Conflict, match=r"document\.too_many"):
        await stage.document(tx, PDF + b"third")
