/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Thin, sure outlines: smoothed, thinned across the slope, and weak lines kept only where they join strong ones. Strong lines found a frame ago count, which joins lines further each frame and keeps them from flickering.",
    "CREDIT": "the perform authors, MIT; after Canny, A computational approach to edge detection, 1986",
    "CATEGORIES": ["Filter", "Lines"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "low", "TYPE": "float", "DEFAULT": 0.035, "MIN": 0.0, "MAX": 0.5, "LABEL": "Slope from which a line may go on"},
        {"NAME": "high", "TYPE": "float", "DEFAULT": 0.10, "MIN": 0.0, "MAX": 0.5, "LABEL": "Slope from which a line begins"},
        {"NAME": "smoothing", "TYPE": "float", "DEFAULT": 1.3, "MIN": 0.3, "MAX": 6.0, "LABEL": "Detail smaller than this is ignored, in 360ths of the height"},
        {"NAME": "width", "TYPE": "float", "DEFAULT": 0.8, "MIN": 0.0, "MAX": 4.0, "LABEL": "Line width in 360ths of the height"},
        {"NAME": "fill", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "How much of the picture shows between the lines"},
        {"NAME": "ink", "TYPE": "color", "DEFAULT": [0.945, 0.930, 0.890, 1.0], "LABEL": "Line"},
        {"NAME": "paper", "TYPE": "color", "DEFAULT": [0.020, 0.022, 0.030, 1.0], "LABEL": "Ground"}
    ],
    "PASSES": [
        {"TARGET": "calm", "FLOAT": true},
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

float calm_at(vec2 uv) {
    return IMG_NORM_PIXEL(calm, uv).r;
}

float steep(vec2 uv) {
    return IMG_NORM_PIXEL(slope, uv).b;
}

// 1 where a strong line runs: in this frame's thinned picture, or in the joined one of the frame before.
float sure(vec2 uv) {
    return max(step(0.75, IMG_NORM_PIXEL(thin, uv).r), step(0.75, IMG_NORM_PIXEL(joined, uv).r));
}

float line_at(vec2 uv) {
    return step(0.75, IMG_NORM_PIXEL(joined, uv).r);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    vec2 px = 1.0 / RENDERSIZE;
    if (PASSINDEX == 0) {
        // Two rings and the middle stand for a Gaussian.
        vec2 d = px * smoothing * RENDERSIZE.y / 360.0;
        float v = 0.18 * light(uv);
        for (int i = 0; i < 6; i++) {
            float a = 1.0471976 * float(i);
            vec2 r = vec2(cos(a), sin(a));
            v += 0.0867 * light(uv + d * r) + 0.05 * light(uv + 1.9 * d * vec2(0.8660254 * r.x - 0.5 * r.y, 0.5 * r.x + 0.8660254 * r.y));
        }
        gl_FragColor = vec4(v, 0.0, 0.0, 1.0);
    } else if (PASSINDEX == 1) {
        float nw = calm_at(uv + vec2(-px.x, px.y)), n = calm_at(uv + vec2(0.0, px.y)), ne = calm_at(uv + px);
        float w = calm_at(uv - vec2(px.x, 0.0)), e = calm_at(uv + vec2(px.x, 0.0));
        float sw = calm_at(uv - px), s = calm_at(uv - vec2(0.0, px.y)), se = calm_at(uv + vec2(px.x, -px.y));
        vec2 g = vec2(3.0 * (ne + se - nw - sw) + 10.0 * (e - w), 3.0 * (nw + ne - sw - se) + 10.0 * (n - s)) / 16.0;
        float mean = 0.125 * (nw + n + ne + w + e + sw + s + se);
        float size = length(g);
        gl_FragColor = vec4(g / max(size, 1e-6), size / (0.5 + mean), 1.0);
    } else if (PASSINDEX == 2) {
        vec3 g = IMG_NORM_PIXEL(slope, uv).rgb;
        // A ridge of the slope: at least as steep as half-way neighbours up and down the hill.
        vec2 d = g.rg * px;
        bool ridge = g.b >= steep(uv + d) && g.b > steep(uv - d);
        float kind = g.b >= high ? 1.0 : (g.b >= low ? 0.5 : 0.0);
        gl_FragColor = vec4(vec3(ridge ? kind : 0.0), 1.0);
    } else if (PASSINDEX == 3) {
        float kind = IMG_NORM_PIXEL(thin, uv).r;
        float near = 0.0;
        if (kind > 0.25 && kind < 0.75) {
            for (int j = -1; j <= 1; j++) {
                for (int i = -1; i <= 1; i++) near = max(near, sure(uv + vec2(float(i), float(j)) * px));
            }
        }
        gl_FragColor = vec4(vec3(kind > 0.75 || near > 0.5 ? 1.0 : 0.0), 1.0);
    } else {
        // The one-pixel line is drawn with a round, soft pen.
        float reach = 0.5 * max(width * RENDERSIZE.y / 360.0, 1.0);
        float ink_here = 0.0;
        for (int j = -2; j <= 2; j++) {
            for (int i = -2; i <= 2; i++) {
                vec2 o = vec2(float(i), float(j));
                float pen = 1.0 - smoothstep(reach - 0.45, reach + 0.75, length(o));
                if (pen > 0.0) ink_here = max(ink_here, pen * line_at(uv + o * px));
            }
        }
        vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
        vec3 ground = mix(paper.rgb, picture.rgb, fill);
        gl_FragColor = vec4(mix(ground, ink.rgb, ink_here * ink.a), picture.a * mix(paper.a, 1.0, max(ink_here, fill)));
    }
}
