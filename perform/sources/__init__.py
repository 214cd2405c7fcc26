"""What gives pictures: camera, video, image, shader, test card. Each decodes in its own worker.

No module here imports a heavy library before it is opened; `perform.plugins.find("sources", "camera")` is how a
show reaches them.
"""
