"""Several servers behind a proxy: the configurations of docs/scale.md, run."""
