"""The destination: its dlt pipeline, DuckDB file, lock, names, queries, views, comments and error messages.

Imports ``dlt_internals`` and ``views``.
"""
