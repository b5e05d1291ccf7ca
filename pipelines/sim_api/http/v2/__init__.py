"""The v2 API of the newest Sim servers (v0.8.9): routes, keys, buckets per operation, strict parameters, cursors.

Behaviour is that of Sim's own v2 handlers, as far as it was seen; shapes are those of the published documents.
"""
