"""Random programs of the accelerator, run on the harness and compared with the functional model."""
