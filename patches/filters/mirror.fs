/*{
    "ISFVSN": "2",
    "DESCRIPTION": "One part of the picture and its reflection. The axis can be moved; the mirror can be half-silvered.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Geometry"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "side", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3, 4, 5], "LABELS": ["left", "right", "top", "bottom", "quad", "water"], "LABEL": "The part that is kept"},
        {"NAME": "axis", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0.0, 0.0], "MAX": [1.0, 1.0], "LABEL": "Where the mirror stands"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "How well it mirrors"}
    ]
}*/

const float TAU = 6.28318531;

void main() {
    vec2 uv = isf_FragNormCoord;
    vec2 q = uv;
    float strength = amount;
    if (side == 0 || side == 4) q.x = axis.x - abs(uv.x - axis.x);
    if (side == 1) q.x = axis.x + abs(uv.x - axis.x);
    if (side == 2 || side >= 4) q.y = axis.y + abs(uv.y - axis.y);
    if (side == 3) q.y = axis.y - abs(uv.y - axis.y);
    if (side == 5 && uv.y < axis.y) {
        // Ripples widen and darken towards the viewer, and pass in 6 and 4 seconds.
        float depth = axis.y - uv.y;
        float near = depth / max(axis.y, 0.05);
        float wave = sin(TAU * (TIME / 6.0 + 9.0 / (near + 0.25))) + 0.6 * sin(TAU * (TIME / 4.0 + 15.0 / (near + 0.3) + uv.x * 2.0));
        q += vec2(0.35, 1.0) * wave * 0.006 * (0.3 + near);
        strength *= 0.92 - 0.35 * near;
    }
    q = 1.0 - abs(mod(q, 2.0) - 1.0);
    vec4 here = IMG_NORM_PIXEL(inputImage, uv);
    vec4 there = IMG_NORM_PIXEL(inputImage, q);
    // Mixed premultiplied: what is clear lends no colour.
    here.rgb *= here.a;
    there.rgb *= there.a;
    if (side == 5 && uv.y < axis.y) here = vec4(here.rgb * vec3(0.05, 0.08, 0.11) * there.a, there.a);
    vec4 c = mix(here, there, strength);
    gl_FragColor = vec4(c.rgb / max(c.a, 1e-5), c.a);
}
