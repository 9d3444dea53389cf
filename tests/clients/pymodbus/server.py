"""A Modbus TCP server of pymodbus with the registers of a meter, for the tests of the driver `modbus`.

    python server.py PORT [FIRST_VALUE]

It serves unit 1 and prints `ready`. Unit 2 is there too and has a holding register 100 of its own.
What it is asked is printed, one request a line: `read TABLE ADDRESS COUNT` and `write TABLE ADDRESS`.
`FIRST_VALUE` is what holding register 100 has, 2305 without it.
"""

import asyncio
import struct
import sys

from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
WRITES = {5: "coil", 6: "holding", 16: "holding", 22: "holding"}


def registers(layout: str, value: float) -> list[int]:
    """The registers of a value, the highest byte first."""
    packed = struct.pack(">" + layout, value)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def words(address: int, values: list[int]) -> SimData:
    return SimData(address, values=values, datatype=DataType.REGISTERS)


def bit(address: int, value: bool) -> SimData:
    return SimData(address, values=[value] + [False] * 15, datatype=DataType.BITS)


def meter(first: int) -> SimDevice:
    power = registers("f", 1234.5)
    holding = [
        words(20, [215]),
        words(30, registers("d", 50.02)),
        words(40, registers("q", -5)),
        words(50, [0xFFFF]),
        words(52, registers("f", float("nan"))),
        words(60, registers("I", 7)),
        words(100, [first, 0xFF85]),
        words(102, registers("I", 4_000_000_000)),
        words(104, power),
        words(110, power[::-1]),
        words(120, [0b0000_1000]),
    ]
    inputs = [words(10, [0xFFCE])]
    return SimDevice(1, simdata=([bit(3, False)], [bit(4, True)], holding, inputs))


def other() -> SimDevice:
    bits = [bit(0, False)]
    return SimDevice(2, simdata=(bits, bits, [words(100, [1])], [words(0, [0])]))


def trace(sending: bool, pdu: ModbusPDU) -> ModbusPDU:
    if not sending:
        code = pdu.function_code
        if code in TABLES:
            print("read", TABLES[code], pdu.address, pdu.count, flush=True)
        elif code in WRITES:
            print("write", WRITES[code], pdu.address, flush=True)
    return pdu


async def serve(port: int, first: int) -> None:
    server = ModbusTcpServer(
        [meter(first), other()], address=("127.0.0.1", port), trace_pdu=trace
    )
    await server.serve_forever(background=True)
    print("ready", flush=True)
    # The test ends this process; it also ends when the test is gone.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2305))
