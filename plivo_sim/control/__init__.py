"""``/_sim/``: time, decisions, callbacks, snapshots, accounts. Invented: Plivo has none of it."""
