"""The names under which scripts for Platypush import what :mod:`riser` does: ``run``, ``when``, ``Config``, ``WebhookEvent``.

It has these and nothing else of Platypush, so that a script runs on a building of riser's as it stands.
"""

from riser import run
from riser._webhook import when

__all__ = ["run", "when"]
