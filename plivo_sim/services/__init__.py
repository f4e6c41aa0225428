"""The use-cases, one module a noun. Each takes the account that it works in; none knows HTTP."""
