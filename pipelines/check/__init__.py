"""``sim-sync check``: access to the API, the estimate of a first sync, and consistency rules for stored rows.

Imports ``destination`` and ``dlt_internals``.
"""
