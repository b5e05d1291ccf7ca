"""How a generation of Sim servers answers: endpoints, pages, limits, faults, and the server itself."""
