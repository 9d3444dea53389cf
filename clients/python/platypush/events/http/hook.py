"""The call of a web hook."""

from riser._webhook import WebhookEvent

__all__ = ["WebhookEvent"]
