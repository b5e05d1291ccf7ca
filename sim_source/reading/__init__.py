"""The order of a sync: account, audit logs, then lists, open runs, details and snapshots of each workspace.

Imports ``api``, ``paging``, ``parallel``, ``rows`` and ``stored``.
"""
