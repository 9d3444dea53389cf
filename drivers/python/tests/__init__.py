"""Tests of the library: ``python3 -S -m unittest discover`` in the folder ``drivers/python``."""
