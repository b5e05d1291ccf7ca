"""What the commands of ``sim-sync`` do; ``cli`` parses their arguments and calls them."""
