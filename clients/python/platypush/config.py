"""``Config.init(path)``, with a building file of riser's."""

from riser.config import Config

__all__ = ["Config"]
