"""``sim-sync check``: access to the API, the estimate of a first sync, and consistency rules for stored rows.

Imports ``destination``, ``dlt_internals`` and the settings; only ``commands`` imports this package.
"""
