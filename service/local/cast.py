"""The demo's people: sample trainees, clerks, officers and finance staff, each with the same password."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from domain.actor import Post
from domain.identity import CreditCode, NationalId, PersonName, Phone
from service.access.commands import hash_password, is_empty, make_user
from service.database import Tx
from service.institutions.commands import list_institution
from service.local.made_up import Maker
from service.people.commands import NewPerson, ensure_person

PASSWORD = "zhida-demo"  # noqa: S105 (sample people on loopback, made by --demo alone)
_SEED = 28
DISTRICTS = {"370102": "历下", "370112": "历城"}

_DISTRICT_STAFF = {
    "reviewer": Post.REVIEWER,
    "publisher": Post.NOTICE_PUBLISHER,
    "maker": Post.MAKER,
    "checker": Post.CHECKER,
    "releaser": Post.RELEASER,
}
_CITY_STAFF = {
    "auditor": Post.AUDITOR,
    "operator": Post.OPERATOR,
    "catalog-editor": Post.CATALOG_EDITOR,
    "catalog-publisher": Post.CATALOG_PUBLISHER,
}


async def make_cast(tx: Tx, today: date) -> list[str]:
    """Make the cast unless somebody is there already; the lines that say how to sign in."""
    if await is_empty(tx):
        await _make(tx, today)
    return [
        f"演示人物（示例，密码都是 {PASSWORD}）：",
        "  申领人 xuehua、dachuan；机构经办 clerk-a、clerk-b；审计 auditor；运维 operator",
        *(
            f"  {name}区：审核 reviewer-{code}，公示 publisher-{code}，"
            f"经办 maker-{code}，复核 checker-{code}，拨付 releaser-{code}"
            for code, name in DISTRICTS.items()
        ),
    ]


async def _make(tx: Tx, today: date) -> None:
    maker, password_hash = Maker(_SEED), await hash_password(PASSWORD)

    async def user(login: str, posts: Collection[Post], district: str | None = None, at: UUID | None = None) -> None:
        made = maker.person()
        person = NewPerson(
            PersonName.parse(made.name), NationalId.parse(made.id_number, today=today), Phone.parse(made.phone)
        )
        person_id = await ensure_person(tx, person)
        await make_user(tx, login, password_hash, person_id, posts, district, at)

    await user("xuehua", {Post.TRAINEE})
    await user("dachuan", {Post.TRAINEE})
    for letter, code in zip("ab", DISTRICTS, strict=True):
        institution = await list_institution(
            tx,
            CreditCode.parse(maker.credit_code()),
            f"示例培训学校{letter.upper()}（{DISTRICTS[code]}）",
            code,
            date(2023, 1, 1),
            "示例",
            sample=True,
        )
        await user(f"clerk-{letter}", {Post.CLERK}, code, institution)
    for code in DISTRICTS:
        for name, post in _DISTRICT_STAFF.items():
            await user(f"{name}-{code}", {post}, code)
    for name, post in _CITY_STAFF.items():
        await user(name, {post})
