"""The compliance part of Smallest's Atoms API: a client of the core, with records of its own.

It keeps what it was last told. Plivo tells it by callback, which the webhook policy may delay, drop
or reorder; ``refresh`` asks. So the bug of such a layer, a status that lags behind Plivo, is there
to be met.

Source of what is said of Atoms here: documented, on the two pages of Smallest and in the
docstrings of its SDK, unless it says otherwise.
"""
