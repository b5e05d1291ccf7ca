"""The Sim API: the HTTP client, its rate limit, and typed requests and responses.

Decodes response bodies into typed structures and turns HTTP errors into ``sim_source.errors``. Imports only the base
modules of ``sim_source`` (errors, timestamps, JSON, table schema).
"""
