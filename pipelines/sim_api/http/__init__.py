"""How a generation of Sim servers tells a world: endpoints, pages, limits, faults, and the server itself."""
