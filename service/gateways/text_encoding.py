"""Bytes of a text file → text, in the encodings that offices here really use."""

import codecs

from domain.errors import Invalid

TEXT_BYTES_MAX = 64 * 1024 * 1024
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode_text(data: bytes) -> str:
    """UTF-8 with or without BOM, UTF-16 with BOM, else GB18030; line ends become LF and page breaks go.

    Invalid `file.too_large`, or `file.not_text` (field `file`) for bytes that are no text in any of them.
    """
    if len(data) > TEXT_BYTES_MAX:
        raise Invalid("file.too_large", "file", bytes_max=TEXT_BYTES_MAX)
    text = _decoded(data)
    if text is None or "\x00" in text or data.startswith((b"PK\x03\x04", b"%PDF-", b"\xd0\xcf\x11\xe0")):
        raise Invalid("file.not_text", "file")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "")


def _decoded(data: bytes) -> str | None:
    for encoding in ("utf-16",) if data.startswith(_UTF16) else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue  # the next encoding may fit
    return None
