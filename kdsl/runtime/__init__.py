"""What every generated module carries: real Python, linted and tested here, copied into the module."""
