"""The Sim API: the HTTP client, its rate limit, and typed requests and responses.

Decodes response bodies into typed structures and turns HTTP errors into ``sim_source.errors``. Imports no
other folder.
"""
