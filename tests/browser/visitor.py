"""Somebody at a browser: what they press, type and read; every page they come to is looked at."""

import os
import re
import time
from asyncio import to_thread
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Response, expect

PHONE, DESK = (360, 740), (1366, 768)
#: Where screenshots go (`make screenshots`); nowhere when nothing is said.
SHOTS = os.environ.get("ZHIDA_SHOTS", "")
#: A picture that is read well in the docs, and is a tenth as large: the browser draws it anew.
_SMALLER = """async taken => {
  const image = new Image();
  image.src = "data:image/png;base64," + taken;
  await image.decode();
  const scale = Math.min(1, 1024 / image.width), canvas = document.createElement("canvas");
  canvas.width = image.width * scale;
  canvas.height = Math.min(image.height * scale, 1400);
  const drawing = canvas.getContext("2d");
  drawing.imageSmoothingQuality = "high";
  drawing.drawImage(image, 0, 0, canvas.width, image.height * scale);
  return canvas.toDataURL("image/webp", 0.6).split(",")[1];
}"""
_WAIT_SECONDS_MAX = 60
#: For one step of the browser, on a machine that does other things too.
_PATIENCE_MS = 15_000
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Visitor:
    """One person's browser, which remembers what went wrong in it."""

    page: Page
    address: str
    name: str
    wide: bool
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        self.page.on("response", self._answered)

    async def go(self, path: str, *, look: bool = True) -> None:
        """Open a page of the service, and look at it."""
        await self.page.goto(self.address + path)
        if look:
            await self.look()

    async def press(self, name: str, *, at: Locator | None = None) -> None:
        """Press what is called so (a button or a link), and look at where it leads."""
        await self.hit(name, at=at)
        await self.page.wait_for_load_state()
        await self.look()

    async def hit(self, name: str, *, at: Locator | None = None) -> None:
        """Press it and no more: a script sends the form and shows what came back in its own time."""
        within = at or self.page
        button = within.get_by_role("button", name=name).or_(within.get_by_role("link", name=name)).first
        await button.click()

    async def leads_to(self, path: str) -> bool:
        """Whether the page has a link to there."""
        return await self.page.locator(f'main a[href="{path}"]').count() > 0

    async def has_button(self, name: str) -> bool:
        return await self.page.get_by_role("main").get_by_role("button", name=name).count() > 0

    async def has_within(self, path: str) -> None:
        """The page comes to have a link to there."""
        deadline = time.monotonic() + _WAIT_SECONDS_MAX
        while not await self.leads_to(path):
            assert time.monotonic() < deadline, f"waited for {path}: {await self.page.locator('main').inner_text()}"
            await self.page.wait_for_timeout(500)
            await self.page.reload()

    async def follow(self, path: str) -> None:
        """Press the link that leads there, and look at what it leads to."""
        await self.page.locator(f'main a[href="{path}"]').first.click()
        await self.page.wait_for_load_state()
        await self.look()

    async def fill(self, **typed: str) -> None:
        """Type into fields and choose from lists, by their names in the form."""
        for name, value in typed.items():
            box = self.page.locator(f'main [name="{name}"]').first
            if await box.evaluate("box => box.tagName") == "SELECT":
                await box.select_option(value)
            else:
                await box.fill(value)

    async def fill_day(self, name: str, day: str) -> None:
        """The three boxes of a date."""
        await self.fill(**{f"{name}_{part}": value for part, value in zip("ymd", day.split("-"), strict=True)})

    async def sees(self, text: str) -> None:
        """The page says so."""
        await expect(self.page.locator("main")).to_contain_text(text, timeout=_PATIENCE_MS)

    async def sees_within(self, text: str, path: str | None = None) -> None:
        """The page says so after a while: what workers do takes a moment."""
        deadline = time.monotonic() + _WAIT_SECONDS_MAX
        while text not in await self.page.locator("main").inner_text():
            assert time.monotonic() < deadline, f"waited for {text}: {await self.page.locator('main').inner_text()}"
            await self.page.wait_for_timeout(500)
            await (self.page.goto(self.address + path) if path else self.page.reload())
        await self.look()

    async def sign_in(self, password: str) -> None:
        await self.go("/sign-in", look=False)
        await self.fill(login=self.name, password=password)
        await self.press("登录", at=self.page.locator("main"))

    async def look(self) -> None:
        """What holds of every page: nothing sticks out sideways, nobody is kept out, nothing went wrong in it."""
        assert not (found := await self.found()), "\n".join(found)

    async def found(self) -> list[str]:
        """All that is wrong with the page, a line for each."""
        lines = await self._reach()
        axe = await Axe().run(self.page, options={"runOnly": _TAGS, "resultTypes": ["violations"]})
        lines += [
            f"{rule['id']}: {node['html'][:300]} ({node['failureSummary']})".replace("\n", " ")
            for rule in axe.response["violations"]
            for node in rule["nodes"]
        ]
        lines += self.wrong
        self.wrong.clear()
        return [f"{self.path}: {each}" for each in lines]

    async def found_at(self, width: int) -> list[str]:
        """What sticks out of a window so wide, which is then as it was."""
        size = self.page.viewport_size
        assert size is not None
        await self.page.set_viewport_size({**size, "width": width})
        lines = await self._reach()
        await self.page.set_viewport_size(size)
        return [f"{self.path}: {each}" for each in lines]

    async def _reach(self) -> list[str]:
        reach = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return [f"reaches {reach} px out of {self.page.viewport_size}"] if reach > 0 else []

    async def shot(self, name: str, *, whole: bool = False) -> None:
        """A picture of what is seen, where pictures are asked for."""
        if SHOTS:
            taken = b64encode(await self.page.screenshot(full_page=whole)).decode()
            drawer = await self.page.context.new_page()
            smaller = b64decode(await drawer.evaluate(_SMALLER, taken))
            await to_thread(Path(SHOTS, f"{name}.webp").write_bytes, smaller)
            await drawer.close()

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.address)

    @property
    def id(self) -> str:
        """The id in the address of what is shown."""
        found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", self.path)
        assert found is not None, self.path
        return found[0]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            self.wrong.append(message.text)

    def _answered(self, answer: Response) -> None:
        if answer.status >= 500:
            self.wrong.append(f"{answer.status} from {answer.url}")


@asynccontextmanager
async def visitor(
    browser: Browser, address: str, name: str = "", *, wide: bool = True, **context: Any
) -> AsyncIterator[Visitor]:
    """Somebody with a browser of their own, at a desk or with a telephone; `name` is what they sign in with."""
    width, height = DESK if wide else PHONE
    own = await browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        has_touch=not wide,
        **context,
    )
    own.set_default_timeout(_PATIENCE_MS)
    try:
        yield Visitor(await own.new_page(), address, name, wide)
    finally:
        await own.close()
