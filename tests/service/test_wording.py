"""Every code that the code raises or stores is said in both languages, and nothing is said that nobody says."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

from domain.batch import ATTEMPT_LIFECYCLE, BATCH_LIFECYCLE, Step
from domain.claim import CLAIM_LIFECYCLE, Channel
from domain.clawback import CLAWBACK_LIFECYCLE
from domain.fund import Movement
from domain.institution import InstitutionKind, Standing
from domain.lifecycle import Lifecycle
from domain.offer import OFFER_LIFECYCLE
from domain.penalty import PENALTY_LIFECYCLE
from domain.reconciliation import FailureClass
from domain.review import REVIEW_LIFECYCLE, Measure, Voice
from domain.roster import ROSTER_LIFECYCLE
from domain.selection import APPLICATION_LIFECYCLE, ROUND_LIFECYCLE
from domain.signal import Signal
from domain.standard import SET_LIFECYCLE, Change
from domain.training import CLASS_LIFECYCLE, ClassStatus
from domain.verification import COMPARED, Outcome
from service import problems
from service.queue import Job, Sweep
from service.wording import wording, words

ROOT = Path(__file__).parents[2]

#: Calls whose first text is a code, or a name before a code's point.
_RAISERS = {
    *("Invalid", "Malformed", "Conflict", "Forbidden", "NotFound", "SignedOut", "Ineligible", "Unavailable"),
    "Throttled",
    *("Remark", "RefusedError", "passed", "warned", "needs_human", "failed", "postpone", "tell", "must_be_free"),
}
#: Calls that make codes of the noun they are given.
_NOUNS = {"trimmed": ("not_text", "empty"), "must_consist_of": ("characters",), "_digits": ("not_text", "empty")}
#: Wording that is looked up by a value at hand, not by a code in the source.
_TABLES = {"status", "channel", "list", "reason", "action", "noun", "post", "field", "http", "word", "next"}
_TABLES |= {"by", "story", "result", "registry_field"}  # a story of what the journal holds

#: What a Chinese sentence may hold in Latin letters.
_LATIN = {
    "PDF",
    "JPEG",
    "PNG",
    "CSV",
    "XLSX",
    "XLS",
    "O",
    "L",
    "S",
}  # L and S are the tags of the catalog
_PLACE = re.compile(r"\{(\w+)\}")
_BRACKETS = re.compile(r"（[^（）]*）|\([^()]*\)")


@cache
def _trees() -> dict[Path, ast.Module]:
    files = (file for root in ("domain", "service", "tasks") for file in (ROOT / root).rglob("*.py"))
    return {file: ast.parse(file.read_text("utf-8")) for file in files}


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for tree in _trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield getattr(node.func, "id", getattr(node.func, "attr", "")), node


def _texts(node: ast.AST) -> list[str]:
    return [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def _said_codes() -> dict[str, list[ast.Call | None]]:
    """Code → the calls that say it."""
    said: dict[str, list[ast.Call | None]] = defaultdict(list)
    for name, call in _calls():
        literal = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if name in _RAISERS and literal:
            code = literal[-1] if name == "postpone" else literal[0]
            said[code].append(call)
        elif name in _NOUNS and literal:
            for ending in _NOUNS[name]:
                said[f"{literal[-1]}.{ending}"].append(call if ending == "characters" else None)
    for code in (*problems._BY_CONSTRAINT.values(), *problems._BY_SQLSTATE.values()):
        said[code].append(None)
    for outcome in set(Outcome) - {Outcome.UNAVAILABLE}:
        said[f"registry.{outcome}"].append(None)
    return said


def test_the_walk_finds_the_codes_that_are_known_to_be_there() -> None:
    assert {"claim.already_filed", "id.check_digit", "id.empty", "certificate.letter_o", "claim.own", "busy"} <= set(
        _said_codes()
    )


def test_every_code_is_said_in_both_languages() -> None:
    missing = {code for code in _said_codes() if set(wording().get(code, {})) != {"zh", "en"}}
    assert not missing


def test_every_status_action_and_channel_has_a_name() -> None:
    lifecycles: tuple[Lifecycle, ...] = (  # type: ignore[type-arg]
        *(CLAIM_LIFECYCLE, ROSTER_LIFECYCLE, BATCH_LIFECYCLE, ATTEMPT_LIFECYCLE, SET_LIFECYCLE, REVIEW_LIFECYCLE),
        PENALTY_LIFECYCLE,
        *(ROUND_LIFECYCLE, APPLICATION_LIFECYCLE, CLASS_LIFECYCLE, OFFER_LIFECYCLE, CLAWBACK_LIFECYCLE),
    )
    wanted = {f"channel.{channel}" for channel in Channel} | {f"change.{change}" for change in Change}
    wanted |= {f"institution_kind.{kind}" for kind in InstitutionKind} | {f"standing.{each}" for each in Standing}
    wanted |= {f"class_status.{status}" for status in ClassStatus}
    wanted |= {f"movement.{movement}" for movement in Movement} | {f"signature.{step}" for step in Step}
    wanted |= {f"measure.{measure}" for measure in Measure} | {f"voice.{voice}" for voice in Voice}
    wanted |= {f"{said}.{signal}" for signal in Signal for said in ("signal", "signal_name")}
    for life in lifecycles:
        wanted |= {f"noun.{life.noun}", f"status.{life.first}"}
        wanted |= {f"status.{after}" for after in life.moves.values()} | {f"action.{done}" for _, done in life.moves}
    assert wanted <= set(wording())


def test_every_step_of_a_claim_can_be_told() -> None:
    lifecycles: tuple[Lifecycle, ...] = (CLAIM_LIFECYCLE, BATCH_LIFECYCLE, ATTEMPT_LIFECYCLE)  # type: ignore[type-arg]
    wanted = {f"story.{life.noun}.{action}" for life in lifecycles for _, action in life.moves}
    wanted |= {f"by.{job}" for job in Job} | {f"registry_field.{name}" for name in COMPARED}
    wanted |= {f"result.{code}" for code in ("done", "returned", "unknown")}
    wanted |= {f"result.failed:{each}" for each in FailureClass}
    assert wanted <= set(wording())


def test_every_act_that_the_journal_is_told_of_can_be_read_there() -> None:
    """What is recorded under a name that stands in the source: its kind, and what was done."""
    told = set[tuple[str, str]]()
    for name, call in _calls():
        place = [arg.value if isinstance(arg, ast.Constant) else None for arg in call.args[1:4]]
        if name == "record" and len(place) == 3 and place[0]:
            told.add((str(place[0]), str(place[2] or "")))
    assert len(told) > 80
    kinds = {f"noun.{kind}" for kind, _ in told}
    untold = {
        each for each in told if each[1] and not {f"story.{'.'.join(each)}", f"action.{each[1]}"} & wording().keys()
    }
    assert (kinds - wording().keys(), untold) == (set(), set())
    sweeps = re.findall(r"By\(str\(Sweep\.(\w+)\)", "".join(map(ast.unparse, _trees().values())))
    assert len(sweeps) > 5
    assert {f"by.{Sweep[name]}" for name in sweeps} <= wording().keys()
    assert {f"story.registers_{step}" for step in ("assemble", "submit", "send")} <= wording().keys()


def test_every_refusal_and_warning_of_a_rule_says_what_to_do_next() -> None:
    """And nothing else has a next step: what passed needs none."""
    domain = ROOT / "domain"
    rules = [file for file in _trees() if file.is_relative_to(domain / "eligibility")]
    remarks = [domain / name for name in ("account.py", "certificate.py", "identity.py")]
    said = {
        node.args[0].value
        for file in (*rules, *remarks)
        for node in ast.walk(_trees()[file])
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in {"failed", "needs_human", "warned", "Remark"}
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert len(said) > 30
    assert {code.removeprefix("next.") for code in wording() if code.startswith("next.")} == said


def test_nothing_is_said_that_nobody_says() -> None:
    constants: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for tree in _trees().values():
        constants.update(_texts(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
                fixed = "".join(str(part) for part in parts if part is not None)
                if "." in fixed and re.search("[a-z]", fixed):
                    patterns.append(
                        re.compile("".join("[a-z_0-9]+" if p is None else re.escape(str(p)) for p in parts))
                    )
    pages = "".join(file.read_text("utf-8") for file in (ROOT / "service").rglob("*.html"))
    unsaid = {
        code
        for code in wording()
        if code.partition(".")[0] not in _TABLES
        and code not in constants
        and not any(pattern.fullmatch(code) for pattern in patterns)
        and f'"{code}"' not in pages
        and f"'{code}'" not in pages
    }
    assert not unsaid


def test_places_are_facts_that_are_given() -> None:
    """Where a code's every call names its facts, each place outside brackets is one of them."""
    wrong = {}
    for code, calls in _said_codes().items():
        given = [_given(call) for call in calls if call is not None]
        if not given or None in given or "{" not in wording()[code]["zh"]:
            continue
        for language, sentence in wording()[code].items():
            places = set(_PLACE.findall(sentence))
            bare = {place for facts in given for place in places - (facts or set())}
            if bare:
                wrong[code, language] = bare
    assert not wrong


def _given(call: ast.Call) -> set[str] | None:
    """The names of a call's facts; None where they cannot be read off."""
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    if getattr(call.func, "id", "") == "must_consist_of":
        return {"place"}
    if getattr(call.func, "id", "") == "Ineligible":
        return {"reasons"}  # problems.py says what failed
    names = {keyword.arg for keyword in call.keywords if keyword.arg is not None}
    for arg in call.args[1:]:
        if isinstance(arg, ast.Dict):
            names |= set(_texts(ast.List([key for key in arg.keys if key is not None])))
        elif isinstance(arg, ast.Name) and arg.id == "facts":
            return None
    return names | {name.removesuffix("_fen") for name in names}


def test_the_voice() -> None:
    """Chinese without foreign words, shouting or blame; the same facts in both languages."""
    faults = {code: found for code, said in wording().items() if (found := list(_faults(said)))}
    assert not faults


def _faults(said: dict[str, str]) -> Iterator[str]:
    if set(said) != {"zh", "en"}:
        yield "languages"
        return
    chinese, english = (_PLACE.sub("", said[language]) for language in ("zh", "en"))
    if not re.search("[\u4e00-\u9fff]", chinese) or set(re.findall("[A-Za-z]+", chinese)) - _LATIN:
        yield "not Chinese"
    if re.search("[\u4e00-\u9fff]", english):
        yield "not English"
    if re.search("[!！您]|系统异常|操作失败|不能为空", chinese + english):
        yield "tone"
    if set(_PLACE.findall(said["zh"])) != set(_PLACE.findall(said["en"])):
        yield "facts"


def test_a_payment_has_one_number_by_one_name() -> None:
    """付款号, on pages, in files and in what the audit finds: a second word would look like a second number."""
    said = [ROOT / "service" / "wording.toml", *(ROOT / "service").rglob("*.py"), *(ROOT / "service").rglob("*.html")]
    texts = {file: file.read_text("utf-8") for file in said}
    assert sum("付款号" in text for text in texts.values()) > 5
    assert not [file.name for file, text in texts.items() if re.search("参考号|支付号|支付编号|付款编号", text)]


def test_facts_are_said_in_words() -> None:
    earlier = {"channel": "channel.institution", "status": "status.filed", "filed_on": "2026-03-02"}
    assert "（2026年3月2日，机构代领，已提交）" in words("claim.already_filed", earlier)
    assert "1,200 元" in words("standard.in_force", {"day": date(2026, 3, 2), "amount_fen": 120_000})
    assert "经办、复核" in words("post_missing", {"posts": ["maker", "checker"]})
    assert "maker, checker" in words("post_missing", {"posts": ["maker", "checker"]}, "en")
    refused = words("wrong_status", {"noun": "claim", "status": "paid", "action": "withdraw"})
    assert refused == "这笔申领现在是“已到账”，不能撤回。请刷新后再看。"


def test_brackets_go_when_their_facts_are_not_there_and_braces_in_facts_are_inert() -> None:
    assert words("claim.already_filed") == "同一职业同一等级已经申领过。如果不是你，请拨 12333。"
    assert "{status}" in words("wrong_status", {"noun": "claim", "action": "withdraw"})
    told = words("statistics.unknown_by", {"by": "{known}{0.__class__}", "known": ["month"]})
    assert told == "不能按“{known}{0.__class__}”统计。可以按 month 统计。"
    assert words("no.such_code", {"a": 1}) == "no.such_code"
