"""The commands of ``sim-sync``. ``cli`` parses their arguments and calls them."""
