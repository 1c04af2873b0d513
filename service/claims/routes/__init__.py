"""Mandates, claims and rosters over HTTP."""

from service.claims.routes import accounts, claims, rosters

ROUTES = [*claims.ROUTES, *accounts.ROUTES, *rosters.ROUTES]
