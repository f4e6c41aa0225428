from django.urls import path

from filings import views

urlpatterns = [
    path("filings", views.file_one),
    path("filings/<id>", views.one),
    path("plivo/status", views.plivo_status),
]
