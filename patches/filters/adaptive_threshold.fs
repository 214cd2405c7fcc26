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

// The light, its square and what it covers, each weighed by that, so that what is clear has no say in the averages.
vec3 light(vec2 uv) {
    vec4 c = IMG_NORM_PIXEL(inputImage, uv);
    float v = dot(c.rgb, vec3(0.299, 0.587, 0.114));
    return c.a * vec3(v, v * v, 1.0);
}

vec3 before(vec2 uv) {
    return PASSINDEX == 1 ? IMG_NORM_PIXEL(small, uv).rgb : IMG_NORM_PIXEL(across, uv).rgb;
}

// Sums of the light and of its square along one axis, under a Gaussian of `sigma` texels.
vec3 moments(vec2 uv, vec2 texel, float sigma) {
    vec3 sum = before(uv);
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
        vec2 e = vec2(d.x, -d.y);
        gl_FragColor = vec4(0.25 * (light(uv + d) + light(uv - d) + light(uv + e) + light(uv - e)), 1.0);
    } else if (PASSINDEX < 3) {
        vec2 axis = PASSINDEX == 1 ? vec2(1.0, 0.0) : vec2(0.0, 1.0);
        gl_FragColor = vec4(moments(uv, axis / RENDERSIZE, sigma), 1.0);
    } else {
        vec4 picture = IMG_NORM_PIXEL(inputImage, uv);
        vec3 sums = IMG_NORM_PIXEL(around, uv).rgb;
        vec2 m = sums.rg / max(sums.b, 1e-4);
        float deviation = sqrt(max(m.y - m.x * m.x, 0.0));
        // The last term: where nothing differs from its surroundings there is nothing to draw, however dark it is.
        float level = m.x * (1.0 + flatness * (deviation / 0.35 - 1.0)) + bias - 0.35 * max(0.08 - deviation, 0.0);
        vec2 d = 0.6 / RENDERSIZE;
        vec2 e = vec2(d.x, -d.y);
        vec3 near = light(uv + d) + light(uv - d) + light(uv + e) + light(uv - e);
        float v = near.r / max(near.b, 1e-4);
        float t = smoothstep(level - softness, level + softness, v);
        t *= smoothstep(dark - softness, dark + softness, v);
        vec4 c = mix(ink, paper, t);
        gl_FragColor = vec4(c.rgb, c.a * picture.a);
    }
}
