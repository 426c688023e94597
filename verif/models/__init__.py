"""Golden models that benches share."""
