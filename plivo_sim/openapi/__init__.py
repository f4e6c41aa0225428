"""OpenAPI 3.1: one document a surface, made from the schemas that the code itself uses."""
