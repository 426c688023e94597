"""Networks for the accelerator: written as .tflite files, made at random, run by the reference kernels."""
