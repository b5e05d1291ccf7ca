"""The kill proof: a sync that is killed anywhere, and run again, leaves the tables of one that nobody disturbed."""
