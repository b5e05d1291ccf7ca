"""Every use of what dlt does not document. Each works behind one call, and without it a sync does the same, slower."""
