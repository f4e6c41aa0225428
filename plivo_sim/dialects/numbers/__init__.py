"""Numbers: search, rent, list, change, release, and Link.

Source: what the SDKs send and read and their fixtures (observed), Plivo's pages on numbers and on
compliance (documented); see ``wire-facts.md`` 2.7, 4 and 10.
"""
