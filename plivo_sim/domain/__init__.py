"""The pure middle: words, statuses, records and requirements. Imports nothing that does I/O."""
