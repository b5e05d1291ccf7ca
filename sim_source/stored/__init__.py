"""What the destination already holds: all SQL queries of the source.

Imports ``rows``.
"""
