"""Events that a script can be called with."""
