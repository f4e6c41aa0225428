"""Callbacks: what is sent when an application's status changes, how often, and what came of it."""
