"""The legacy API: end users, documents and applications one by one, then Submit.

Source: Plivo's legacy page (documented) and what the SDKs send and read (observed); see
docs/wire-facts.md, "The legacy API".
"""
