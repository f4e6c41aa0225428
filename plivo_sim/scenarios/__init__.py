"""Scenarios: rules that say what the reviewer decides about which submission, and when."""
