"""One-time codes of the demo's people, whose secrets follow from their logins: anybody may sign in as them anyway."""

import base64
import hashlib
import time

import pyotp

_STEP_SECONDS = 30
#: A code must still serve when it arrives: one that ends sooner is passed over.
_ON_THE_WAY_SECONDS = 10


def sample_secret(login: str) -> str:
    """The secret of a login of the cast, in base32."""
    return base64.b32encode(hashlib.sha256(f"zhida demo {login}".encode()).digest()[:20]).decode()


class SampleCodes:
    """Codes as their owners would type them, each once, the earliest that can still serve first."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def next(self, login: str) -> tuple[str, float]:
        """A code that this one has not answered yet, and in how many seconds the service will take it."""
        now = time.time()
        counter = max(self._last.get(login, 0) + 1, int((now + _ON_THE_WAY_SECONDS) / _STEP_SECONDS) - 1)
        self._last[login] = counter
        return pyotp.HOTP(sample_secret(login)).at(counter), max(0.0, (counter - 1) * _STEP_SECONDS - now)
