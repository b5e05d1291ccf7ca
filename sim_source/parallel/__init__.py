"""Runs beside the reader: walks that fetch pages ahead, worker processes that decode them.

Imports ``api``, ``paging`` and ``rows``.
"""
