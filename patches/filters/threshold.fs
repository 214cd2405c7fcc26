/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Two tones, as a linocut: dark ink on warm paper, with an edge that is sharp but not jagged.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Tone"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "level", "TYPE": "float", "DEFAULT": 0.45, "MIN": 0.0, "MAX": 1.0, "LABEL": "Brightness that parts ink from paper"},
        {"NAME": "softness", "TYPE": "float", "DEFAULT": 0.02, "MIN": 0.0, "MAX": 0.5, "LABEL": "Width of the step in brightness"},
        {"NAME": "clean", "TYPE": "float", "DEFAULT": 1.5, "MIN": 0.0, "MAX": 6.0, "LABEL": "Rounds off specks up to this size, in 360ths of the height"},
        {"NAME": "ink", "TYPE": "color", "DEFAULT": [0.075, 0.085, 0.120, 1.0], "LABEL": "Below the level"},
        {"NAME": "paper", "TYPE": "color", "DEFAULT": [0.935, 0.905, 0.845, 1.0], "LABEL": "Above the level"}
    ]
}*/

// The light and what it covers, weighed by that, so that what is clear has no say in the average.
vec2 light(vec4 c) {
    return c.a * vec2(dot(c.rgb, vec3(0.299, 0.587, 0.114)), 1.0);
}

vec2 at(vec2 uv) {
    return light(IMG_NORM_PIXEL(inputImage, uv));
}

void main() {
    vec2 uv = isf_FragNormCoord;
    vec2 d = clean * RENDERSIZE.y / 360.0 / RENDERSIZE;
    vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
    vec2 sum = 0.20 * light(picture);
    // Twelve neighbours on two rings: rounder than a box, cheaper than a blur.
    for (int i = 0; i < 6; i++) {
        float a = 1.0471976 * float(i);
        vec2 r = vec2(cos(a), sin(a));
        sum += (0.5 / 6.0) * at(uv + d * r) + (0.3 / 6.0) * at(uv + 1.8 * d * vec2(r.x * 0.866 - r.y * 0.5, r.x * 0.5 + r.y * 0.866));
    }
    float v = sum.x / max(sum.y, 1e-4);
    // Half a pixel of the gradient itself keeps the edge smooth at any size.
    float edge = max(softness, 0.7 * fwidth(v)) + 1e-4;
    float t = smoothstep(level - edge, level + edge, v);
    vec4 c = mix(ink, paper, t);
    gl_FragColor = vec4(c.rgb, c.a * picture.a);
}
