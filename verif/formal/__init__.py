"""Properties that are proved rather than simulated."""
