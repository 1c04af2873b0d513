"""A form that is sent where the network cannot be relied on: what does not arrive stays as it was typed, and what is
pressed again goes once."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from service.pages.rendering import HERE

SCRIPT = (HERE / "static" / "zhida.js").read_bytes()
FORM = """<!doctype html><html lang="zh-CN"><title>巡查</title><script defer src="/zhida.js"></script><main>{said}
<form method="post" action="/send" enctype="multipart/form-data" data-upload="没有发出去。" novalidate>
<input name="note" value="{note}"><input type="radio" name="q" value="fits">
<input type="file" name="photos" data-max="1000" multiple><progress hidden></progress><span role="status"></span>
<button>提交结果</button><button name="act" value="aside">先存下</button></form></main></html>"""
PHOTO = {"name": "照片.jpg", "mimeType": "image/jpeg", "buffer": b"a photo"}


@dataclass
class Service:
    """What it was sent, and the statuses that it answers with, one after the other; then 303."""

    address: str = ""
    answers: list[int] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)


@contextmanager
def _serving() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_script = self.path == "/zhida.js"
            body = SCRIPT if is_script else FORM.format(said=f"<p>{self.path}</p>", note="").encode()
            self._answer(200, "text/javascript" if is_script else "text/html; charset=utf-8", body)

        def do_POST(self) -> None:
            service.sent.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status = service.answers.pop(0) if service.answers else 303
            time.sleep(0.3)  # long enough to be pressed again
            page = FORM.format(said="<h1>有 1 处要改</h1>", note="从服务器来")
            self._answer(status, "text/html; charset=utf-8", page.encode())

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if status == 303:
                self.send_header("Location", "/done")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any, **__: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield service
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    with _serving() as running:
        yield running


async def _filled_in(page: Page, service: Service) -> None:
    await page.goto(f"{service.address}/patrol")
    await page.locator('[name="note"]').fill("后排空着")
    await page.locator('[name="q"]').check()
    await page.locator('[name="photos"]').set_input_files([PHOTO])  # type: ignore[list-item]


async def _still_there(page: Page, said: str) -> None:
    await expect(page.locator("[role=status]")).to_have_text(said)
    await expect(page.locator('[name="note"]')).to_have_value("后排空着")
    await expect(page.locator('[name="q"]')).to_be_checked()
    assert await page.locator('[name="photos"]').evaluate("box => box.files.length") == 1
    await expect(page.get_by_role("button", name="提交结果")).not_to_have_attribute("aria-disabled", "true")


async def test_what_does_not_arrive_stays_and_goes_once(browser: Browser, service: Service) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await _filled_in(page, service)
    submit = page.get_by_role("button", name="提交结果")
    await context.set_offline(True)
    await submit.click()
    await _still_there(page, "没有发出去。")
    assert service.sent == []
    await context.set_offline(False)
    service.answers = [502, 413]
    for said in ("没有发出去。", "一次传的太大了。少选一些，再传一次。"):
        await submit.click()
        await _still_there(page, said)
    assert len(service.sent) == 2
    await submit.dblclick()
    await expect(page.locator("p")).to_have_text("/done")
    assert len(service.sent) == 3  # pressed twice, sent once
    assert all("后排空着" in each and "a photo" in each and "aside" not in each for each in service.sent)
    await context.close()


async def test_what_is_put_aside_says_so_and_a_refusal_is_the_page_itself(browser: Browser, service: Service) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await _filled_in(page, service)
    service.answers = [422]
    await page.get_by_role("button", name="先存下").click()
    await expect(page.locator("h1")).to_have_text("有 1 处要改")
    await expect(page.locator('[name="note"]')).to_have_value("从服务器来")
    assert 'name="act"' in service.sent[0]
    assert "aside" in service.sent[0]
    await page.get_by_role("button", name="提交结果").click()  # the page that came works as the one before
    await expect(page.locator("p")).to_have_text("/done")
    await context.close()


async def test_files_that_are_too_large_together_are_said_before_anything_is_sent(
    browser: Browser, service: Service
) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await _filled_in(page, service)
    box, valid = page.locator('[name="photos"]'), "box => box.validity.valid"
    few, many, second = [(7, 7), (900,) * 5, (7, 1001)]
    for sizes, fits in ((few, True), (many, False), (second, False)):
        files = [{**PHOTO, "name": f"{n}.jpg", "buffer": b"x" * size} for n, size in enumerate(sizes)]
        await box.set_input_files(files)  # type: ignore[arg-type]
        assert await box.evaluate(valid) is fits, sizes
    await page.get_by_role("button", name="提交结果").click()
    await expect(page.locator("p")).to_have_text("/patrol")
    assert service.sent == []  # nor is it sent all the same
    await context.close()
