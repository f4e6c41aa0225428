"""What goes wrong on purpose: with calls, and with callbacks."""
