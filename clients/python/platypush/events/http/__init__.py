"""Events of HTTP."""
