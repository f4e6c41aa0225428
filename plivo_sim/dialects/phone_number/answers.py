"""Shapes of answers that both dialects share (observed), for OpenAPI and the tests."""

from __future__ import annotations

from marshmallow import Schema, fields


class LinkedNumberOut(Schema):
    number = fields.String(required=True)
    number_type = fields.String(required=True)


class MetaOut(Schema):
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    total_count = fields.Integer(required=True)
    next = fields.String(required=True, allow_none=True)
    previous = fields.String(required=True, allow_none=True)
