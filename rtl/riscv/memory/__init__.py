"""Memory near a core: caches and tightly coupled memories, between its buses and the world."""
