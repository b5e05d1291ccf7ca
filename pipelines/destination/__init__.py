"""The destination: its dlt pipeline, DuckDB file, lock, names, queries, views, comments and error messages.

Imports ``views``, ``dlt_internals`` and ``sim_source``.
"""
