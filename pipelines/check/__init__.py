"""``sim-sync check``: access to the API, the estimate of a first sync, and the rules that stored data keeps."""
