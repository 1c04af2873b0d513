"""Look items up, make the next edition, propose what it should hold."""

from service.catalog.routes import drafts, proposals, public

ROUTES = [*public.ROUTES, *drafts.ROUTES, *proposals.ROUTES]
