"""The driver that `driver_cost.py` measures: it publishes moments and whatever it is told."""

import asyncio
import time

from riser_driver import JSON, Driver, Status, function, run


class Stamper(Driver):
    """Publishes moments."""

    stamp = Status[int]("The moment at which it was published, in nanoseconds of the machine's steady clock.")

    @function
    async def stamp_often(self, count: int, period_seconds: float) -> None:
        """Publishes so many moments, one per period."""
        for _ in range(count):
            self.stamp = time.monotonic_ns()
            await asyncio.sleep(period_seconds)

    @function
    async def set(self, name: str, value: JSON) -> None:
        """Publishes a status, as the driver `virtual` does."""
        self.publish(name, value)


if __name__ == "__main__":
    run(Stamper)
