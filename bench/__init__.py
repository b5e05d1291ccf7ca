"""``make bench``: this project and its peers against one benchmark API, in fresh processes, in turn."""
