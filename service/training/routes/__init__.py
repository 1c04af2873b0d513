"""Classes and inspections, attendance, and patrols over HTTP."""

from service.training.routes import attendance, classes, patrols

ROUTES = [*classes.ROUTES, *attendance.ROUTES, *patrols.ROUTES]
