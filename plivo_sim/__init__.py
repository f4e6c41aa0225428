"""plivo-sim: a local, stateful simulator of Plivo's phone-number compliance APIs."""

__version__ = "0.1.0"
