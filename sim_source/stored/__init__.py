"""What the destination holds already: every question the source asks in SQL.

Imports ``api``, ``rows`` and ``paging``.
"""
