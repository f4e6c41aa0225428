"""The compliance part of Smallest's Atoms API: a client of the core, with records of its own.

It keeps the last status that it received: from Plivo's callbacks, which the webhook policy may
delay, drop or reorder, or from ``refresh``, which polls. So a client can meet the typical bug of
such a layer, a status that lags behind Plivo's.

Source of the facts about Atoms here: documented, on the two pages of Smallest and in the
docstrings of its SDK, unless it says otherwise.
"""
