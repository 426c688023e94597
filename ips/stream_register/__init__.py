"""A two-entry register slice for streams; see :mod:`ips.stream_register.component`."""
