"""A Django project in one file: settings, views and URLs."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path

import tellback

SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": ["*"],
    "DEBUG": False,
    "SECRET_KEY": "tests",
    "ROOT_URLCONF": "django_project",
    "MIDDLEWARE": ["tellback.adapters.django.Middleware"],
    "TELLBACK": {"user": "django_project.who", "ignore": ["/healthz"]},
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    "LOGGING_CONFIG": None,
}


def who(request: Any) -> str | None:
    return request.META.get("HTTP_X_USER")


def shot(request: Any, shot: str) -> HttpResponse:
    tellback.event("shot_opened", shot=shot)
    return HttpResponse(shot)


async def later(request: Any, shot: str) -> HttpResponse:
    tellback.event("shot_opened", shot=shot)
    return HttpResponse(shot)


def fail(request: Any) -> HttpResponse:
    raise ValueError("no sq10")


async def fail_later(request: Any) -> HttpResponse:
    raise ValueError("no sq10")


def nothing(request: Any) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("shots/<shot>", shot),
    path("later/<shot>", later),
    path("fail", fail),
    path("fail_later", fail_later),
    path("nothing", nothing),
]
