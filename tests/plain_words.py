"""Whether a page can be read by who knows Chinese alone: no Latin word in it, and no code of ours."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from service.pages.demo_cast import CAST, PASSWORD

#: What is shown or read aloud besides the text.
_SAID_BY = {"title", "aria-label", "aria-description", "aria-valuetext", "placeholder", "alt", "data-h"}
#: Elements that have no end: what is marked in one is itself.
_VOID = {"meta", "link", "input", "br"}
#: Inputs of which nobody sees the value.
_UNSEEN = {"hidden", "radio", "checkbox", "password", "file"}
#: What the API takes and answers, in the names that programs send: for who writes them.
FOR_PROGRAMMERS = "/schema"
_CAST = "|".join(re.escape(login) for part in CAST for login in part.logins)

#: Form → why who knows no English understands it. Whatever else has a Latin letter is foreign.
ALLOWED = {
    r"\b(?:CSV|XLSX?|PDF|JPEG|PNG)\b": "kinds of files, named so by every office program",
    r"(?<=\d )(?:KB|MB)\b": "how large a file is",
    r"\bA4\b": "paper",
    r"(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9])": "one letter: tags L and S as published, grades A to C, keys, 示例学校A",
    r"[^\s“”：，]+\.(?:csv|xlsx?|pdf|jpe?g|png|txt|xml)\b": "the name of a file that somebody chose",
    r"\b[0-9a-f]{64}\b": "a fingerprint, of which every character is compared",
    r"\b9[1-3]\d{6}[0-9A-Z]{10}\b": "a unified social credit code",
    r"(?<=[\d*])X\b": "the last character of an ID number",
    r"\b[A-Z]\d{13,21}X?\b": "the number of a certificate",
    r"\bKB\d{6}-\d{4}-\d{4}\b": "the number of a class",
    r"\bJN\d{8}-\d{6}\b|\bJN\d{20}\b": "the number of a batch, of a payment",
    r"\b(?:ZC|TS|YY)\d{10}\b": "the number of what is owed back, of a complaint, of an objection",
    r"\bV-(?=JN\d{8}-\d{6}\b)": "the number of a voucher, as the journeys type it",
    r"https?://[\w.:/-]+": "the address of these pages, in an announcement",
    r"“ylhly”": "pinyin initials as one types them, an example",
    rf"(?<![\w-])(?:{_CAST}|{re.escape(PASSWORD)})(?![\w-])": "how the sample people sign in",
}
_ALLOWED = re.compile("|".join(f"(?:{form})" for form in ALLOWED))
_WORD = re.compile(r"[\w./@:+-]*[A-Za-z][\w./@:+-]*", re.ASCII)
_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
_CODE = re.compile(
    r"\b[a-z0-9]+_[a-z0-9_]+\b"
    r"|(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}"
    r"|\b(?:None|True|False|null|undefined)\b"
)


class _Seen(HTMLParser):
    """Every text of a page, and what stands for a text; what is marked `but` is left out."""

    def __init__(self, source: str, but: tuple[str, str]) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._but = but
        self._left_out: list[str] = []  # the element, and those of its name within it
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        marked = self._but in attrs
        if tag not in _VOID and (
            tag in self._left_out[:1] or (not self._left_out and (tag in {"script", "style"} or marked))
        ):
            self._left_out.append(tag)
        if not self._left_out and not marked:
            self.texts += [value for name, value in attrs if name in _SAID_BY and value]
            has = dict(attrs)
            if tag == "input" and has.get("type") not in _UNSEEN:
                self.texts.append(has.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._left_out[:1]:
            self._left_out.pop()

    def handle_data(self, data: str) -> None:
        if not self._left_out:
            self.texts.append(" ".join(data.split()))


def foreign_in(source: str) -> list[str]:
    """The Latin words and codes that somebody sees or hears on a page, each within its text."""
    return list(_found(_WORD, source))


def codes_in(source: str) -> list[str]:
    """Codes of ours alone: for pages on which a test types what nobody would."""
    return list(_found(_CODE, source))


def chinese_in(source: str) -> list[str]:
    """What is said in Chinese on an English page, but for what is marked as Chinese: names, and somebody's words."""
    texts = dict.fromkeys(_Seen(source, ("lang", "zh-CN")).texts)
    return [text for text in texts if _CHINESE.search(text)]


def _found(wanted: re.Pattern[str], source: str) -> Iterator[str]:
    """A key or a program's own report is to be copied and not read: `translate="no"`."""
    for text in dict.fromkeys(_Seen(source, ("translate", "no")).texts):
        for found in wanted.finditer(_ALLOWED.sub(" ", text)):
            yield f"“{found[0]}” in “{text[:200]}”"
