"""Engines: what runs a generator, the bank that keeps worlds warm, the slot in which a layer plays them.

    bank = Bank(Library.standard(show_folder), stage)           # loads in the background
    slot = Slot(bank, stage)                                    # one a layer; stage.prefix is "/layer/<name>"
    pad = MoodPad.declare(params, "/layer/dream", "/layer/1", lambda: slot.card)
    slot.want("landscape", "m", crossfade=2.0)                  # or None: the input itself
    picture = slot.dream(conditioned, pad.vector(now), now, pad.world)  # once a frame, never blocks

No module here imports torch or openvino before a world is loaded.
"""

from perform.engines.bank import Bank, Role
from perform.engines.mood import MoodPad
from perform.engines.slot import Slot

__all__ = ["Bank", "MoodPad", "Role", "Slot"]
