"""What is proved of the accelerator's parts."""
