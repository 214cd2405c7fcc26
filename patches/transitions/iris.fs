/*{
  "ISFVSN": "2",
  "CREDIT": "perform",
  "DESCRIPTION": "A soft circle of the coming picture opens.",
  "CATEGORIES": ["Transition", "Wipe"],
  "INPUTS": [
    {"NAME": "startImage", "LABEL": "The picture that leaves", "TYPE": "image"},
    {"NAME": "endImage", "LABEL": "The picture that comes", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "How far the change has come", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "center", "LABEL": "Where it opens", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0.0, 0.0], "MAX": [1.0, 1.0]},
    {"NAME": "softness", "LABEL": "Width of the edge", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.01, "MAX": 1.0},
    {"NAME": "glow", "LABEL": "Light along the edge", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0.0, "MAX": 1.0},
    {"NAME": "closing", "LABEL": "Close over the leaving picture instead", "TYPE": "bool", "DEFAULT": false}
  ]
}*/

/* Idea   The iris of an old camera with the edge of a good lens: soft, bending a little, gathering light.
   Inputs center (0..1), softness, glow, closing.
   Cost   2 fetches a pixel.
   At progress 0 the picture is startImage and at 1 endImage, bit for bit. MIT licence. */

// Straight alpha: each picture weighs as much as it covers, so that what is clear lends no colour.
vec4 mixed(vec4 a, vec4 b, float k) {
    float alpha = mix(a.a, b.a, k);
    return vec4(mix(a.rgb * a.a, b.rgb * b.a, k) / max(alpha, 1e-5), alpha);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (progress <= 0.0) {
        gl_FragColor = IMG_NORM_PIXEL(startImage, uv);
        return;
    }
    if (progress >= 1.0) {
        gl_FragColor = IMG_NORM_PIXEL(endImage, uv);
        return;
    }
    vec2 shape = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 far = max(center, 1.0 - center) * shape;                        // the corner farthest away is reached last
    float r = length((uv - center) * shape) / length(far);
    r *= 0.6 + 0.4 * r;                                                  // as much of the picture in each part of the time
    float order = closing ? 1.0 - r : r;
    float d = (progress * (1.0 + softness) - order) / softness;          // the soft edge is ease enough
    float m = smoothstep(0.0, 1.0, clamp(d, 0.0, 1.0));
    vec2 lens = (uv - center) * 0.06 * m * (1.0 - m) * (closing ? 1.0 : -1.0);
    vec4 col = mixed(IMG_NORM_PIXEL(startImage, uv + lens), IMG_NORM_PIXEL(endImage, uv + lens), m);
    col.rgb += glow * 0.9 * m * (1.0 - m) * col.rgb * smoothstep(0.0, 0.15, progress) * smoothstep(1.0, 0.85, progress);
    gl_FragColor = col;
}
