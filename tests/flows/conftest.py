"""A whole stack, or the service alone, for the flow tests of a worker."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.local.made_up import MadeUpPerson
from service.local.stack import StackHandle, run_stack
from tests.conftest import Databases, _copy
from tests.flows.office import PASSWORD, Office, Person
from tests.flows.served import Served, serve


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackHandle]:
    """`zhida up --demo` in a directory of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHIDA_")}
    with run_stack(tmp_path_factory.mktemp("stack") / "data", environment=environment) as running:
        yield running


@pytest.fixture
def office(stack: StackHandle) -> Office:
    """The people of the stack."""
    return Office(stack)


@pytest.fixture(scope="session")
def served(databases: Databases, environment: None) -> Iterator[Served]:
    """The service alone, on a copy of the migrated database that no other test uses."""
    server, _, name = databases.admin_url.rpartition("/")
    asyncio.run(_copy(f"{server}/postgres", f"{name}_served"))
    keys = Path(os.environ["ZHIDA_KEY_FILE"])
    with serve(f"{databases.app_url}_served", f"{databases.owner_url}_served", keys) as running:
        yield running


@pytest.fixture
def quiet(served: Served) -> Iterator[None]:
    """Whatever a test sends, the service's log stays without a failure and without a connection left behind."""
    before = served.log.stat().st_size
    yield
    said = served.log.read_bytes()[before:].decode()
    assert not [word for word in ("Traceback", '"level": "error"', "garbage", "never retrieved") if word in said], (
        said
    )


@pytest.fixture(scope="session")
def trainee(served: Served) -> tuple[Person, MadeUpPerson]:
    return served.trainee()


@pytest.fixture(scope="session")
def good(served: Served, trainee: tuple[Person, MadeUpPerson]) -> dict[str, dict[str, Any]]:
    """A body that each path takes."""
    claim, someone = served.claim_body(trainee[1]), served.maker.person()
    person = {"name": someone.name, "id_number": someone.id_number, "phone": someone.phone}
    return {
        "/api/claims": claim,
        "/api/claims/check": claim,
        "/api/mandates": served.mandate_body(someone),
        "/api/sign-in": {"login": "xuehua", "password": PASSWORD},
        "/api/sign-up": {"login": "somebody", "password": PASSWORD, **person},
        "/api/claims/approve": {"status": "verified"},
        "/api/funds/appropriations": {
            "fund": "employment_subsidy",
            "year": int(served.today[:4]),
            "amount_fen": 100,
            "document": "示例下达文件",
            "reason": "示例",
        },
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need the whole stack share one worker, and so one stack; likewise those of the service alone."""
    here = Path(__file__).parent
    for item in items:
        for shared in {"stack", "served"}.intersection(getattr(item, "fixturenames", ())):
            if here in item.path.parents:
                item.add_marker(pytest.mark.xdist_group(shared))
