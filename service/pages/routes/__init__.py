"""Every page, in one place."""

from service.pages.routes import desk, finance, institution, institution_classes, public, session, trainee

ROUTES = [
    route
    for each in (desk, finance, institution, institution_classes, public, session, trainee)
    for route in each.ROUTES
]
