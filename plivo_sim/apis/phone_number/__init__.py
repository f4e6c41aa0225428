"""``/v1/Account/{auth_id}/PhoneNumber/Compliance/``: one URL, two dialects."""
