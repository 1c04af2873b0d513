"""Which browser of this machine plays the journeys, and what it needs to show Chinese."""

import os
import shutil
import subprocess

from playwright.async_api import Browser, Playwright

#: Nothing of the browser's own goes out: only the service on this machine is asked.
_QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update"),
    *("--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage"),
]


def found() -> str:
    """The chromium of this machine; empty where there is none. `ZHIDA_CHROMIUM` names another."""
    named = os.environ.get("ZHIDA_CHROMIUM", "")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


def shows_chinese() -> bool:
    """Whether a font of this machine has Chinese characters; without one every page is full of boxes."""
    if not shutil.which("fc-list"):
        return False
    fonts = subprocess.run(["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True, check=False)
    return bool(fonts.stdout.strip())


def missing() -> list[str]:
    """Debian's packages without which no journey is played here."""
    return [*([] if found() else ["chromium"]), *([] if shows_chinese() else ["fonts-wqy-microhei", "fontconfig"])]


async def start(playwright: Playwright) -> Browser:
    """The browser, without a window."""
    return await playwright.chromium.launch(executable_path=found(), args=_QUIET)


if __name__ == "__main__":
    print(*missing())
