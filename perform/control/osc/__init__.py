"""OSC over UDP and TCP: what most performers' tools speak. `Osc` is the part; the rest is one noun a file."""

from perform.control.osc.part import Osc

__all__ = ["Osc"]
