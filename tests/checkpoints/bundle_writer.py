"""Bundles in TensorFlow's format with whatever a test wants in them, well-formed or not."""

from electra_lab.checkpoints.crc32c import masked_crc32c

TYPES = {"float32": 1, "int64": 9}


def varint(value):
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])


def field(number, value):
    """One field of a protocol buffer: a number or a message."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def entry(kind, shape, shard, offset, data):
    dimensions = b"".join(field(2, field(1, size)) for size in shape)
    place = field(3, shard) + field(4, offset) + field(5, len(data))
    checksum = varint(6 << 3 | 5) + masked_crc32c(data).to_bytes(4, "little")
    return field(1, kind) + field(2, dimensions) + place + checksum


def block(entries, compression=0):
    content = b""
    for key, value in entries:
        content += varint(0) + varint(len(key)) + varint(len(value)) + key + value
    content += (0).to_bytes(4, "little") + (1).to_bytes(4, "little")  # one restart, at the start
    trailer = bytes([compression])
    return content + trailer + masked_crc32c(content + trailer).to_bytes(4, "little")


def table(entries, compression=0, per_block=100):
    """An index with so many entries in a block."""
    data, handles = b"", []
    for start in range(0, max(1, len(entries)), per_block):
        some = entries[start : start + per_block]
        content = block(some, compression)
        last = some[-1][0] if some else b""
        handles.append((last, varint(len(data)) + varint(len(content) - 5)))
        data += content
    blocks = block(handles)
    footer = varint(0) + varint(0) + varint(len(data)) + varint(len(blocks) - 5)
    return data + blocks + footer.ljust(40, b"\0") + 0xDB4775248B80FB57.to_bytes(8, "little")


def header(shards=1, byte_order=0):
    return b"", field(1, shards) + field(2, byte_order)


def write_bundle(prefix, tensors, shards=1, per_block=100):
    """Write tensors by name; shard after shard gets one."""
    parts = [b""] * shards
    entries = []
    for number, (name, tensor) in enumerate(sorted(tensors.items())):
        data = tensor.contiguous().numpy().tobytes()
        shard = number % shards
        kind = TYPES[str(tensor.dtype).removeprefix("torch.")]
        place = entry(kind, tensor.shape, shard, len(parts[shard]), data)
        entries.append((name.encode(), place))
        parts[shard] += data
    prefix.parent.mkdir(parents=True, exist_ok=True)
    prefix.with_name(prefix.name + ".index").write_bytes(
        table([header(shards), *entries], per_block=per_block)
    )
    for shard, data in enumerate(parts):
        file = prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{shards:05d}")
        file.write_bytes(data)
