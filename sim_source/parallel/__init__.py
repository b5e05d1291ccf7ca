"""What runs beside the reader: walks that fetch pages ahead, processes that decode them.

Imports ``api``, ``rows`` and ``paging``.
"""
