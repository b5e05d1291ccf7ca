"""Which pages are asked for, so that no row is lost and none is read twice.

Windows of time, the walks through lists, and what a sync remembers between two runs. Imports ``api`` and ``rows``. All
of it is pure but for the functions that ask for a page, which are passed in.
"""
