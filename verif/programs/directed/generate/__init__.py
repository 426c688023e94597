"""Generated tests: the program is written by Python, with expected values from the reference."""
