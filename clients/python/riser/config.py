"""Which building a script uses, when no gateway is named in ``RISER_URL``."""

from __future__ import annotations

import os

from . import _default


class Config:
    """The building file of the gateway that the script starts for itself."""

    @staticmethod
    def init(path: str | os.PathLike[str] | None = None) -> None:
        """Names the building file; ``building.yaml`` in the working directory if this is left out.

        Nothing is started before the first action. Where ``RISER_URL`` names a gateway, that one has its own building.
        Raises ``RuntimeError`` when a gateway of another building has been started already.
        """
        _default.use_building(path)
