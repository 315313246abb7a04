from django.contrib.auth.views import LoginView
from django.urls import path

from crm.views import contacts

urlpatterns = [
    path("login", LoginView.as_view(template_name="login.html", next_page="/contacts")),
    path("contacts", contacts),
]
