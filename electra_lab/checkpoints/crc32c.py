"""CRC-32C, the checksum of TensorFlow's files, in NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Registers = npt.NDArray[np.uint32]

_POLYNOMIAL = np.uint32(0x82F63B78)  # Castagnoli's, lowest bit first (RFC 3720, section 12.1)
_LANES = 4096


def _table() -> Registers:
    """What each value of a register's lowest byte becomes in eight steps."""
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ _POLYNOMIAL, values >> 1)
    return values


_TABLE = _table()
_TABLE_AS_LIST: list[int] = _TABLE.tolist()


def crc32c(data: bytes | bytearray) -> int:
    """The checksum of some bytes (RFC 3720, appendix B.4).

    Long data is cut into lanes of equal length that are run side by side, which is some ten times
    as fast as byte by byte in Python.
    """
    register = 0xFFFFFFFF
    length = len(data) // _LANES
    if length >= 4:
        register = _in_lanes(data, length, register)
        data = data[_LANES * length :]
    for byte in data:
        register = _TABLE_AS_LIST[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


def masked_crc32c(data: bytes | bytearray) -> int:
    """The checksum as it is stored (LevelDB, util/crc32c.h): rotated by 15 bits, plus a constant, so
    that a checksum of data with checksums in it stays a good one."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _in_lanes(data: bytes | bytearray, length: int, register: int) -> int:
    """The register after ``_LANES * length`` bytes.

    A register that runs over data is linear in both: run(a ^ b, data) = run(a, zeros) ^ run(b, data).
    So each lane starts from zero, and 32 more registers with one bit each run over zeros: they say
    what ``length`` bytes make of any register that comes in from the lane before.
    """
    rows = np.frombuffer(data, np.uint8, _LANES * length).reshape(_LANES, length)
    registers = np.zeros(_LANES + 32, np.uint32)
    registers[_LANES:] = np.uint32(1) << np.arange(32, dtype=np.uint32)
    for column in np.ascontiguousarray(rows.T):
        registers[:_LANES] ^= column
        registers = _TABLE[registers & 0xFF] ^ (registers >> 8)
    lanes, over_zeros = registers[:_LANES], registers[_LANES:]
    while len(lanes) > 1:  # two neighbours become one of twice the length
        lanes = _apply(over_zeros, lanes[::2]) ^ lanes[1::2]
        over_zeros = _apply(over_zeros, over_zeros)
    return int(_apply(over_zeros, np.array([register], np.uint32))[0] ^ lanes[0])


def _apply(over_zeros: Registers, registers: Registers) -> Registers:
    """Sum (exclusive or) what becomes of each bit that is set."""
    bits = registers[:, None] >> np.arange(32, dtype=np.uint32) & 1
    summed: Registers = np.bitwise_xor.reduce(bits * over_zeros, axis=1)
    return summed
