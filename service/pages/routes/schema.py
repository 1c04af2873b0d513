"""The page of the OpenAPI document, which Litestar hands it: what is shown is what programs are given."""

from typing import Any

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin
from markupsafe import Markup

from service import clock
from service.pages.api_document import groups_of, refusals_of
from service.pages.rendering import page, part
from service.security import SESSION_HOURS


class SchemaPage(OpenAPIRenderPlugin):
    """Answers /schema. The document stays the same while a process lives, so it is put into HTML once."""

    def __init__(self) -> None:
        super().__init__(path="/")
        self._kept: Markup | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> Any:
        """A whole Response: Litestar expects bytes here, and passes a response on as it is, with its headers."""
        if self._kept is None:
            groups = groups_of(openapi_schema)
            self._kept = part("public/operations.html", groups=groups, refusals=refusals_of(groups))
        return page(request, "public/schema.html", clock.today(), operations=self._kept, session_hours=SESSION_HOURS)
