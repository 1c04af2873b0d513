"""The demo's people: sample trainees, clerks, officers and finance staff, each with the same password."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor, Post
from domain.identity import CreditCode, NationalId, PersonName, Phone
from domain.institution import InstitutionKind
from domain.step_up import Decision
from service.access.commands import give_sample_factors, hash_password, is_empty, make_user, sample_proof
from service.access.schemas import NamedSignature
from service.database import Tx
from service.funds.commands import confirm_appropriation, propose_appropriation
from service.funds.schemas import NewAppropriation
from service.institutions.commands import list_institution
from service.institutions.commands.accounts import confirm_account, propose_account
from service.institutions.commands.standing import add_institution
from service.institutions.schemas import NewInstitutionAccount
from service.local.made_up import Maker
from service.local.sample_codes import SampleCodes, sample_secret
from service.people.commands import NewPerson, ensure_person
from service.standards.tables import StandardRow

PASSWORD = "zhida-demo"  # noqa: S105 (sample people on loopback, made by --demo alone)
_SEED = 28
DISTRICTS = {"370102": "历下", "370112": "历城"}
#: District → the training institution there.
SCHOOLS = {
    code: f"示例培训学校{letter}（{name}）" for letter, (code, name) in zip("AB", DISTRICTS.items(), strict=True)
}
_ASSESSMENT_BODY = "示例评价机构（历下）"
#: The enterprise that trains the staff it hires, and its made-up account.
ENTERPRISE, _CORPORATE = "示例制造有限公司（历下）", "20260001000200030"
_LISTED_FROM = date(2023, 1, 1)

#: Sample money of each of two years, in yuan. One district has little: there one sees what happens when it runs out.
_FUNDS_YUAN = {
    "370102": {"employment_subsidy": 20_000_000, "unemployment_insurance": 5_000_000, "special_account": 2_000_000},
    "370112": {"employment_subsidy": 30_000, "unemployment_insurance": 30_000},
}

_DISTRICT_STAFF = {
    "reviewer": Post.REVIEWER,
    "second": Post.SECOND_REVIEWER,
    "publisher": Post.NOTICE_PUBLISHER,
    "maker": Post.MAKER,
    "checker": Post.CHECKER,
    "releaser": Post.RELEASER,
    "officer": Post.INSTITUTION_OFFICER,
    "acceptor": Post.ACCEPTOR,
}
#: A large batch is checked by several persons.
_MORE_CHECKERS = ("checker2", "checker3")
_CITY_STAFF = {
    "auditor": Post.AUDITOR,
    "operator": Post.OPERATOR,
    "catalog-editor": Post.CATALOG_EDITOR,
    "catalog-publisher": Post.CATALOG_PUBLISHER,
    "standard-editor": Post.STANDARD_EDITOR,
    "hr-signer": Post.HR_SIGNER,
    "finance-signer": Post.FINANCE_SIGNER,
    "inspector-a": Post.INSPECTOR,
    "inspector-b": Post.INSPECTOR,
    "assessor-a": Post.ASSESSOR,
    "assessor-b": Post.ASSESSOR,
    "evaluator": Post.EVALUATOR,
}


async def make_cast(tx: Tx, today: date, now: datetime) -> list[str]:
    """Make the cast unless somebody is there already; the lines that say how to sign in."""
    if await is_empty(tx):
        await _make(tx, today, now)
    await give_sample_factors(tx, sample_secret, now)
    return [
        f"演示人物（示例，密码都是 {PASSWORD}）：",
        "  申领人 xuehua、dachuan；机构经办 clerk-a、clerk-b；评价机构经办 clerk-c；"
        "企业经办 clerk-d；审计 auditor；运维 operator",
        "  市里：目录编辑 catalog-editor，目录发布 catalog-publisher，"
        "标准拟定 standard-editor，标准签字 hr-signer、finance-signer，"
        "实地检查和巡查 inspector-a、inspector-b，机构遴选评审 assessor-a、assessor-b，年度评估 evaluator",
        *(
            f"  {name}区：受理 acceptor-{code}，审核 reviewer-{code}，审核复核 second-{code}，公示 publisher-{code}，"
            f"经办 maker-{code}，复核 checker-{code}、checker2-{code}、checker3-{code}，拨付 releaser-{code}，"
            f"机构管理 officer-{code}"
            for code, name in DISTRICTS.items()
        ),
        "  批次的签字和动钱的决定还要一次性验证码：zhida staff code 登录名",
        "  示例额度：历下区充足；历城区很少，审几笔就用完，可以试一试追加",
    ]


async def _make(tx: Tx, today: date, now: datetime) -> None:
    maker, password_hash = Maker(_SEED), await hash_password(PASSWORD)

    async def user(login: str, posts: Collection[Post], district: str | None = None, at: UUID | None = None) -> Actor:
        made = maker.person()
        person = NewPerson(
            PersonName.parse(made.name), NationalId.parse(made.id_number, today=today), Phone.parse(made.phone)
        )
        person_id = await ensure_person(tx, person)
        user_id = await make_user(tx, login, password_hash, person_id, posts, district, at)
        return Actor(user_id, person_id, frozenset(posts), district, at)

    await user("xuehua", {Post.TRAINEE})
    await user("dachuan", {Post.TRAINEE})
    scopes = await _all_with_standards(tx)

    async def institution(name: str, district: str, kind: InstitutionKind, clerk: str) -> None:
        code = CreditCode.parse(maker.credit_code())
        about = (code, name, district, _LISTED_FROM, "示例")
        listed = await list_institution(tx, *about, sample=True, kind=kind, scopes=scopes)
        await user(clerk, {Post.CLERK}, district, listed)

    for letter, (district, name) in zip("ab", SCHOOLS.items(), strict=True):
        await institution(name, district, InstitutionKind.PRIVATE_SCHOOL, f"clerk-{letter}")
    await institution(_ASSESSMENT_BODY, next(iter(DISTRICTS)), InstitutionKind.ASSESSMENT_BODY, "clerk-c")
    officers: dict[str, Actor] = {}
    for code in DISTRICTS:
        staff = {post: await user(f"{name}-{code}", {post}, code) for name, post in _DISTRICT_STAFF.items()}
        await give_sample_factors(tx, sample_secret, now)
        await _give_money(tx, staff[Post.MAKER], staff[Post.CHECKER], today, now)
        officers[code] = staff[Post.INSTITUTION_OFFICER]
    for name, post in _CITY_STAFF.items():
        await user(name, {post})
    district, credit_code = next(iter(DISTRICTS)), CreditCode.parse(maker.credit_code())
    employer = await add_institution(tx, credit_code, ENTERPRISE, district, InstitutionKind.ENTERPRISE, sample=True)
    clerk = await user("clerk-d", {Post.CLERK}, district, employer)
    for code in DISTRICTS:
        for name in _MORE_CHECKERS:
            await user(f"{name}-{code}", {Post.CHECKER}, code)
    await _open_account(tx, clerk, officers[district], maker.bank_code(), today, now)


async def _open_account(tx: Tx, clerk: Actor, officer: Actor, bank_code: str, today: date, now: datetime) -> None:
    """The enterprise's: its clerk proposes it, the district's officer confirms."""
    assert clerk.institution_id is not None, "a clerk works for somebody"
    new = NewInstitutionAccount(_CORPORATE, ENTERPRISE, bank_code, "示例", today.isoformat())
    proposed = await propose_account(tx, clerk, clerk.institution_id, new, today, now)
    await confirm_account(tx, officer, clerk.institution_id, proposed.id, today, now)


async def _all_with_standards(tx: Tx) -> Mapping[str, Collection[str]]:
    """Every occupation at the levels that have an amount: the sample institutions are filed for them all, so that
    whatever is claimed through one lies in its scope."""
    row, found = StandardRow, defaultdict[str, set[str]](set)
    for occupation, level in await tx.execute(select(row.occupation, row.level).distinct()):
        found[occupation].add(level)
    return found


async def _give_money(tx: Tx, maker: Actor, checker: Actor, today: date, now: datetime) -> None:
    """Sample money for this year, and for the next: the demo's clock may run into it."""
    proposals = list[NamedSignature]()
    for year in (today.year, today.year + 1):
        for fund, yuan in _FUNDS_YUAN[maker.district or ""].items():
            new = NewAppropriation(fund, year, yuan * 100, f"示例下达文件（{year}年）", "演示用的示例额度")
            proposed = await propose_appropriation(tx, maker, new, today, now)
            proposals.append(NamedSignature(Decision.APPROPRIATION, proposed.id))
    code, _ = SampleCodes().next(f"checker-{checker.district}")
    proven = await sample_proof(tx, checker, code, proposals, now)
    for each in proposals:
        await confirm_appropriation(tx, proven, each.subject, now)
