"""Code coverage of a regression: points of all models in one space, what runs hit of them, holes, waivers."""
