/*{
    "ISFVSN": "2",
    "DESCRIPTION": "Two tones judged against their surroundings (Sauvola's rule): drawing appears in shadow and glare alike, and flat ground stays paper.",
    "CREDIT": "the perform authors, MIT; after Sauvola and Pietikainen, Adaptive document image binarization, 2000",
    "CATEGORIES": ["Filter", "Tone"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "radius", "TYPE": "float", "DEFAULT": 4.0, "MIN": 0.5, "MAX": 12.0, "LABEL": "Size of the surroundings in hundredths of the height"},
        {"NAME": "bias", "TYPE": "float", "DEFAULT": -0.02, "MIN": -0.3, "MAX": 0.3, "LABEL": "More ink (up) or more paper (down)"},
        {"NAME": "flatness", "TYPE": "float", "DEFAULT": 0.12, "MIN": 0.0, "MAX": 0.5, "LABEL": "How firmly flat ground stays paper"},
        {"NAME": "dark", "TYPE": "float", "DEFAULT": 0.13, "MIN": 0.0, "MAX": 1.0, "LABEL": "Whatever is darker than this is ink in any case"},
        {"NAME": "softness", "TYPE": "float", "DEFAULT": 0.03, "MIN": 0.002, "MAX": 0.3, "LABEL": "Width of the step in brightness"},
        {"NAME": "ink", "TYPE": "color", "DEFAULT": [0.075, 0.085, 0.120, 1.0], "LABEL": "Darker than around"},
        {"NAME": "paper", "TYPE": "color", "DEFAULT": [0.935, 0.905, 0.845, 1.0], "LABEL": "Lighter than around"}
    ],
    "PASSES": [
        {"TARGET": "small", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)", "FLOAT": true},
        {"TARGET": "across", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)", "FLOAT": true},
        {"TARGET": "around", "WIDTH": "max($WIDTH / 4, 1)", "HEIGHT": "max($HEIGHT / 4, 1)", "FLOAT": true},
        {}
    ]
}*/

float light(vec2 uv) {
    return dot(IMG_NORM_PIXEL(inputImage, uv).rgb, vec3(0.299, 0.587, 0.114));
}

vec2 before(vec2 uv) {
    return PASSINDEX == 1 ? IMG_NORM_PIXEL(small, uv).rg : IMG_NORM_PIXEL(across, uv).rg;
}

// Mean and mean square of the light along one axis, under a Gaussian of `sigma` texels.
vec2 moments(vec2 uv, vec2 texel, float sigma) {
    vec2 sum = before(uv);
    float total = 1.0;
    for (float i = 1.5; i < 2.4 * sigma + 1.0; i += 2.0) {
        float k = 2.0 * exp(-0.5 * i * i / (sigma * sigma));
        sum += k * (before(uv + i * texel) + before(uv - i * texel));
        total += 2.0 * k;
    }
    return sum / total;
}

void main() {
    vec2 uv = isf_FragNormCoord;
    float sigma = max(0.01 * radius * RENDERSIZE.y, 0.5);
    if (PASSINDEX == 0) {
        vec2 d = 0.25 / RENDERSIZE;
        vec4 v = vec4(light(uv + d), light(uv - d), light(uv + vec2(d.x, -d.y)), light(uv + vec2(-d.x, d.y)));
        gl_FragColor = vec4(0.25 * dot(v, vec4(1.0)), 0.25 * dot(v, v), 0.0, 1.0);
    } else if (PASSINDEX < 3) {
        vec2 axis = PASSINDEX == 1 ? vec2(1.0, 0.0) : vec2(0.0, 1.0);
        gl_FragColor = vec4(moments(uv, axis / RENDERSIZE, sigma), 0.0, 1.0);
    } else {
        vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
        vec2 m = IMG_NORM_PIXEL(around, uv).rg;
        float deviation = sqrt(max(m.y - m.x * m.x, 0.0));
        // The last term: where nothing differs from its surroundings there is nothing to draw, however dark it is.
        float level = m.x * (1.0 + flatness * (deviation / 0.35 - 1.0)) + bias - 0.35 * max(0.08 - deviation, 0.0);
        vec2 d = 0.6 / RENDERSIZE;
        float v = 0.25 * (light(uv + d) + light(uv - d) + light(uv + vec2(d.x, -d.y)) + light(uv + vec2(-d.x, d.y)));
        float t = smoothstep(level - softness, level + softness, v);
        t *= smoothstep(dark - softness, dark + softness, v);
        vec4 c = mix(ink, paper, t);
        gl_FragColor = vec4(c.rgb, c.a * picture.a);
    }
}
