"""The shapes of the control API, for its OpenAPI document and the tests."""

from __future__ import annotations

from marshmallow import Schema, fields


class ClockOut(Schema):
    account = fields.String(required=True)
    now = fields.DateTime(required=True)
    paused = fields.Boolean(required=True)
    rate = fields.Float(required=True)
    advancing = fields.Boolean(required=True)
    next_due = fields.DateTime(required=True, allow_none=True)
    due_count = fields.Integer(required=True)
    sending = fields.Integer(required=True)


class HappeningOut(Schema):
    """A ``transition`` or a ``callback``; the other's keys are absent."""

    type = fields.String(required=True)
    at = fields.DateTime(required=True)
    application = fields.String(required=True)
    from_ = fields.String(data_key="from")
    to = fields.String()
    reason = fields.String(allow_none=True)
    delivery = fields.String()
    attempt = fields.Integer()
    state = fields.String()
    status = fields.Integer(allow_none=True)
    error = fields.String(allow_none=True)


class AdvanceOut(ClockOut):
    pending = fields.Boolean(required=True)
    happenings = fields.List(fields.Nested(HappeningOut), required=True)


class ChangeOut(Schema):
    at = fields.DateTime(required=True)
    status = fields.String(required=True)
    by = fields.String(required=True)
    why = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)


class NextOut(Schema):
    status = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    why = fields.String(required=True)
    at = fields.DateTime()
    after = fields.String()


class ApplicationOut(Schema):
    id = fields.String(required=True)
    account = fields.String(required=True)
    origin = fields.String(required=True)
    alias = fields.String(required=True)
    status = fields.String(required=True)
    rejection_reason = fields.String(required=True, allow_none=True)
    country_iso = fields.String(required=True)
    number_type = fields.String(required=True)
    user_type = fields.String(required=True)
    requirement_id = fields.String(required=True)
    end_user_id = fields.String(required=True)
    document_ids = fields.List(fields.String(), required=True)
    callback_url = fields.String(required=True, allow_none=True)
    callback_method = fields.String(required=True)
    attempt = fields.Integer(required=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)
    submitted_at = fields.DateTime(required=True, allow_none=True)
    timeline = fields.List(fields.Nested(ChangeOut), required=True)
    next = fields.List(fields.Nested(NextOut), required=True)


class ApplicationsOut(Schema):
    total_count = fields.Integer(required=True)
    applications = fields.List(fields.Nested(ApplicationOut), required=True)


class AttemptOut(Schema):
    at = fields.DateTime(required=True)
    url = fields.String(required=True)
    headers = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    body = fields.String(required=True)
    status = fields.Integer(required=True, allow_none=True)
    answer = fields.String(required=True)
    error = fields.String(required=True, allow_none=True)
    latency_s = fields.Float(required=True)


class WebhookOut(Schema):
    id = fields.String(required=True)
    application = fields.String(required=True)
    url = fields.String(required=True)
    method = fields.String(required=True)
    payload = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    state = fields.String(required=True)
    why = fields.String(required=True)
    created_at = fields.DateTime(required=True)
    attempts = fields.List(fields.Nested(AttemptOut), required=True)


class WebhooksOut(Schema):
    total_count = fields.Integer(required=True)
    webhooks = fields.List(fields.Nested(WebhookOut), required=True)


class AccountOut(Schema):
    auth_id = fields.String(required=True)
    now = fields.DateTime(required=True)
    applications = fields.Integer(required=True)
    end_users = fields.Integer(required=True)
    documents = fields.Integer(required=True)
    numbers = fields.Integer(required=True)
    settings = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class AccountsOut(Schema):
    accounts = fields.List(fields.Nested(AccountOut), required=True)


class MarkedOut(AccountOut):
    account = fields.String(required=True)
    name = fields.String(required=True)


class DamageOut(Schema):
    """A state file that was damaged: up to ``line`` all is there, the rest is in ``kept_in``."""

    file = fields.String(required=True)
    line = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    size_bytes = fields.Integer(required=True)
    whole_lines = fields.Integer(required=True)
    torn = fields.Boolean(required=True)
    kept_in = fields.String(required=True)


class HealthOut(Schema):
    status = fields.String(required=True)
    version = fields.String(required=True)
    state = fields.String(required=True)
    accounts = fields.Integer(required=True)
    damages = fields.List(fields.Nested(DamageOut), required=True)


class LiveOut(Schema):
    status = fields.String(required=True)


class ReadyOut(Schema):
    status = fields.String(required=True)
    reasons = fields.List(fields.String(), required=True)


class MessageOut(Schema):
    method = fields.String(required=True)
    url = fields.String(required=True)
    headers = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    query = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    body = fields.String(required=True)


class InboxOut(Schema):
    name = fields.String(required=True)
    messages = fields.List(fields.Nested(MessageOut), required=True)


class VerdictOut(Schema):
    rule = fields.String(required=True)
    matched = fields.Boolean(required=True)
    why = fields.String(required=True)
    conditions_met = fields.Integer()


class AttemptWhyOut(Schema):
    attempt = fields.Integer(required=True)
    decided_by = fields.String(required=True)
    rules = fields.List(fields.Nested(VerdictOut), required=True)
    near_misses = fields.List(fields.Nested(VerdictOut), required=True)


class WhyOut(Schema):
    id = fields.String(required=True)
    status = fields.String(required=True)
    attempts = fields.List(fields.Nested(AttemptWhyOut), required=True)


class SignatureOut(Schema):
    valid = fields.Boolean(required=True)
    wrong = fields.List(fields.String(), required=True)


class SignaturesOut(Schema):
    v2 = fields.Nested(SignatureOut, required=True)
    v3 = fields.Nested(SignatureOut, required=True)


class PathProblemOut(Schema):
    path = fields.String(required=True)
    message = fields.String(required=True)


class ProblemDetailsOut(Schema):
    """Problem details, RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)
    problems = fields.List(fields.Nested(PathProblemOut))
    accounts = fields.List(fields.String())
    kind = fields.String()
    id = fields.String()
