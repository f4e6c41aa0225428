"""The use-cases, one module a noun. Each takes the world that it works in; none knows HTTP."""
