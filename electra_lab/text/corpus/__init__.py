"""Text of any size -> documents -> packed segments -> memory-mapped shards.

The modules in reading order: ``documents`` (and ``rows``), ``segments``, ``shards``, ``build``.
"""
