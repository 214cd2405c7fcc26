/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Thin, sure outlines: smoothed, thinned across the slope, and weak lines kept only where they join strong ones. Strong lines found a frame ago count, which joins lines further each frame and keeps them from flickering.",
    "CREDIT": "the perform authors, MIT; after Canny, A computational approach to edge detection, 1986",
    "CATEGORIES": ["Filter", "Lines"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "low", "TYPE": "float", "DEFAULT": 0.035, "MIN": 0.0, "MAX": 0.5, "LABEL": "Slope from which a line may go on"},
        {"NAME": "high", "TYPE": "float", "DEFAULT": 0.07, "MIN": 0.0, "MAX": 0.5, "LABEL": "Slope from which a line begins"},
        {"NAME": "smoothing", "TYPE": "float", "DEFAULT": 1.5, "MIN": 0.3, "MAX": 6.0, "LABEL": "Detail smaller than this is ignored, in 360ths of the height"},
        {"NAME": "width", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 4.0, "LABEL": "Line width in 360ths of the height"},
        {"NAME": "fill", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of the picture shows between the lines"},
        {"NAME": "ink", "TYPE": "color", "DEFAULT": [0.945, 0.930, 0.890, 1.0], "LABEL": "Line"},
        {"NAME": "paper", "TYPE": "color", "DEFAULT": [0.020, 0.022, 0.030, 1.0], "LABEL": "Ground"}
    ],
    "PASSES": [
        {"TARGET": "slope", "FLOAT": true},
        {"TARGET": "thin"},
        {"TARGET": "joined", "PERSISTENT": true},
        {}
    ]
}*/

float light(vec2 uv) {
    vec4 c = IMG_NORM_PIXEL(inputImage, uv);
    return dot(c.rgb, vec3(0.299, 0.587, 0.114)) * c.a;
}

void main() {
    vec2 uv = isf_FragNormCoord;
    vec2 px = 1.0 / RENDERSIZE;
    if (PASSINDEX == 0) {
        // Twelve reads on two rings, weighted as the derivative of a Gaussian: smoothing and slope at once.
        vec2 d = px * max(smoothing * RENDERSIZE.y / 360.0, 0.8);
        vec2 g = vec2(0.0);
        float mean = 0.0;
        for (int i = 0; i < 6; i++) {
            float a = 1.0471976 * float(i);
            vec2 r = vec2(cos(a), sin(a));
            vec2 s = vec2(0.8660254 * r.x - 0.5 * r.y, 0.5 * r.x + 0.8660254 * r.y);
            float inner = light(uv + d * r);
            float outer = light(uv + 2.0 * d * s);
            g += inner * r + 0.45 * outer * s;
            mean += inner + outer;
        }
        float steep = length(g) / 4.4;
        // By ratios, as the eye judges: an outline in shadow is an outline.
        gl_FragColor = vec4(g / max(length(g), 1e-6), steep / (0.5 + mean / 12.0), 1.0);
    } else if (PASSINDEX == 1) {
        vec3 g = IMG_NORM_PIXEL(slope, uv).rgb;
        // A ridge: as steep as either neighbour up and down the hill.
        vec2 d = g.rg * px;
        bool ridge = g.b >= IMG_NORM_PIXEL(slope, uv + d).b && g.b > IMG_NORM_PIXEL(slope, uv - d).b;
        bool weak = ridge && g.b >= low;
        // Strong now, or part of a line in the frame before.
        bool strong = weak && (g.b >= high || IMG_NORM_PIXEL(joined, uv).r > 0.5);
        gl_FragColor = vec4(weak ? 1.0 : 0.0, strong ? 1.0 : 0.0, 0.0, 1.0);
    } else if (PASSINDEX == 2) {
        vec2 here = IMG_NORM_PIXEL(thin, uv).rg;
        float near = 0.0;
        for (int j = -1; j <= 1; j++) {
            for (int i = -1; i <= 1; i++) near = max(near, IMG_NORM_PIXEL(thin, uv + vec2(float(i), float(j)) * px).g);
        }
        gl_FragColor = vec4(vec3(here.r > 0.5 && near > 0.5 ? 1.0 : 0.0), 1.0);
    } else {
        // The one-pixel line is drawn with a round, soft pen: a ring of reads between the pixels, and its middle.
        float reach = 0.5 * max(width * RENDERSIZE.y / 360.0, 0.6);
        float line = 0.85 * IMG_NORM_PIXEL(joined, uv).r;
        for (int i = 0; i < 8; i++) {
            float a = 0.7853982 * float(i);
            line = max(line, IMG_NORM_PIXEL(joined, uv + reach * px * vec2(cos(a), sin(a))).r);
        }
        vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
        vec3 ground = mix(paper.rgb, picture.rgb, fill);
        gl_FragColor = vec4(mix(ground, ink.rgb, line * ink.a), picture.a * mix(paper.a, 1.0, max(line, fill)));
    }
}
