"""Every page, in one place, and what pages ask for."""

from litestar.di import Provide

from service.pages.catalog_desk import visit_of_desk
from service.pages.institution.visit import visit_of_clerk
from service.pages.routes import (
    board,
    catalog_desk,
    code,
    desk,
    field_classes,
    field_institutions,
    field_oversight,
    field_projects,
    field_visits,
    figures,
    finance,
    information,
    institution,
    institution_classes,
    institution_doing,
    journal,
    money,
    notices,
    operate,
    person,
    public,
    registry,
    session,
    standards_desk,
    trainee,
)

ROUTES = [
    route
    for each in (
        board,
        catalog_desk,
        code,
        desk,
        field_classes,
        field_institutions,
        field_oversight,
        field_projects,
        field_visits,
        figures,
        finance,
        information,
        institution,
        institution_classes,
        institution_doing,
        journal,
        money,
        notices,
        operate,
        person,
        public,
        registry,
        session,
        standards_desk,
        trainee,
    )
    for route in each.ROUTES
]

DEPENDENCIES = {"visit": Provide(visit_of_desk), "clerk": Provide(visit_of_clerk)}
