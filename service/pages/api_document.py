"""The OpenAPI document as people read it: operations in groups, who may ask, what each takes and how it answers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.wording import words

Json = Mapping[str, Any]

_KEY = "Idempotency-Key"
_PLACES = {"path": "路径参数", "query": "查询参数", "header": "请求头"}

#: What the operations below /api/<part> are about, in the order of a claim's life; parts may share a heading.
HEADINGS = {
    "sign-in": "登录",
    "sign-up": "登录",
    "sign-out": "登录",
    "catalog": "目录和补贴标准",
    "standards": "目录和补贴标准",
    "policies": "政策参数和人群",
    "groups": "政策参数和人群",
    "registers": "名册",
    "classes": "开班和实地检查",
    "inspections": "开班和实地检查",
    "attendance": "考勤和巡查",
    "patrols": "考勤和巡查",
    "assessments": "评价结果",
    "affiliations": "评价结果",
    "mandates": "代领协议",
    "contracts": "企业劳动合同",
    "projects": "项目制培训",
    "institutions": "机构和遴选",
    "selections": "机构和遴选",
    "me": "回避",
    "work": "审核任务",
    "claims": "申领",
    "offers": "申领",
    "verification": "核实证书",
    "messages": "申领",
    "rosters": "花名册",
    "notices": "公示",
    "notice-objections": "公示",
    "holds": "冻结",
    "objections": "异议",
    "appeals": "复核",
    "manual-checks": "人工核验证书",
    "amount-appeals": "复核",
    "clawback-appeals": "复核",
    "credit": "机构监管",
    "penalties": "机构监管",
    "evaluations": "机构监管",
    "complaints": "机构监管",
    "signals": "机构监管",
    "funds": "资金",
    "batches": "批次",
    "returns": "回盘和差异",
    "exceptions": "回盘和差异",
    "statements": "对账单和日终",
    "statement-lines": "对账单和日终",
    "closes": "对账单和日终",
    "clawbacks": "追回",
    "amount-corrections": "追回",
    "account-checks": "申领",
    "attempts": "回盘和差异",
    "statistics": "统计",
    "jobs": "后台任务",
    "operations": "后台任务",
    "audit": "后台任务",
    "step-up": "批次",
    "today": "服务和日期",
    "demo": "服务和日期",
    "health": "服务和日期",
}


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of a body: `account.number` stands inside `account`, `lines[].amount` in each line."""

    name: str
    type: str
    required: bool
    limits: str
    place: str = ""


@dataclass(frozen=True)
class Content:
    """What a request or an answer carries; where there are several media types, each carries the same."""

    media_type: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Operation:
    """One method of one path, as `described` by the document."""

    method: str
    path: str
    described: Json
    parameters: tuple[Field, ...]
    body: Content | None
    answers: Mapping[str, Content | None]

    @property
    def anchor(self) -> str:
        return str(self.described["operationId"])

    @property
    def summary(self) -> str:
        return str(self.described["description"]).partition("\n")[0]

    @property
    def more(self) -> str:
        """What the description says after its first line."""
        return str(self.described["description"]).partition("\n")[2].strip()

    @property
    def public(self) -> bool:
        return "security" not in self.described

    @property
    def who(self) -> str:
        """Whoever holds one of these posts, whoever is signed in, or anybody."""
        if self.public:
            return "任何人"
        posts = [post for way in self.described["security"] for each in way.values() for post in each]
        return "、".join(words(f"post.{post}") for post in posts) or "登录的人"

    @property
    def wants_key(self) -> bool:
        return any(each.name == _KEY for each in self.parameters)

    @property
    def refusals(self) -> list[str]:
        return sorted(status for status in self.described["responses"] if status >= "400")


@dataclass(frozen=True)
class Group:
    """Operations on one subject."""

    anchor: str
    heading: str
    operations: tuple[Operation, ...]


def groups_of(document: Json) -> list[Group]:
    """Every operation, under the heading of its path; what has no heading stands last, under its path's own part."""
    gathered: dict[str, list[Operation]] = {heading: [] for heading in HEADINGS.values()}
    for operation in _operations(document):
        part = part_of(operation.path)
        gathered.setdefault(HEADINGS.get(part, part), []).append(operation)
    return [
        Group(part_of(operations[0].path), heading, tuple(operations))
        for heading, operations in gathered.items()
        if operations
    ]


def refusals_of(groups: Iterable[Group]) -> dict[str, str]:
    """Every status that refuses, and what people are told with it when nothing closer is known."""
    found = {status for group in groups for operation in group.operations for status in operation.refusals}
    return {status: words(f"http.{status}") for status in sorted(found)}


def part_of(path: str) -> str:
    """The first part of a path that says what it is about: `claims` of /api/claims/{claim_id}."""
    return path.removeprefix("/api").split("/")[1]


def _operations(document: Json) -> Iterator[Operation]:
    reader = _Reader(document["components"]["schemas"])
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            yield Operation(
                method=method.upper(),
                path=path,
                described=described,
                parameters=tuple(reader.parameter(each) for each in described.get("parameters", ())),
                body=reader.content(described.get("requestBody", {})),
                answers={
                    status: reader.content(answer)
                    for status, answer in sorted(described["responses"].items())
                    if status < "400"
                },
            )


@dataclass(frozen=True)
class _Reader:
    """Reads JSON schemas that name each other: `schemas` by name."""

    schemas: Json

    def parameter(self, told: Json) -> Field:
        """A parameter; Litestar says of a header or a query whether one may leave it out."""
        schema, place = told["schema"], _PLACES[told["in"]]
        return Field(told["name"], self._type(schema), bool(told.get("required")), self._limits(schema), place)

    def content(self, told: Json) -> Content | None:
        """None where nothing is carried."""
        carried = told.get("content", {})
        if not carried:
            return None
        return Content(" | ".join(carried), tuple(self._fields(next(iter(carried.values()))["schema"])))

    def _fields(self, schema: Json, at: str = "", inside: tuple[str, ...] = ()) -> Iterator[Field]:
        """Fields with the fields inside them; a struct that holds itself is told once."""
        for each in self._alternatives(schema):
            if "items" in each:
                yield from self._fields(each["items"], f"{at.removesuffix('.')}[].", inside)
            if (title := each.get("title", "")) in inside:
                continue
            for name, inner in each.get("properties", {}).items():
                required = name in each.get("required", ())
                yield Field(f"{at}{name}", self._type(inner), required, self._limits(inner))
                yield from self._fields(inner, f"{at}{name}.", (*inside, title))

    def _type(self, schema: Json) -> str:
        types = dict.fromkeys(self._type_of_one(each) for each in self._alternatives(schema))
        return " | ".join([*types, *(["null"] if {"type": "null"} in schema.get("oneOf", ()) else [])])

    def _type_of_one(self, schema: Json) -> str:
        if "items" in schema:
            return f"{self._type(schema['items'])}[]"
        if "enum" in schema:
            return " | ".join(map(str, schema["enum"]))
        name = str(schema.get("type", "any"))
        return f"{name} ({schema['format']})" if "format" in schema else name

    def _limits(self, schema: Json) -> str:
        """What a value must keep to, and what stands for one that is left out."""
        found = {name: value for each in self._alternatives(schema) for name, value in each.items()}
        said = {
            "maxLength": "最长 {}",
            "minimum": "最小 {:g}",
            "maximum": "最大 {:g}",
            "pattern": "形如 {}",
            "default": "不填为 {}",
        }
        return "，".join(text.format(found[name]) for name, text in said.items() if found.get(name) not in (None, ""))

    def _alternatives(self, schema: Json) -> list[Json]:
        """What a value may be besides null, each with what is said of all of them beside."""
        beside = {name: value for name, value in schema.items() if name not in {"oneOf", "$ref"}}
        if "oneOf" in schema:
            ways = [way for each in schema["oneOf"] for way in self._alternatives(each) if each != {"type": "null"}]
            return [{**way, **beside} for way in ways]
        if "$ref" in schema:
            return self._alternatives({**self.schemas[schema["$ref"].rpartition("/")[2]], **beside})
        return [schema]
