"""What real accounts tell: tapes of exchanges, made and played back, and learned catalogues."""
