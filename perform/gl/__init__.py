"""Pictures on the GPU: a context, textures and targets, shaders, transfers, and the ISF host. Render thread only."""
