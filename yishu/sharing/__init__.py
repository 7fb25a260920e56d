"""Sharing: from a department's request to a channel that serves exactly what was approved.

``form`` and ``filing`` take requests, ``deciding`` decides them, ``opening`` opens and closes,
``projection`` makes the bytes, ``uselog`` records every use, the other modules are the channels.
"""
