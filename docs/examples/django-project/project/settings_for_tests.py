"""The same settings, with an account that is the tests' own."""

import os

os.environ["PLIVO_AUTH_ID"] = "MADJANGODJANGODJANGO"
os.environ["PLIVO_AUTH_TOKEN"] = "django-token"
os.environ["SECRET_KEY"] = "django-secret"

from project.settings import *  # noqa: F403
