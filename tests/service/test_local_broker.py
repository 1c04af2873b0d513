"""The broker of our own: what it was given survives its death."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from service.local.broker import Broker, prepare


@contextmanager
def running(home: Path) -> Iterator[tuple[Broker, subprocess.Popen[bytes]]]:
    broker = prepare(home)
    process = subprocess.Popen(broker.command, stdout=subprocess.DEVNULL, env={"PATH": "/nonexistent"})
    try:
        deadline = time.monotonic() + 10
        while not broker.answers():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield broker, process
    finally:
        process.kill()
        process.wait()


def test_messages_survive_kill_9(tmp_path: Path) -> None:
    with running(tmp_path / "带 空格") as (broker, process):
        redis.Redis.from_url(broker.url).rpush("zhida", *range(100))
        process.kill()
        process.wait()
        assert not broker.answers()
    with running(tmp_path / "带 空格") as (again, _):
        assert redis.Redis.from_url(again.url).llen("zhida") == 100
        assert again.url == broker.url


def test_it_refuses_strangers_and_never_drops_in_silence(tmp_path: Path) -> None:
    with running(tmp_path) as (broker, process):
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=broker.port, retry=Retry(NoBackoff(), 0)).ping()
        settings = redis.Redis.from_url(broker.url, decode_responses=True).config_get()
        assert settings["maxmemory-policy"] == "noeviction"
        assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "everysec")
        assert settings["bind"] == "127.0.0.1"
        assert broker.password not in Path(f"/proc/{process.pid}/cmdline").read_text()
    assert (tmp_path / "valkey.conf").stat().st_mode & 0o777 == 0o600


def test_a_broker_that_was_left_running_is_ended_first(tmp_path: Path) -> None:
    with running(tmp_path) as (_, left), running(tmp_path) as (broker, _):
        assert left.wait(5) is not None
        assert broker.answers()
