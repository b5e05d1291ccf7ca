"""The Sim API: one client, its rate, what its endpoints take and answer.

Bytes become typed answers here, and HTTP faults become errors of ``sim_source.errors``. Imports only modules that lie
beside this package (errors, timestamps, JSON, the tables' schema).
"""
