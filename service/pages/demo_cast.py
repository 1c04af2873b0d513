"""The demo's people as the first page introduces them; `service/local/cast.py` makes them, a test compares."""

from dataclasses import dataclass

from domain.actor import Post
from service.pages.language import later
from service.wording import words

PASSWORD = "zhida-demo"  # noqa: S105 (sample people of the demo; the page prints it)
DISTRICTS = {"370102": "历下", "370112": "历城"}


@dataclass(frozen=True)
class Part:
    """A post, the names that its holders sign in with, and what the service lets them do today."""

    post: Post
    logins: tuple[str, ...]
    may: str

    @property
    def who(self) -> str:
        return words(f"post.{self.post}")


def _in_districts(name: str) -> tuple[str, ...]:
    return tuple(f"{name}-{code}" for code in DISTRICTS)


CAST = (
    Part(Post.TRAINEE, ("xuehua", "dachuan"), later("为自己申领；看进度；撤回")),
    Part(
        Post.CLERK,
        ("clerk-a", "clerk-b", "clerk-c", "clerk-d"),
        later(
            "登记代领协议；替签了协议的学员申领；申报开班，交考勤"
            "（clerk-c 在评价机构：报评价结果；clerk-d 在企业：登记劳动合同，为新录用人员申领）"
        ),
    ),
    Part(Post.ACCEPTOR, _in_districts("acceptor"), later("在窗口替来人录入申领；录入的不再审核")),
    Part(Post.REVIEWER, _in_districts("reviewer"), later("审核本区的申领，一笔或成批；不予补贴写明原因")),
    Part(Post.SECOND_REVIEWER, _in_districts("second"), later("复核抽中的、金额大的、人工核实的；同意后才公示")),
    Part(
        Post.NOTICE_PUBLISHER, _in_districts("publisher"), later("把本区审核通过的申领放上公示；答复公示期内的异议")
    ),
    Part(Post.MAKER, _in_districts("maker"), later("把公示期满的申领编成批次并提交；录入银行回盘；提出本区的额度")),
    Part(
        Post.CHECKER,
        (*_in_districts("checker"), *_in_districts("checker2"), *_in_districts("checker3")),
        later("核对批次的笔数、金额和内容指纹，签署（金额大的由两人或三人签）；复核额度"),
    ),
    Part(Post.RELEASER, _in_districts("releaser"), later("登记拨款凭证，签署放行，交给银行")),
    Part(
        Post.INSTITUTION_OFFICER,
        _in_districts("officer"),
        later("审批本区的开班；抽取巡查；登记机构的信用；答复投诉"),
    ),
    Part(Post.INSPECTOR, ("inspector-a", "inspector-b"), later("首次开班前实地检查；抽取巡查，登记结果和佐证")),
    Part(Post.ASSESSOR, ("assessor-a", "assessor-b"), later("给申请入选的机构评分")),
    Part(Post.EVALUATOR, ("evaluator",), later("评估机构的一年，决定下一年能否续期")),
    Part(Post.AUDITOR, ("auditor",), later("看全市的申领、批次和回盘差异，不能改")),
    Part(Post.OPERATOR, ("operator",), later("看没办成的后台任务，让它再试一次")),
    Part(
        Post.CATALOG_EDITOR,
        ("catalog-editor",),
        later("导入下一版目录；逐条处理问题；征求意见；采纳区县的建议；提出政策参数"),
    ),
    Part(Post.CATALOG_PUBLISHER, ("catalog-publisher",), later("审定和发布别人编辑的目录；确认政策参数")),
    Part(Post.STANDARD_EDITOR, ("standard-editor",), later("按公式拟定补贴标准；签齐后发布；看哪些申领的金额会变")),
    Part(Post.HR_SIGNER, ("hr-signer",), later("代表人社部门对标准方案签字；看直达率看板")),
    Part(Post.FINANCE_SIGNER, ("finance-signer",), later("代表财政部门对标准方案签字；看直达率看板和资金月报")),
)
