"""The commands of ``plivo-sim``, one module a noun. All of them ask a running simulator over
HTTP; nothing heavy is imported before a command runs."""
