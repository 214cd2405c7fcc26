"""How good a dream is, in numbers. Each file is one question; the pictures are RGB [B,3,H,W] in -1..1 throughout.

perceptual    how alike are two pictures to a network that has learned to see (LPIPS-HED)?
realism       could these pictures have come from that collection (KID)?
texture       do they have its spectrum and its patches (radial spectrum, sliced Wasserstein)?
temporal      does a dream hold still, move along, and keep from shimmering?
memory        how much has to be kept while it is computed?

The networks that judge were never trained against: what learns to please a judge cannot be judged by it.
"""

from __future__ import annotations
