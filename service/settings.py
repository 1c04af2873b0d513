"""What an operator sets, read once from the environment (`ZHIDA_…`)."""

import os
from dataclasses import dataclass, field
from functools import cache


@dataclass(frozen=True)
class Settings:
    """URLs are `postgresql://…` and `redis://…` or `redis+socket://…`; keys as `service/crypto.py` says."""

    database_url: str = field(default="", repr=False)  # the service's role, zhida_app
    owner_url: str = field(default="", repr=False)  # migrations only
    redis_url: str = field(default="", repr=False)
    key_file: str = ""  # JSON; see service/crypto.py
    registry_url: str = ""
    registry_token: str = field(default="", repr=False)
    registry_calls_a_minute: int = 3_000  # by all workers together; 0: no limit
    registry_silences_max: int = 5  # one after another, then it is left alone for a while
    bank_url: str = ""
    bank_token: str = field(default="", repr=False)
    sms_url: str = ""  # without one nobody is told anything by SMS
    sms_token: str = field(default="", repr=False)
    metrics_token: str = field(default="", repr=False)  # with it GET /metrics answers; without one there is none
    demo: bool = False  # sample people, sign-up, a clock that can be moved
    clock_offset: str = ""  # whole days, or @FILE that holds them; the demo only
    data_dir: str = ".zhida"
    pool_size: int = 10
    job_lease_seconds: int = 30
    log_level: str = "INFO"


def _read(name: str, default: str | int | bool) -> str | int | bool:
    text = os.environ.get(f"ZHIDA_{name.upper()}")
    if text is None:
        return default
    if isinstance(default, bool):
        return text.lower() in {"1", "true", "yes"}
    return type(default)(text)


@cache
def settings() -> Settings:
    """The settings of this process."""
    fields = Settings.__dataclass_fields__
    return Settings(**{name: _read(name, spec.default) for name, spec in fields.items()})  # type: ignore[arg-type]
