"""Contacts and companies with the columns and indexes that our list page uses, and the side tables a CRM has."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class Record(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    version = models.BigIntegerField(default=1)
    external_id = models.TextField(null=True, db_index=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    sort_name = models.TextField(default="")
    tags = ArrayField(models.TextField(), default=list)
    description = models.TextField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)
    deleted_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        abstract = True


class Company(Record):
    name = models.TextField()
    domain = models.TextField(null=True, db_index=True)
    website = models.TextField(null=True)
    email = models.TextField(null=True)
    phone = models.TextField(null=True)
    type = models.TextField(null=True)
    industry = models.TextField(null=True)
    number_of_employees = models.BigIntegerField(null=True)
    annual_revenue = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    billing_street = models.TextField(null=True)
    billing_city = models.TextField(null=True)
    billing_country = models.TextField(null=True)
    search = SearchVectorField(null=True)

    class Meta:
        indexes = [models.Index(fields=["sort_name", "id"]), GinIndex(fields=["search"]), GinIndex(fields=["tags"])]


class Contact(Record):
    salutation = models.TextField(null=True)
    first_name = models.TextField(null=True)
    last_name = models.TextField(null=True)
    job_title = models.TextField(null=True)
    department = models.TextField(null=True)
    email = models.TextField(null=True, db_index=True)
    emails = models.JSONField(default=list)
    phone = models.TextField(null=True)
    phones = models.JSONField(default=list)
    company = models.ForeignKey(Company, null=True, on_delete=models.SET_NULL)
    lead_source = models.TextField(null=True)
    lifecycle_stage = models.TextField(null=True)
    street = models.TextField(null=True)
    city = models.TextField(null=True)
    postal_code = models.TextField(null=True)
    country = models.TextField(null=True)
    website = models.TextField(null=True)
    birthdate = models.DateField(null=True)
    search = SearchVectorField(null=True)

    class Meta:
        indexes = [models.Index(fields=["sort_name", "id"]), GinIndex(fields=["search"]), GinIndex(fields=["tags"])]


class AuditEvent(models.Model):
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    action = models.TextField(db_index=True)
    record_id = models.UUIDField(null=True, db_index=True)
    details = models.JSONField(default=dict)


class RecordChange(models.Model):
    at = models.DateTimeField(auto_now_add=True)
    record_id = models.UUIDField(db_index=True)
    changes = models.JSONField(default=dict)


class Job(models.Model):
    kind = models.TextField()
    state = models.TextField(default="pending")
    arguments = models.JSONField(default=dict)
    run_at = models.DateTimeField(db_index=True)


class Mail(models.Model):
    template = models.TextField()
    to_address = models.TextField()
    state = models.TextField(default="pending", db_index=True)


class Import(models.Model):
    file_name = models.TextField()
    counts = models.JSONField(default=dict)


class Export(models.Model):
    state = models.TextField(default="waiting")
    manifest = models.JSONField(default=dict)
