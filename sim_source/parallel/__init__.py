"""What runs beside the reader: the session of a sync, walks ahead of it, processes that decode pages.

Imports ``api``, ``rows`` and ``paging``.
"""
