"""People's data at rest: sealed envelopes and blind indexes.

Keys are a JSON file `{"current": "k1", "keys": {"k1": {"seal": B64, "index": B64, "algorithm": "AES-256-GCM"}}}`;
`seal` and `index` are separate secrets of 32 bytes (SM4-GCM uses the first 16 of `seal`).
An envelope is: 1 byte length of the key id, the key id, 12 bytes nonce, ciphertext, 16 bytes tag. The row's id is
associated data, so an envelope copied onto another row does not open.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as keyed
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from service.settings import settings

_NONCE, _TAG = 12, 16


class CannotOpen(Exception):
    """The envelope is damaged, stands on the wrong row, or its key is not here."""


@dataclass(frozen=True)
class Key:
    """One generation of secrets; `algorithm` is AES-256-GCM (with HMAC-SHA-256) or SM4-GCM (with HMAC-SM3)."""

    seal: bytes = field(repr=False)
    index: bytes = field(repr=False)
    algorithm: str = "AES-256-GCM"

    @cached_property
    def box(self) -> "AESGCM | _Sm4Gcm":
        """Encrypts to ciphertext with tag, and back."""
        return _Sm4Gcm(self.seal[:16]) if self.algorithm == "SM4-GCM" else AESGCM(self.seal)


@dataclass(frozen=True)
class _Sm4Gcm:
    """SM4 in the shape that `cryptography` gives AES (one call a value is several times quicker than contexts)."""

    key: bytes = field(repr=False)

    def encrypt(self, nonce: bytes, data: bytes | bytearray, associated_data: bytes) -> bytes:
        sealer = Cipher(SM4(self.key), GCM(nonce)).encryptor()
        sealer.authenticate_additional_data(associated_data)
        return sealer.update(data) + sealer.finalize() + sealer.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        opener = Cipher(SM4(self.key), GCM(nonce, data[-_TAG:])).decryptor()
        opener.authenticate_additional_data(associated_data)
        return opener.update(data[:-_TAG]) + opener.finalize()


@dataclass(frozen=True)
class Keyring:
    """The keys in use: everything is sealed with `current`, anything known is opened."""

    current: str
    keys: Mapping[str, Key]

    def seal(self, plain: str | bytes | bytearray, row_id: UUID) -> bytes:
        """An envelope for `plain` that opens only with the same `row_id`."""
        data = plain.encode() if isinstance(plain, str) else plain
        key, nonce = self.keys[self.current], secrets.token_bytes(_NONCE)
        name = self.current.encode()
        return bytes([len(name)]) + name + nonce + key.box.encrypt(nonce, data, row_id.bytes)

    def open_bytes(self, envelope: bytes, row_id: UUID) -> bytes:
        """The plain bytes; CannotOpen when anything is not as it was sealed."""
        try:
            start = 1 + envelope[0]
            key = self.keys[envelope[1:start].decode()]
            nonce, body = envelope[start : start + _NONCE], envelope[start + _NONCE :]
            return key.box.decrypt(nonce, body, row_id.bytes)
        except (InvalidTag, KeyError, IndexError, ValueError) as cause:
            raise CannotOpen(f"envelope of row {row_id}") from cause

    def open(self, envelope: bytes, row_id: UUID) -> str:
        """The plain text; CannotOpen when anything is not as it was sealed."""
        return self.open_bytes(envelope, row_id).decode()

    def blind_index(self, kind: str, value: str, key_id: str | None = None) -> bytes:
        """32 bytes by which equal values of a `kind` are found without being readable."""
        key = self.keys[key_id or self.current]
        message = f"{kind}\0{value}".encode()
        if key.algorithm == "SM4-GCM":
            signer = keyed.HMAC(key.index, hashes.SM3())
            signer.update(message)
            return signer.finalize()
        return hmac.digest(key.index, message, hashlib.sha256)

    def blind_indexes(self, kind: str, value: str) -> dict[str, bytes]:
        """The index under every known key: during a rotation both are looked up."""
        return {key_id: self.blind_index(kind, value, key_id) for key_id in self.keys}


def read_keys(text: str) -> Keyring:
    """A keyring from the JSON described above; ValueError when a secret is missing or short."""
    found = json.loads(text)
    keys = {
        name: Key(
            base64.b64decode(each["seal"]),
            base64.b64decode(each["index"]),
            each.get("algorithm", "AES-256-GCM"),
        )
        for name, each in found["keys"].items()
    }
    if found["current"] not in keys or any(len(k.seal) != 32 or len(k.index) != 32 for k in keys.values()):
        raise ValueError("the key file needs a current key, and 32 bytes for each secret")
    return Keyring(found["current"], keys)


@cache
def keyring() -> Keyring:
    """The keyring of this process."""
    return read_keys(Path(settings().key_file).read_text())
