"""Settings of a small Django site that files compliance with Plivo."""

import os

PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN = os.environ["PLIVO_AUTH_ID"], os.environ["PLIVO_AUTH_TOKEN"]
PUBLIC_URL = os.environ.get("PUBLIC_URL", "https://filings.example.com")

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["filings.example.com"]
INSTALLED_APPS = ["filings"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "project.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", "filings.db"),
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},  # one writer at a time
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
USE_TZ = True
