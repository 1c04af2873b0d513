"""HTML from templates: one environment, one way to answer, the same headers on every page."""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import jinja2
from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.utils.scope.state import ScopeState
from markupsafe import Markup, escape

from domain.money import Fen, fen_display, formal_yuan
from service import clock
from service.pages import homes, names
from service.pages.language import as_written, capital, gettext, other_address, with_names, written_in
from service.settings import settings
from service.wording import amount_said, spoken, wording, words

HERE = Path(__file__).parent

#: No inline script or style, nothing from elsewhere: what is not named here a browser refuses.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
)
#: Where a request has what its user typed on this page when their session ended.
KEPT = "kept_form"
#: The cookie by which somebody reads every page in larger letters, and what it then holds.
TEXT, BIG = "zhida_text", "big"
#: A page, or a form with what is wrong in it; no page is there to come back to otherwise.
_COME_BACK_TO = frozenset({200, 422})
#: What a field is called where it stands; of several boxes or choices, what they are called together.
_LABEL = r'(?:<label for="{0}"[^>]*>|<legend id="{0}"[^>]*>|<fieldset[^>]* id="{0}"[^>]*><legend[^>]*>)([^<]+)'
#: The keys of policy parameters that a rule names.
_PARAMETERS = re.compile(r"(?<=政策参数) [a-z_]+(?:、[a-z_]+)*")
_MEDIA_TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"}


@dataclass(frozen=True)
class Asset:
    """A file that browsers keep for ever: its address changes with its bytes."""

    content: bytes
    media_type: str
    digest: str

    @classmethod
    def of(cls, file: Path) -> "Asset":
        content = file.read_bytes()
        return cls(content, _MEDIA_TYPES[file.suffix], hashlib.sha256(content).hexdigest()[:8])


@cache
def assets() -> Mapping[str, Asset]:
    """Every file under `static/`, by its address."""
    files = {file.name: Asset.of(file) for file in sorted((HERE / "static").iterdir())}
    return {f"/static/{asset.digest}/{name}": asset for name, asset in files.items()}


def _address_of(name: str) -> str:
    return next(address for address in assets() if address.endswith(f"/{name}"))


def stored(address: str) -> Response[bytes]:
    """The file at its address, to be kept for ever. NotFoundException where there is none (any more)."""
    if address not in assets():
        raise NotFoundException
    asset, kept = assets()[address], {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(asset.content, headers={**HEADERS, **kept}, media_type=asset.media_type)


def page(
    request: Request[Any, Any, Any],
    template: str,
    today: date,
    *,
    status: int = 200,
    sample: bool = False,
    **given: Any,
) -> Response[bytes]:
    """A whole page that anybody may see, with an ETag; 304 without a body when the browser has it already.

    `today` is the business day, which the band of the demo says; `sample`: amounts on it are sample standards.
    A page that says why there is no page is never kept.
    """
    here = _address(request) if status in _COME_BACK_TO else "/"
    body = _rendered(request, template, today, sample=sample, status=status, **{"here": here, **given})
    if status != 200:
        return _html(body, status, {"Cache-Control": "no-store"})
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    kept = {"ETag": tag, "Cache-Control": "no-cache"}
    return _html(b"", 304, kept) if _has(request, tag) else _html(body, 200, kept)


def private(
    request: Request[Any, Any, Any], template: str, today: date, *, status: int = 200, **given: Any
) -> Response[bytes]:
    """A page for whoever asks, kept by nobody on the way: with a form's token, and what the last step has done.

    `faults`: (field, message) of a form that was not taken. What was typed here when a session ended stands in
    `typed` again, until it is sent.
    """
    if kept := request.scope["state"].get(KEPT):
        given = {**given, "typed": {**(given.get("typed") or {}), **kept}}
    frame = {"csrf": lambda: _hidden_token(request), "signed_in": request.user is not None, "told": _told(request)}
    frame["desks"] = homes.desks_of(request.user) if request.user else []
    body = _rendered(
        request, template, today, **{"back": "", "back_text": gettext("返回"), "status": status, **frame, **given}
    )
    return _html(_naming_fields(body, given.get("faults") or ()), status, {"Cache-Control": "no-store"})


def _naming_fields(body: bytes, faults: Collection[tuple[str, str]]) -> bytes:
    """The page whose summary of faults says before each, by its label, which field it is about, where the fault does
    not say so itself. The summary stands before the fields, so that only the whole page knows their labels."""
    page = body.decode() if faults else ""
    for field, said in faults:
        found = re.search(_LABEL.format(re.escape(escape(field))), page)
        label = re.split(r"（| \(", found[1])[0].rstrip("？?").strip() if found else ""
        if label and label.lower() not in escape(said).lower():
            before, link = f'<a href="#{escape(field)}">', f"{escape(with_names(said))}</a>"
            page = page.replace(before + link, f"{before}{label}{gettext('：')}{link}", 1)
    return page.encode() if faults else body


def _rendered(request: Request[Any, Any, Any], template: str, today: date, **given: Any) -> bytes:
    """The page in the frame that all share."""
    frame = {"demo": settings().demo, "today": today, "offset_days": clock.offset().days, "sample": False}
    frame |= {"big": request.cookies.get(TEXT) == BIG, "here": _address(request)}
    frame |= {"english": spoken.get() == "en", "other_address": other_address(request)}
    return _environment().get_template(template).render(**{**frame, "faults": [], **given}).encode()


def _address(request: Request[Any, Any, Any]) -> str:
    """Where this page stands, to come back to; it fits into an address as it is."""
    query = request.url.query if request.method == "GET" else ""
    return quote(f"{request.url.path}?{query}" if query else request.url.path, safe="/", errors="replace")


def _hidden_token(request: Request[Any, Any, Any]) -> Markup:
    token = ScopeState.from_scope(request.scope).csrf_token
    return Markup('<input type="hidden" name="_csrf_token" value="{}">').format(token)


def _told(request: Request[Any, Any, Any]) -> str:
    """What the step before has done, by a code of `told.…` in the address; anything else says nothing, nor does it
    of a form that was kept where none was."""
    code = f"told.{request.query_params.get('told', '')}"
    return words(code) if code in wording() and (code != "told.kept" or KEPT in request.scope["state"]) else ""


def part(template: str, **given: Any) -> Markup:
    """A part of a page that does not change from day to day, to be kept and given to pages as it is."""
    return _environment().get_template(template).make_module(given).__html__()


def _html(body: bytes, status: int, headers: Mapping[str, str]) -> Response[bytes]:
    return Response(body, status_code=status, headers={**HEADERS, **headers}, media_type="text/html")


def _has(request: Request[Any, Any, Any], tag: str) -> bool:
    """Whether the browser keeps this page; a proxy that compresses calls the tag weak."""
    known = request.headers.get("if-none-match", "").split(",")
    return tag in {each.strip().removeprefix("W/") for each in known}


@cache
def _environment() -> jinja2.Environment:
    """Templates with autoescape; each knows the macros of `parts.html`, and those of `charts.html` as `charts`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.filters.update(yuan_bare=_yuan_bare, grouped=_grouped)
    environment.filters.update(marked=_marked, clock=_clock, minute=_minute, cited=_cited)
    environment.filters.update(yuan_cents=fen_display, yuan_formal=formal_yuan)
    said: dict[str, Callable[..., Any]] = {
        **names.FILTERS,
        "words": words,
        "moment": _moment,
        "post": _post,
        "as_written": as_written,
    }
    said |= {"capital": capital, "with_names": with_names, "in_yuan": amount_said}
    environment.filters.update({name: _asked_each_time(each) for name, each in said.items()})
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, lambda one, many, count: gettext(one if count == 1 else many), newstyle=True
    )
    environment.globals["written_in"] = written_in
    environment.globals["asset"] = _address_of
    environment.globals["comma"] = names.comma
    environment.globals["charts"] = environment.get_template("components/charts.html").module
    parts = environment.get_template("components/parts.html").module
    environment.globals.update({name: each for name, each in vars(parts).items() if not name.startswith("_")})
    return environment


def _asked_each_time(said: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose answer depends on the language of the page. Of a text that stands in a template Jinja asks any
    other once for all, in the language of whoever reads it first."""

    @jinja2.pass_context
    def asked(_: object, *given: Any, **named: Any) -> Any:
        return said(*given, **named)

    return asked


def _yuan_bare(fen: Fen) -> str:
    """1,800: under a head that says 元."""
    return fen_display(fen).removesuffix(".00")


def _grouped(count: int) -> str:
    return f"{count:,}"


def _minute(at: datetime) -> Markup:
    """2026-11-24 16:30 in Shanghai, readable for machines too."""
    here = at.astimezone(clock.SHANGHAI)
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M}</time>').format(here.isoformat(timespec="seconds"), here)


def _cited(basis: str) -> str:
    """Where a rule comes from, with the parameters it names called as people call them."""
    return _PARAMETERS.sub(lambda found: "、".join(map(_parameter, found[0].strip().split("、"))), basis)


def _parameter(key: str) -> str:
    return f"“{words(f'policy_name.{key}')}”"


def _post(name: str) -> str:
    """The post, or the job, in which something was done."""
    found = (code for code in (f"post.{name}", f"by.{name}") if code in wording())
    return words(next(found, name))


def _moment(at: datetime) -> Markup:
    """11月24日 09:12, or 24 November 09:12; by the clocks here."""
    here = at.astimezone(clock.SHANGHAI)
    day = f"{here.day} {here:%B}" if spoken.get() == "en" else f"{here.month}月{here.day}日"
    told = f"{day} {here:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(here.isoformat(timespec="minutes"), told)


def _clock(at: datetime) -> Markup:
    """09:12, of today, by the clocks here."""
    here = at.astimezone(clock.SHANGHAI)
    return Markup('<time datetime="{}">{:%H:%M}</time>').format(here.isoformat(timespec="minutes"), here)


def _marked(text: str, sought: str) -> Markup:
    """`text`, escaped, with every place of `sought` marked."""
    if not sought:
        return escape(text)
    return Markup("<mark>{}</mark>").format(sought).join(text.split(sought))
