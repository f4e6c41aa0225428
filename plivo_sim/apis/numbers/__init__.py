"""Numbers: search, rent, list, change, release, and Link.

Source: what the SDKs send and read and their fixtures (observed), Plivo's pages on numbers and on
compliance (documented); see docs/wire-facts.md, "Numbers", "Link is bulk".
"""
