"""Conversion of API responses to table rows, in pure functions.

Covers runs, trace spans and cost items, the status of a run, the removal of secrets and personal data, and the merge
with stored rows. Uses neither dlt nor HTTP. Imports ``api``, for the response types.
"""
