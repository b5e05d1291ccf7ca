"""Answers of the API as rows of tables: all of it pure functions.

Runs, spans and cost items, the status of a run, secrets and people removed, and the merge with what is stored. Imports
``api`` for the types of answers; knows neither dlt nor HTTP.
"""
