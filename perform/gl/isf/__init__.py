"""The ISF 2.0 host: headers, translation to GLSL 3.30, passes, live reloading; Shadertoy and plain GLSL too."""
