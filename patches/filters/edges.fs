/*{
    "ISFVSN": "2",
    "DESCRIPTION": "The picture redrawn in soft pencil on paper, with a wash of its own colours: a Scharr gradient over all three channels, judged as the eye does, by ratios. Swap ink and paper for lines of light.",
    "CREDIT": "the perform authors, MIT",
    "CATEGORIES": ["Filter", "Lines"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "strength", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0, "LABEL": "How readily a line is drawn"},
        {"NAME": "width", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.5, "MAX": 6.0, "LABEL": "Line width in 360ths of the height"},
        {"NAME": "quiet", "TYPE": "float", "DEFAULT": 0.07, "MIN": 0.0, "MAX": 0.5, "LABEL": "Gradients below this are texture and stay undrawn"},
        {"NAME": "own_colour", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of the picture's colour the line keeps"},
        {"NAME": "fill", "TYPE": "float", "DEFAULT": 0.22, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of the picture shows between the lines"},
        {"NAME": "ink", "TYPE": "color", "DEFAULT": [0.135, 0.135, 0.165, 1.0], "LABEL": "Line"},
        {"NAME": "paper", "TYPE": "color", "DEFAULT": [0.945, 0.925, 0.880, 1.0], "LABEL": "Ground"}
    ]
}*/

// Where the picture is clear it is taken to go on as it is here: its rim is no outline, and casts no shadow inwards.
vec3 at(vec2 uv, vec3 here) {
    vec4 c = IMG_NORM_PIXEL(inputImage, uv);
    return mix(here, c.rgb, c.a);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    vec2 d = max(width * RENDERSIZE.y / 360.0, 0.5) / RENDERSIZE;
    vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
    vec3 c = picture.rgb;
    vec3 nw = at(uv + vec2(-d.x, d.y), c), n = at(uv + vec2(0.0, d.y), c), ne = at(uv + d, c);
    vec3 w = at(uv - vec2(d.x, 0.0), c), e = at(uv + vec2(d.x, 0.0), c);
    vec3 sw = at(uv - d, c), s = at(uv - vec2(0.0, d.y), c), se = at(uv + vec2(d.x, -d.y), c);

    // Scharr's 3 : 10 : 3 is rounder than Sobel; the steepest channel counts, so that equal light still has an edge.
    vec3 gx = (3.0 * (ne + se - nw - sw) + 10.0 * (e - w)) / 16.0;
    vec3 gy = (3.0 * (nw + ne - sw - se) + 10.0 * (n - s)) / 16.0;
    vec3 g = sqrt(gx * gx + gy * gy);
    float slope = mix(max(g.r, max(g.g, g.b)), dot(g, vec3(0.299, 0.587, 0.114)), 0.5);
    // Edges in shadow are as much edges as those in light: the eye judges ratios.
    vec3 mean = 0.125 * (nw + n + ne + w + e + sw + s + se);
    slope /= 0.35 + dot(mean, vec3(0.299, 0.587, 0.114));
    float line = 1.0 - exp(-2.2 * strength * max(slope - quiet, 0.0));
    line *= line * (3.0 - 2.0 * line);
    line = pow(line, 0.55);

    vec3 hue = mean / max(max(mean.r, max(mean.g, mean.b)), 0.08);
    vec3 stroke = mix(ink.rgb, ink.rgb * 0.5 + 0.5 * mean * hue, own_colour);
    // The wash is the picture's hue, thinned, so that shadows do not dirty the paper.
    vec3 wash = mix(hue, picture.rgb, 0.55);
    vec3 ground = mix(paper.rgb, wash * mix(vec3(1.0), paper.rgb, 0.5), fill);
    gl_FragColor = vec4(mix(ground, stroke, line * ink.a), picture.a * mix(paper.a, 1.0, max(line, fill)));
}
