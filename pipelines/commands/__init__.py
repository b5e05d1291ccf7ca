"""The commands of ``sim-sync``. ``cli`` parses their arguments and calls them.

Imports ``check``, ``destination``, ``dlt_internals``, ``report`` and ``screen``.
"""
