"""The edge: HTTP in one API's words to calls on the core, and back. Wire words live here."""
