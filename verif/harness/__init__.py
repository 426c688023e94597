"""What surrounds a design in simulation."""
