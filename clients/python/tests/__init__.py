"""Tests of the library: the wire alone, and everything else against a gateway that runs."""
