"""The accelerator's compiler: from a quantised TensorFlow Lite network to commands.

`reader.read_model` reads and checks a file, and raises `errors.CompileError`;
`graph` says what a network is then, and `reference.run_reference` what it
computes.
"""
