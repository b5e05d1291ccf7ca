"""Decides which pages to request, so that no row is lost or read twice.

Time ranges, walks through lists, and the state that a sync keeps for the next one. Everything is pure except the
functions that request a page; callers pass those in. Imports ``api``.
"""
