/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Makes one colour transparent: the key is judged by colour, not by light, hair keeps its half-tones, and the colour's spill on skin and edges is taken away.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Key"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "key", "TYPE": "color", "DEFAULT": [0.10, 0.70, 0.22, 1.0], "LABEL": "The colour to remove"},
        {"NAME": "tolerance", "TYPE": "float", "DEFAULT": 0.16, "MIN": 0.0, "MAX": 1.0, "LABEL": "Nearer than this is gone"},
        {"NAME": "softness", "TYPE": "float", "DEFAULT": 0.14, "MIN": 0.001, "MAX": 1.0, "LABEL": "How gradually it comes back beyond"},
        {"NAME": "spill", "TYPE": "float", "DEFAULT": 0.9, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of the key's cast is taken off what stays"},
        {"NAME": "matte", "TYPE": "bool", "DEFAULT": false, "LABEL": "Show the matte itself, to set it by"}
    ]
}*/

// Chroma of Rec. 601: where a colour lies on the colour wheel, whatever its light.
vec2 chroma(vec3 c) {
    float y = dot(c, vec3(0.299, 0.587, 0.114));
    return vec2((c.b - y) / 1.772, (c.r - y) / 1.402);
}

// Chroma and how much there is of it: what is clear has none.
vec3 around(vec2 uv) {
    vec4 c = IMG_NORM_PIXEL(inputImage, uv);
    return c.a * vec3(chroma(c.rgb), 1.0);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
    vec2 d = 0.75 / IMG_SIZE(inputImage);
    vec2 e = vec2(d.x, -d.y);
    // Cameras carry half the colour resolution: a small average takes the stairs off the edge.
    vec3 sum = 0.4 * max(picture.a, 1e-3) * vec3(chroma(picture.rgb), 1.0);
    sum += 0.15 * (around(uv + d) + around(uv - d) + around(uv + e) + around(uv - e));
    vec2 c = sum.xy / sum.z;
    vec2 k = chroma(key.rgb);
    float strength = max(length(k), 1e-3);
    vec2 axis = k / strength;
    // Along the key's hue and across it: a thin colour of the same hue is half-transparent, another hue is not.
    float along = dot(c, axis) / strength;
    float across = abs(dot(c, vec2(-axis.y, axis.x))) / strength;
    float distance_to_key = length(vec2(max(1.0 - along, 0.0), 1.6 * across));
    float solid = smoothstep(tolerance + 0.3, tolerance + 0.3 + softness * 2.0 + 0.05, distance_to_key);

    // Spill: the key's own channel may not exceed the larger of the two others, so that what is warm stays warm.
    // A key without a colour casts none.
    float cast = spill * smoothstep(0.03, 0.12, length(k));
    vec3 rest = picture.rgb;
    float excess;
    if (key.g >= key.r && key.g >= key.b) {
        excess = cast * max(rest.g - max(rest.r, rest.b), 0.0);
        rest.g -= excess;
    } else if (key.b >= key.r) {
        excess = cast * max(rest.b - max(rest.r, rest.g), 0.0);
        rest.b -= excess;
    } else {
        excess = cast * max(rest.r - max(rest.g, rest.b), 0.0);
        rest.r -= excess;
    }
    rest += 0.3 * excess;  // so that what loses its cast does not lose its light
    gl_FragColor = matte ? vec4(vec3(solid * picture.a), 1.0) : vec4(rest, solid * picture.a);
}
