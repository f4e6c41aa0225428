"""The comparison with other fakes of HTTP APIs: ``python -m benchmarks.peers``."""
