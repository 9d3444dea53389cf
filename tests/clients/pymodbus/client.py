"""A foreign Modbus client beside the driver: reads and writes by pymodbus.

    python client.py PORT read holding 20 1     prints the registers, separated by blanks
    python client.py PORT write 20 230          writes one holding register
"""

import sys

from pymodbus.client import ModbusTcpClient


def main(port: str, verb: str, *rest: str) -> None:
    with ModbusTcpClient("127.0.0.1", port=int(port)) as client:
        if verb == "write":
            address, value = map(int, rest)
            answer = client.write_register(address, value, device_id=1)
        else:
            table, address, count = rest[0], int(rest[1]), int(rest[2])
            read = {
                "holding": client.read_holding_registers,
                "coil": client.read_coils,
            }[table]
            answer = read(address, count=count, device_id=1)
        if answer.isError():
            sys.exit(f"the server says {answer}")
        values = answer.bits[:count] if verb == "read" and table == "coil" else answer.registers
        print(*map(int, values))


if __name__ == "__main__":
    main(*sys.argv[1:])
