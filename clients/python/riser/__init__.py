"""A building's modules from Python 3.11 or newer, with nothing but the standard library.

::

    from riser import Config, bind, run

    Config.init("building.yaml")

    run("board_room.display_1.power", True)
    for value in bind("sys-board/Sensor_1/temperature"):
        print(value)

With ``RISER_URL`` and ``RISER_API_KEY`` in the environment that is done by the gateway there. Without them a gateway of the
script's own is started on the building file, which ends with the script.
"""

from ._binding import Binding
from ._child import Child
from ._default import bind, exec, run
from ._errors import RiserError
from ._gateway import Gateway
from .config import Config

__all__ = ["Binding", "Child", "Config", "Gateway", "RiserError", "bind", "exec", "run"]
