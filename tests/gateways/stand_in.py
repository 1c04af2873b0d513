"""Stand-ins as the processes they are: started, told, killed with -9 and started again."""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

TOKEN = "a token for tests"


class StandIn:
    """`python -m service.local.<name>` on a free port, its state in `data`."""

    def __init__(self, name: str, data: Path) -> None:
        self.name, self.data = name, data
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, what: BaseException | None, at: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"service.local.{self.name}", "--port", "0", "--data", str(self.data)],
            env={**os.environ, f"ZHIDA_{self.name.upper()}_TOKEN": TOKEN},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        assert ready.startswith("ready http://127.0.0.1:"), ready
        self.url = ready.split()[1]

    def kill(self) -> None:
        """kill -9: nothing of it gets a chance to tidy up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def stop(self) -> int:
        """Ask it to end and answer its exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(10)
        self.kill()
        return code

    def tell(self, control: str, content: Any) -> Any:
        answer = httpx.post(f"{self.url}/control/{control}", json=content, headers=bearer())
        answer.raise_for_status()
        return answer.json()

    def behave(self, **wish: Any) -> None:
        self.tell("behaviour", wish)

    def see(self, control: str) -> Any:
        answer = httpx.get(f"{self.url}/control/{control}", headers=bearer())
        answer.raise_for_status()
        return answer.json()


def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}
