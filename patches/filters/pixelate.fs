/*{
    "ISFVSN": "2",
    "DESCRIPTION": "A mosaic of true averages, not of single pixels: squares, hexagons or round lamps.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Geometry"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "cells", "TYPE": "float", "DEFAULT": 36.0, "MIN": 4.0, "MAX": 200.0, "LABEL": "Tiles in the picture's height"},
        {"NAME": "shape", "TYPE": "long", "DEFAULT": 1, "VALUES": [0, 1, 2], "LABELS": ["square", "hexagon", "lamp"], "LABEL": "Shape of a tile"},
        {"NAME": "gap", "TYPE": "float", "DEFAULT": 0.045, "MIN": 0.0, "MAX": 0.6, "LABEL": "Space between tiles, of a tile"},
        {"NAME": "relief", "TYPE": "float", "DEFAULT": 0.16, "MIN": 0.0, "MAX": 1.0, "LABEL": "Light from above on each tile"},
        {"NAME": "ground", "TYPE": "color", "DEFAULT": [0.035, 0.038, 0.050, 1.0], "LABEL": "Between the tiles"}
    ],
    "PASSES": [
        {"TARGET": "small", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)", "FLOAT": true},
        {}
    ]
}*/

vec4 premultiplied(vec2 uv) {
    vec4 c = IMG_NORM_PIXEL(inputImage, uv);
    return vec4(c.rgb * c.a, c.a);
}

// The middle of the nearest hexagon: two offset grids, whichever is nearer.
vec2 hexagon(vec2 p) {
    vec2 s = vec2(1.0, 1.7320508);
    vec2 a = floor(p / s + 0.5) * s;
    vec2 b = (floor((p - 0.5 * s) / s + 0.5) + 0.5) * s;
    return dot(p - a, p - a) < dot(p - b, p - b) ? a : b;
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        vec2 d = 0.25 / RENDERSIZE;
        vec2 e = vec2(d.x, -d.y);
        gl_FragColor = 0.25 * (premultiplied(uv + d) + premultiplied(uv - d) + premultiplied(uv + e) + premultiplied(uv - e));
        return;
    }
    vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 p = (uv - 0.5) * aspect * cells;
    vec2 middle = shape == 1 ? hexagon(p) : floor(p) + 0.5;
    vec2 q = p - middle;

    // Nine reads of the quarter-size picture over the tile: an average, so that nothing shimmers.
    vec4 c = vec4(0.0);
    for (int j = 0; j < 3; j++) {
        for (int i = 0; i < 3; i++) {
            vec2 o = (vec2(float(i), float(j)) - 1.0) * 0.31;
            c += IMG_NORM_PIXEL(small, clamp((middle + o) / (aspect * cells) + 0.5, 0.0, 1.0));
        }
    }
    c /= 9.0;

    float edge;  // how far inside the tile: 0.5 at its middle, 0 at its rim
    if (shape == 1) {
        vec2 a = abs(q);
        edge = 0.5 - max(a.x, dot(a, vec2(0.5, 0.8660254)));
    } else if (shape == 2) {
        edge = 0.5 - length(q);
    } else {
        edge = 0.5 - max(abs(q.x), abs(q.y));
    }
    float pixel = cells / RENDERSIZE.y;
    float inside = gap > 0.0 || shape == 2 ? smoothstep(-0.7 * pixel, 0.7 * pixel, edge - 0.5 * gap) : 1.0;
    // A gap finer than a pixel is drawn as a thin tone, or it would beat with the pixels.
    if (shape != 2) inside = mix(1.0, inside, clamp(gap / (1.6 * pixel), 0.0, 1.0));
    float shade = 1.0 + relief * (0.55 * q.y + 0.25 * (edge - 0.25));
    vec3 tile = c.rgb / max(c.a, 1e-5) * shade;
    float alpha = mix(ground.a * c.a, c.a, inside);
    gl_FragColor = vec4(clamp(mix(ground.rgb, tile, inside), 0.0, 1.0), alpha);
}
