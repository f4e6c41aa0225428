"""What became of each filing."""

from django.db import models


class Filing(models.Model):
    """``id``: Plivo's compliance id. ``reason``: why it was rejected, or empty."""

    id = models.CharField(primary_key=True, max_length=36)
    status = models.CharField(max_length=40)
    reason = models.TextField()


class Change(models.Model):
    """A status that a filing had, and when that was noticed."""

    filing = models.ForeignKey(Filing, models.CASCADE, related_name="changes")
    status = models.CharField(max_length=40)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
