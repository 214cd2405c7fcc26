/*{
    "ISFVSN": "2",
    "DESCRIPTION": "An old lens: colours part towards the corners, the field bows a little, the corners fall into shade and out of focus.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Film"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "dispersion", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 5.0, "LABEL": "How far colours part at the corners, in hundredths of the height"},
        {"NAME": "bow", "TYPE": "float", "DEFAULT": 0.06, "MIN": -0.33, "MAX": 0.6, "LABEL": "Barrel (up) or cushion (down)"},
        {"NAME": "vignette", "TYPE": "float", "DEFAULT": 0.45, "MIN": 0.0, "MAX": 1.0, "LABEL": "Shade in the corners"},
        {"NAME": "softness", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 3.0, "LABEL": "Blur in the corners, in hundredths of the height"}
    ]
}*/

void main() {
    vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 p = (isf_FragNormCoord - 0.5) * aspect;
    float corner = 0.25 * dot(aspect, aspect);  // square of the distance to a corner
    float r = dot(p, p) / corner;
    // The bow leaves the corners (barrel) or the middles of the sides (cushion) in place: no border shows.
    float keep = bow >= 0.0 ? 1.0 + bow : 1.0;
    vec2 q = p * (1.0 + bow * r) / keep;
    vec2 out_there = p * (0.4 + 0.6 * r) * 0.01 * dispersion / sqrt(corner);
    vec2 blur = vec2(-p.y, p.x) / sqrt(corner) * r * 0.01 * softness;
    vec4 sum = vec4(0.0);
    vec4 c;
    vec3 total = vec3(0.0);
    // Seven reads on a rainbow from red to blue, swept a little around the middle.
    for (int i = 0; i < 7; i++) {
        float t = (float(i) - 3.0) / 3.0;
        float side = mod(float(i), 2.0) * 2.0 - 1.0;
        c = IMG_NORM_PIXEL(inputImage, (q + t * out_there + side * abs(t) * blur) / aspect + 0.5);
        vec3 share = vec3(smoothstep(-0.2, 1.0, t) + 0.02, 1.0 - smoothstep(0.0, 0.9, abs(t)) + 0.02, smoothstep(-0.2, 1.0, -t) + 0.02);
        share *= c.a;  // what is clear lends no colour
        sum += vec4(c.rgb * share, c.a / 7.0);
        total += share;
    }
    // Over the weights' sum: white stays white.
    vec3 lit = sum.rgb / max(total, 1e-5);
    float shade = 1.0 - vignette * 0.75 * smoothstep(0.25, 1.25, r);
    gl_FragColor = vec4(lit * shade, sum.a);
}
